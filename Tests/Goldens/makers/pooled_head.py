"""pooled-head: ten training steps of LoRA below a head that no class of transformers has: it reads
the mean of a row's tokens, or the last of them, through a dense layer or at once. The adapters' own
files are as Graft writes them."""

import copy
import json
from dataclasses import dataclass

import safetensors.torch
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict

from .files import ROOT, fresh_folder, write_both, write_json
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, base, batches, make_optimizer, padded, without_gradient

LABELS = 3
START = "base_model.model."


@dataclass(frozen=True)
class Variant:
    name: str
    about: str
    pooling: str
    has_dense_layer: bool


VARIANTS = [
    Variant("mean", "The mean of a row's tokens.", "mean", False),
    Variant("mean-dense", "The mean, through a dense layer.", "mean", True),
    Variant("last", "The last token of a row, which BERT's own class does not read.", "last", False),
]


class Classifier(torch.nn.Module):
    def __init__(self, variant: Variant, seed: int) -> None:
        super().__init__()
        self.variant = variant
        self.peft = get_peft_model(
            base(), LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=["query", "value", "dense"])
        )
        width = self.peft.config.hidden_size
        self.pooled_dense = torch.nn.Linear(width, width) if variant.has_dense_layer else None
        self.pooled_classifier = torch.nn.Linear(width, LABELS)
        # The classifier of the class is not read, and takes no part.
        for name, parameter in self.peft.named_parameters():
            if "classifier" in name:
                parameter.requires_grad_(False)
        randomise_trainable(self, seed)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        bert = self.peft.base_model.model.bert
        hidden = bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        lengths = attention_mask.sum(1)
        if self.variant.pooling == "mean":
            pooled = (hidden * attention_mask[..., None]).sum(1) / lengths[:, None]
        else:
            pooled = hidden[torch.arange(len(hidden)), lengths - 1]
        if self.pooled_dense is not None:
            pooled = torch.tanh(self.pooled_dense(pooled))
        return self.pooled_classifier(pooled)

    def saved(self, tensors: dict) -> dict:
        """Of the model's tensors those of the adapter, under the names of its file."""
        complete = {name: tensors.get("peft." + name, tensor) for name, tensor in self.peft.state_dict().items()}
        kept = get_peft_model_state_dict(self.peft, state_dict=complete)
        kept = {name: tensor for name, tensor in kept.items() if "classifier" not in name}
        return kept | {START + name: tensor for name, tensor in tensors.items() if name.startswith("pooled_")}


def train(model: Classifier) -> dict:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(OPTIMIZER, parameters)
    steps, gradients = [], {}
    for batch in batches():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(**padded(batch)), torch.tensor(batch["labels"]))
        loss.backward()
        if not gradients:
            # LoRA on the pooler, which is not read, has none.
            zeros = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
            gradients = model.saved(zeros | {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None})
        norm = torch.nn.utils.clip_grad_norm_(parameters, MAXIMUM_NORM)
        steps.append({"loss": loss.item(), "learning_rate": OPTIMIZER["learning_rate"], "gradient_norm": norm.item()})
        optimizer.step()
    return {"steps": steps, "gradients": gradients, "final": model.saved(model.state_dict())}


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / "pooled-head" / variant.name
    model = Classifier(variant, seed)
    save_adapter(model.peft, folder / "start")
    settings_path = folder / "start" / "adapter_config.json"
    settings = json.loads(settings_path.read_text()) | {"pooling": variant.pooling, "modules_to_save": None}
    settings_path.write_text(json.dumps(settings, indent=2, sort_keys=True))
    start = {name: tensor.contiguous() for name, tensor in model.saved(model.state_dict()).items()}
    safetensors.torch.save_file(start, folder / "start" / "adapter_model.safetensors", metadata={"format": "pt"})

    double = train(copy.deepcopy(model).double().train())
    single = train(copy.deepcopy(model).train())
    still = without_gradient(double["gradients"])
    write_both(folder, double, single, still)
    return {
        "name": variant.name,
        "about": variant.about,
        "batches": "lora-training",
        "optimizer": OPTIMIZER,
        "schedule": "constant",
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": still,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("pooled-head")
    write_json(top / "variants.json", [make_variant(variant, 300 + i) for i, variant in enumerate(VARIANTS)])
