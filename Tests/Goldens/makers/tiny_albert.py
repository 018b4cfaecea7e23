"""albert-tiny: small random ALBERTs, whose layers share modules, and what they compute."""

import torch
from transformers import (
    AlbertForMaskedLM,
    AlbertForSequenceClassification,
    AlbertForTokenClassification,
    AlbertModel,
)

from .tiny_llama import LABELS, TAGS, inputs
from .tiny_models import load_for_rows, randomise, write_models

NAME = "albert-tiny"
SIZES = dict(
    vocab_size=110,
    embedding_size=24,
    hidden_size=32,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=48,
    max_position_embeddings=64,
    classifier_dropout_prob=0.0,
)
# The bare model has dropout. Groups that do not divide the layers, of two layers each.
BARE = dict(SIZES, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1, hidden_act="gelu")
GROUPS = dict(
    SIZES,
    num_hidden_layers=5,
    num_hidden_groups=2,
    inner_group_num=2,
    embedding_size=32,
    pad_token_id=5,
    layer_norm_eps=1e-3,
)


def load(name: str) -> torch.nn.Module:
    return load_for_rows(AlbertForSequenceClassification, NAME, name)


def make() -> None:
    cases = [
        ("base", AlbertModel, BARE, 1),
        ("groups", AlbertModel, GROUPS, 2),
        ("masked-lm", AlbertForMaskedLM, SIZES, 3),
        ("sequence-classification", AlbertForSequenceClassification, dict(SIZES, id2label=LABELS), 4),
        ("token-classification", AlbertForTokenClassification, dict(SIZES, id2label=TAGS), 5),
    ]
    write_models(NAME, inputs(), randomise, cases)
