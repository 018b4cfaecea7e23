"""llama-training: ten training steps of PEFT on llama-tiny: losses, first gradients, and the
adapter at the end.
"""

import random
from dataclasses import dataclass
from types import ModuleType

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict

from . import lora_training, tiny_llama
from .files import ROOT, deviation, fresh_folder, write_json, write_tensors
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, STEPS, make_optimizer, saved_names

OPTIMIZER = dict(name="adamw", learning_rate=1e-3, weight_decay=0.01)


@dataclass(frozen=True)
class Variant:
    name: str
    about: str
    lora: dict
    base: str = "plain"
    task: str | None = "CAUSAL_LM"
    config: type = LoraConfig


VARIANTS = [
    Variant("query-value", "The plain case.", dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"])),
    Variant("all-linear", "Every product of the layers.", dict(r=2, lora_alpha=4, target_modules="all-linear")),
    Variant(
        "everything",
        "Llama 3 positions and biases: every bias, biases of B.",
        dict(r=2, lora_alpha=4, target_modules="all-linear", bias="all", lora_bias=True),
        base="everything",
    ),
    Variant(
        "embeddings-and-head",
        "The tables at both ends.",
        dict(r=2, lora_alpha=6, target_modules=["embed_tokens", "lm_head", "down_proj"]),
        base="everything",
    ),
    Variant(
        "norms",
        "Norms and one projection in full.",
        dict(r=2, target_modules=["o_proj"], modules_to_save=["input_layernorm", "model.norm", "layers.1.mlp.up_proj"]),
    ),
    Variant(
        "sequence-classification",
        "A head without bias on the last token.",
        dict(r=4, lora_alpha=8, target_modules=["k_proj", "gate_proj"]),
        base="sequence-classification",
        task="SEQ_CLS",
    ),
]


def batches() -> list[dict]:
    """Ten batches of four ragged rows: a label for each row, and one for each token, -100 where it
    does not count.
    """
    source = random.Random(12)
    made = []
    for _ in range(STEPS):
        lengths = [source.randint(2, 16) for _ in range(4)]
        # Token 0 fills what is padded: torch lets a padding token's embedding learn nothing.
        ids = [[source.randrange(1, tiny_llama.SIZES["vocab_size"]) for _ in range(n)] for n in lengths]
        masked = [[-100 if source.random() < 0.3 else token for token in row] for row in ids]
        for row, tokens in zip(masked, ids, strict=True):
            row[-1] = tokens[-1]
        made.append({"input_ids": ids, "labels": [source.randrange(3) for _ in lengths], "token_labels": masked})
    return made


def loss_of(model: torch.nn.Module, batch: dict, task: str | None) -> torch.Tensor:
    """Of all rows together, each run alone: what a padded batch must equal."""
    logits = [model(input_ids=torch.tensor([row])).logits[0] for row in batch["input_ids"]]
    if task != "CAUSAL_LM":
        return torch.nn.functional.cross_entropy(torch.stack(logits), torch.tensor(batch["labels"]))
    # transformers' own loss rounds the logits to float32.
    labels = torch.tensor([label for row in batch["token_labels"] for label in row[1:]])
    return torch.nn.functional.cross_entropy(torch.cat([row[:-1] for row in logits]), labels, ignore_index=-100)


def base(variant: Variant, family: ModuleType) -> torch.nn.Module:
    model = family.load(variant.base)
    model.name_or_path = f"{family.NAME}/{variant.base}"
    model.config.pad_token_id = 0
    return model


def train(variant: Variant, family: ModuleType, folder, dtype: torch.dtype) -> dict:
    """Runs the ten steps from the saved adapter in the given precision."""
    model = PeftModel.from_pretrained(base(variant, family), folder, is_trainable=True).to(dtype).train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(OPTIMIZER, parameters)
    steps, gradients = [], {}
    for batch in lora_training.batches() if family.NAME == "bert-tiny" else batches():
        optimizer.zero_grad()
        loss = loss_of(model, batch, variant.task)
        loss.backward()
        if not gradients:
            named = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
            gradients = saved_names(model, named)
        norm = torch.nn.utils.clip_grad_norm_(parameters, MAXIMUM_NORM)
        steps.append({"loss": loss.item(), "gradient_norm": norm.item()})
        optimizer.step()
    final = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {"steps": steps, "gradients": gradients, "final": final}


def make_variant(variant: Variant, seed: int, family: ModuleType = tiny_llama, top: str = "llama-training") -> dict:
    folder = ROOT / top / variant.name
    model = get_peft_model(base(variant, family), variant.config(task_type=variant.task, **variant.lora))
    randomise_trainable(model, seed, scale=0.1)
    save_adapter(model, folder / "start")

    double = train(variant, family, folder / "start", torch.float64)
    single = train(variant, family, folder / "start", torch.float32)
    still = sorted(name for name, tensor in double["gradients"].items() if tensor.abs().max() < 1e-12)
    for part in ("gradients", "final"):
        kept = {name: tensor for name, tensor in double[part].items() if name not in still}
        distance = deviation(kept, single[part])
        write_tensors(folder / f"{part}.safetensors", double[part], torch_float32_deviation=distance)
    losses = [abs(a["loss"] - b["loss"]) for a, b in zip(double["steps"], single["steps"], strict=True)]
    return {
        "name": variant.name,
        "about": variant.about,
        "base": f"{family.NAME}/{variant.base}",
        "task": variant.task,
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": still,
        "torch_float32_loss_deviation": max(losses),
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("llama-training")
    write_json(top / "batches.json", batches())
    write_json(top / "variants.json", [make_variant(variant, 300 + i) for i, variant in enumerate(VARIANTS)])
