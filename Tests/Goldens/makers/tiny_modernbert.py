"""modernbert-tiny: small random ModernBERTs, and what they compute."""

import torch
from transformers import (
    ModernBertForMaskedLM,
    ModernBertForSequenceClassification,
    ModernBertForTokenClassification,
    ModernBertModel,
)

from .tiny_llama import LABELS, TAGS, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "modernbert-tiny"
SIZES = dict(
    vocab_size=110,
    hidden_size=32,
    num_hidden_layers=4,
    num_attention_heads=4,
    intermediate_size=48,
    max_position_embeddings=64,
    local_attention=8,
    pad_token_id=0,
)
# All that a configuration can change. The bare model has dropout.
BIASES = dict(norm_bias=True, attention_bias=True, mlp_bias=True, classifier_bias=True)
BARE = dict(
    SIZES,
    **BIASES,
    attention_dropout=0.1,
    embedding_dropout=0.1,
    hidden_activation="relu",
    norm_eps=1e-3,
    layer_types=["sliding_attention", "full_attention", "full_attention", "sliding_attention"],
    rope_parameters={
        "full_attention": {"rope_type": "default", "rope_theta": 500.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
    },
)
MEAN = dict(SIZES, **BIASES, classifier_pooling="mean", classifier_activation="relu", id2label=LABELS)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("base", ModernBertModel, BARE, 1),
        ("masked-lm", ModernBertForMaskedLM, SIZES, 2),
        ("mean", ModernBertForSequenceClassification, MEAN, 3),
        ("sequence-classification", ModernBertForSequenceClassification, dict(SIZES, id2label=LABELS), 4),
        ("token-classification", ModernBertForTokenClassification, dict(SIZES, id2label=TAGS), 5),
    ]
    write_models(NAME, inputs(), randomise, cases, "eager")
