"""mpnet-tiny: small random MPNets, and what they compute, also at distances that share a bucket."""

import torch
from transformers import MPNetForMaskedLM, MPNetForSequenceClassification, MPNetForTokenClassification, MPNetModel

from . import tiny_roberta
from .tiny_llama import LABELS, TAGS
from .tiny_models import load_for_rows, randomise, write_models

NAME = "mpnet-tiny"
PLAIN = dict(tiny_roberta.SIZES, max_position_embeddings=162)
# The bare model has dropout, and more buckets than are used.
BARE = dict(
    PLAIN, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1, relative_attention_num_buckets=40, hidden_act="relu"
)


def inputs() -> dict:
    """Ragged rows, with padding inside the text, and one whose ends are more than 128 tokens
    apart."""
    generator = torch.Generator().manual_seed(23)
    rows = tiny_roberta.inputs()["input_ids"]
    return {"input_ids": [*rows, torch.randint(0, PLAIN["vocab_size"], (150,), generator=generator).tolist()]}


def load(name: str) -> torch.nn.Module:
    return load_for_rows(MPNetForSequenceClassification, NAME, name)


def make() -> None:
    cases = [
        ("base", MPNetModel, BARE, 1),
        ("masked-lm", MPNetForMaskedLM, PLAIN, 2),
        ("sequence-classification", MPNetForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
        ("token-classification", MPNetForTokenClassification, dict(PLAIN, id2label=TAGS), 4),
    ]
    write_models(NAME, inputs(), randomise, cases, "eager")
