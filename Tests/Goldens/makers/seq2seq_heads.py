"""seq2seq-heads: small random encoder-decoders that classify rows, what they compute, and ten
training steps of PEFT.
"""

import copy
import random
from dataclasses import dataclass
from functools import partial

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    BartForSequenceClassification,
    MBartForSequenceClassification,
    MT5ForSequenceClassification,
    T5ForSequenceClassification,
)

from .files import ROOT, deviation, fresh_folder, packed, write_both, write_json, write_tensors
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, STEPS, trained, without_gradient
from .tiny_llama import LABELS
from .tiny_models import load_for_rows, load_model
from .tiny_seq2seq import SIZES, T5_SIZES, TOKENS, randomise

NAME = "seq2seq-heads"
CASES = [
    ("bart", BartForSequenceClassification, dict(SIZES, **TOKENS, decoder_start_token_id=2), 1),
    ("mbart", MBartForSequenceClassification, dict(SIZES, **TOKENS, scale_embedding=True), 2),
    ("t5", T5ForSequenceClassification, dict(T5_SIZES, feed_forward_proj="gelu"), 3),
    ("mt5", MT5ForSequenceClassification, dict(T5_SIZES, feed_forward_proj="gated-gelu"), 4),
]


@dataclass(frozen=True)
class Variant:
    name: str
    about: str
    base: str
    settings: dict


HEAD = dict(modules_to_save=["classification_head"])
VARIANTS = [
    Variant("bart-head", "A head in full.", f"{NAME}/bart", dict(r=4, lora_alpha=8, **HEAD)),
    Variant("bart-fresh", "The same on a model of language.", "seq2seq-tiny/bart", dict(r=2, lora_alpha=4, **HEAD)),
    Variant("mbart-own", "The checkpoint's own head.", f"{NAME}/mbart", dict(r=4, target_modules=["q_proj", "fc2"])),
    Variant("t5-head", "Every product, below a head in full.", f"{NAME}/t5", dict(r=2, target_modules=["q", "o", "wi"], **HEAD)),
    Variant("mt5-own", "The checkpoint's own head.", f"{NAME}/mt5", dict(r=2, target_modules=["k", "v"])),
]  # fmt: skip


def row(source: random.Random, longest: int) -> list[int]:
    """Ends with T5's end and with BART's; some have both before that, too."""
    tokens = [source.randrange(3, SIZES["vocab_size"]) for _ in range(source.randint(1, longest))]
    if source.random() < 0.3:
        tokens += [2, 1, source.randrange(3, SIZES["vocab_size"])]
    return tokens + [1, 2]


def batches() -> list[dict]:
    """Ten batches of four ragged rows, each with a label."""
    source = random.Random(19)
    return [
        {"input_ids": [row(source, 12) for _ in range(4)], "labels": [source.randrange(3) for _ in range(4)]}
        for _ in range(STEPS)
    ]


def logits_of(model: torch.nn.Module, rows: list[list[int]]) -> torch.Tensor:
    """Each row alone, unpadded."""
    return packed([model(input_ids=torch.tensor([ids])).logits for ids in rows])


def loss_of(model: torch.nn.Module, batch: dict) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(logits_of(model, batch["input_ids"]), torch.tensor(batch["labels"]))


def base(variant: Variant) -> torch.nn.Module:
    folder, name = variant.base.split("/")
    model = load_for_rows(BartForSequenceClassification, folder, name) if folder != NAME else load_model(NAME, name)
    model.name_or_path = variant.base
    return model


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / NAME / variant.name
    model = get_peft_model(base(variant), LoraConfig(task_type="SEQ_CLS", **variant.settings))
    randomise_trainable(model, seed, scale=0.1)
    save_adapter(model, folder / "start")
    double, single = trained(partial(base, variant), folder / "start", batches(), loss_of)
    still = without_gradient(double["gradients"])
    write_both(folder, double, single, still)
    return {
        "name": variant.name,
        "about": variant.about,
        "base": variant.base,
        "task": "SEQ_CLS",
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": still,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder(NAME)
    source = random.Random(18)
    rows = [row(source, longest) for longest in (7, 1, 12, 40, 3)]
    write_json(top / "inputs.json", {"input_ids": rows})
    for name, kind, settings, seed in CASES:
        model = randomise(kind(kind.config_class(**settings, id2label=LABELS)), seed)
        model.save_pretrained(top / name)
        model = load_model(NAME, name)
        with torch.no_grad():
            single, double = ({"logits": logits_of(own, rows)} for own in (model, copy.deepcopy(model).double()))
        write_tensors(top / name / "expected.safetensors", double, torch_float32_deviation=deviation(double, single))
    write_json(top / "batches.json", batches())
    write_json(top / "variants.json", [make_variant(variant, 720 + i) for i, variant in enumerate(VARIANTS)])
