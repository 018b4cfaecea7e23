"""distilbert-tiny: small random DistilBERTs, and what they compute."""

import torch
from transformers import (
    DistilBertForSequenceClassification,
    DistilBertForTokenClassification,
    DistilBertModel,
)

from .files import ROOT
from .tiny_bert import randomise
from .tiny_llama import LABELS, TAGS, inputs
from .tiny_models import write_models

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
    """Of a bare model too, the class of rows, with a head of its own; without dropout."""
    torch.manual_seed(0)
    model = DistilBertForSequenceClassification.from_pretrained(
        ROOT / NAME / name, num_labels=3, attn_implementation="eager"
    )
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model.eval()


def make() -> None:
    cases = [
        ("base", DistilBertModel, BARE, 1),
        ("sequence-classification", DistilBertForSequenceClassification, dict(SIZES, id2label=LABELS), 2),
        ("token-classification", DistilBertForTokenClassification, dict(SIZES, id2label=TAGS), 3),
    ]
    write_models(NAME, inputs(), randomise, cases)
