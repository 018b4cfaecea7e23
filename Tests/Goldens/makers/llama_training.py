"""llama-training: ten training steps of PEFT on llama-tiny: losses, first gradients, and the
adapter at the end.
"""

import random
from dataclasses import dataclass
from functools import partial
from types import ModuleType

import torch
from peft import LoraConfig, get_peft_model

from . import lora_training, tiny_llama
from .files import ROOT, fresh_folder, write_both, write_json
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, STEPS, trained, without_gradient


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


def make_variant(variant: Variant, seed: int, family: ModuleType = tiny_llama, top: str = "llama-training") -> dict:
    folder = ROOT / top / variant.name
    model = get_peft_model(base(variant, family), variant.config(task_type=variant.task, **variant.lora))
    randomise_trainable(model, seed, scale=0.1)
    save_adapter(model, folder / "start")

    rows = lora_training.batches() if family.NAME == "bert-tiny" else batches()
    double, single = trained(
        partial(base, variant, family), folder / "start", rows,
        lambda model, batch: loss_of(model, batch, variant.task),
    )  # fmt: skip
    still = without_gradient(double["gradients"])
    distance = write_both(folder, double, single, still)
    return {
        "name": variant.name,
        "about": variant.about,
        "base": f"{family.NAME}/{variant.base}",
        "task": variant.task,
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": still,
        "torch_float32_loss_deviation": distance,
        "steps": double["steps"],
    }


def make_trainings(name: str, variants: list[Variant], seed: int, family: ModuleType) -> None:
    """A folder of trainings of the tiny models of one family, all on the same batches."""
    top = fresh_folder(name)
    write_json(top / "batches.json", batches())
    write_json(top / "variants.json", [make_variant(own, seed + i, family, name) for i, own in enumerate(variants)])


def make() -> None:
    make_trainings("llama-training", VARIANTS, 300, tiny_llama)
