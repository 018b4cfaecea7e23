"""adversarial: ten steps of FGM (Miyato et al. 2017) in torch on PEFT's adapters: losses, first
gradients, and the end.
"""

import copy
from dataclasses import dataclass, field
from types import ModuleType

import torch
from peft import LoraConfig, PeftModel, PrefixTuningConfig, get_peft_model

from . import prompt_learning, tiny_bert, tiny_llama
from .files import ROOT, fresh_folder, write_both, write_json
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, make_optimizer


@dataclass(frozen=True)
class Variant:
    name: str
    about: str
    family: ModuleType
    base: str
    task: str
    epsilon: float
    config: type
    settings: dict = field(default_factory=dict)
    method: str = "lora"

    @property
    def path(self) -> str:
        return f"{'bert-tiny' if self.family is tiny_bert else self.family.NAME}/{self.base}"


LORA = dict(r=4, lora_alpha=8)
VARIANTS = [
    Variant("bert", "Below a norm and positions.", tiny_bert, "sequence-classification", "SEQ_CLS", 0.5, LoraConfig, LORA),
    Variant("llama", "A language model.", tiny_llama, "plain", "CAUSAL_LM", 1.0, LoraConfig, LORA),
    Variant(
        "prefix", "Keys before the rows'.", tiny_bert, "sequence-classification", "SEQ_CLS", 2.0, PrefixTuningConfig,
        dict(num_virtual_tokens=3), "prefix",
    ),
]  # fmt: skip


class Embeddings:
    """What the table of words gives, with something added to it and its gradient kept."""

    def __init__(self, model: torch.nn.Module):
        self.added, self.given = None, []
        model.get_input_embeddings().register_forward_hook(self.hook)

    def hook(self, module, inputs, output):
        # A frozen table's output has no gradient unless it is asked for.
        output = output.detach() + (0 if self.added is None else self.added.pop(0))
        self.given.append(output.requires_grad_())
        return output

    def directions(self, epsilon: float) -> list[torch.Tensor]:
        gradients = [given.grad for given in self.given]
        return [epsilon * gradient / gradient.norm() for gradient in gradients]


def names(model: PeftModel, variant: Variant, of=lambda parameter: parameter) -> dict:
    named = prompt_learning.own_names(model, variant, of)
    return {name.replace(".default.weight", ".weight"): tensor for name, tensor in named.items()}


def train(model: PeftModel, variant: Variant, batches: list[dict]) -> dict:
    model = model.train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(OPTIMIZER, parameters)
    embeddings = Embeddings(model.get_base_model())
    steps, gradients = [], {}
    for batch in batches:
        optimizer.zero_grad()
        embeddings.added, embeddings.given = None, []
        loss = prompt_learning.loss_of(model, batch, variant)
        loss.backward()
        embeddings.added, embeddings.given = embeddings.directions(variant.epsilon), []
        prompt_learning.loss_of(model, batch, variant).backward()
        gradients = gradients or names(model, variant, lambda parameter: parameter.grad)
        norm = torch.nn.utils.clip_grad_norm_(parameters, MAXIMUM_NORM)
        steps.append({"loss": loss.item(), "gradient_norm": norm.item()})
        optimizer.step()
    return {"steps": steps, "gradients": gradients, "final": names(model, variant)}


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / "adversarial" / variant.name
    model = get_peft_model(prompt_learning.base(variant), variant.config(task_type=variant.task, **variant.settings))
    randomise_trainable(model, seed, scale=0.2)
    save_adapter(model, folder / "start")
    name, batches = prompt_learning.batches_of(variant)
    double = train(copy.deepcopy(model).double(), variant, batches)
    single = train(copy.deepcopy(model), variant, batches)
    distance = write_both(folder, double, single)
    return {
        "name": variant.name,
        "about": variant.about,
        "base": variant.path,
        "batches": name,
        "task": variant.task,
        "step_plan": "fgm",
        "step_plan_settings": {"epsilon": variant.epsilon},
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": [],
        "torch_float32_loss_deviation": distance,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("adversarial")
    write_json(top / "variants.json", [make_variant(variant, 600 + i) for i, variant in enumerate(VARIANTS)])
