"""nomic-bert-tiny: small random Nomic BERTs, and what they compute."""

import torch
from transformers import (
    NomicBertForMaskedLM,
    NomicBertForSequenceClassification,
    NomicBertForTokenClassification,
    NomicBertModel,
)

from .files import ROOT
from .tiny_llama import LABELS, TAGS, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "nomic-bert-tiny"
SIZES = dict(
    vocab_size=110,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=48,
    max_position_embeddings=64,
)
# With everything that a configuration can change, and dropout.
SCALED = dict(
    SIZES,
    layer_norm_eps=1e-3,
    hidden_dropout_prob=0.1,
    rope_parameters={"rope_type": "linear", "rope_theta": 100.0, "factor": 2.0},
)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("base", NomicBertModel, SIZES, 1),
        ("scaled", NomicBertModel, SCALED, 2),
        ("masked-lm", NomicBertForMaskedLM, SIZES, 3),
        ("sequence-classification", NomicBertForSequenceClassification, dict(SIZES, id2label=LABELS), 4),
        ("token-classification", NomicBertForTokenClassification, dict(SIZES, id2label=TAGS), 5),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
    # The base under the names of its modules, rather than those that transformers writes.
    load("base").save_pretrained(ROOT / NAME / "modules", save_original_format=False)
