"""roberta-training: ten training steps of PEFT on roberta-tiny: losses, first gradients, and the
adapter at the end.
"""

from types import SimpleNamespace

import torch
from peft import IA3Config
from transformers import RobertaForSequenceClassification

from . import tiny_roberta
from .llama_training import Variant, make_trainings
from .tiny_models import load_for_rows

HEAD = dict(base="sequence-classification", task="SEQ_CLS")

VARIANTS = [
    Variant("defaults", "What PEFT adapts by itself, and a head of two layers.", dict(r=4, lora_alpha=8), **HEAD),
    Variant(
        "all-linear",
        "Every product and bias of the layers: neither the head's nor a pooler's, which the class has not.",
        dict(r=2, lora_alpha=4, target_modules="all-linear", bias="all"),
        base="base",
        task="SEQ_CLS",
    ),
    Variant("dense", "Of several modules of one name the head has one.", dict(r=2, target_modules=["dense"]), **HEAD),
    Variant(
        "tables",
        "Gradients down to the tables, where padding learns nothing.",
        dict(r=2, lora_alpha=6, target_modules=["word_embeddings", "position_embeddings"]),
        **HEAD,
    ),
    Variant(
        "in-full",
        "Norms and tables in full.",
        dict(r=2, target_modules=["key"], modules_to_save=["LayerNorm", "position_embeddings", "word_embeddings"]),
        **HEAD,
    ),
    Variant(
        "own-head",
        "The checkpoint's head stays, but for its dense layer, which is adapted.",
        dict(r=2, target_modules=["value", "dense"]),
        base="sequence-classification",
        task=None,
    ),
    Variant("ia3", "IA3's defaults.", {}, config=IA3Config, **HEAD),
]


def load(name: str) -> torch.nn.Module:
    return load_for_rows(RobertaForSequenceClassification, tiny_roberta.NAME, name)


def make() -> None:
    family = SimpleNamespace(NAME=tiny_roberta.NAME, load=load)
    make_trainings("roberta-training", VARIANTS, 700, family)
