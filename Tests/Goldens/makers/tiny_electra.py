"""electra-tiny: small random ELECTRAs, and what they compute."""

import torch
from transformers import (
    ElectraForSequenceClassification,
    ElectraForTokenClassification,
    ElectraModel,
)

from .tiny_llama import LABELS, TAGS, inputs
from .tiny_models import load_for_rows, randomise, write_models

NAME = "electra-tiny"
SIZES = dict(
    vocab_size=110,
    embedding_size=24,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=48,
    max_position_embeddings=64,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
# The bare model has dropout. Tables as wide as the layers have no projection.
BARE = dict(SIZES, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
WIDE = dict(SIZES, embedding_size=32, hidden_act="relu", pad_token_id=5, type_vocab_size=3, layer_norm_eps=1e-3)


def load(name: str) -> torch.nn.Module:
    return load_for_rows(ElectraForSequenceClassification, NAME, name)


def make() -> None:
    cases = [
        ("base", ElectraModel, BARE, 1),
        ("wide", ElectraModel, WIDE, 2),
        ("sequence-classification", ElectraForSequenceClassification, dict(SIZES, id2label=LABELS), 4),
        ("token-classification", ElectraForTokenClassification, dict(SIZES, id2label=TAGS), 5),
    ]
    write_models(NAME, inputs(), randomise, cases)
