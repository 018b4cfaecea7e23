"""distilbert-tiny: small random DistilBERTs, and what they compute."""

from functools import partial

import torch
from transformers import (
    DistilBertForSequenceClassification,
    DistilBertForTokenClassification,
    DistilBertModel,
)

from .tiny_llama import LABELS, TAGS, inputs
from .tiny_models import load_for_rows, randomise, write_models

NAME = "distilbert-tiny"
SIZES = dict(
    vocab_size=110,
    dim=32,
    n_layers=2,
    n_heads=4,
    hidden_dim=48,
    max_position_embeddings=64,
    dropout=0.0,
    attention_dropout=0.0,
    seq_classif_dropout=0.0,
)
# The bare model has dropout.
BARE = dict(SIZES, activation="relu", pad_token_id=5, dropout=0.1, attention_dropout=0.1, seq_classif_dropout=0.1)


def load(name: str) -> torch.nn.Module:
    return load_for_rows(DistilBertForSequenceClassification, NAME, name)


def make() -> None:
    cases = [
        ("base", DistilBertModel, BARE, 1),
        ("sequence-classification", DistilBertForSequenceClassification, dict(SIZES, id2label=LABELS), 2),
        ("token-classification", DistilBertForTokenClassification, dict(SIZES, id2label=TAGS), 3),
    ]
    # Only the norm of the embeddings is about 1.
    write_models(NAME, inputs(), partial(randomise, norm="LayerNorm.weight"), cases)
