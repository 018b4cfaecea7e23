"""mistral-tiny: small random Mistrals, whose tokens see a window of those before them, and what
they compute."""

import torch
from transformers import (
    MistralForCausalLM,
    MistralForSequenceClassification,
    MistralForTokenClassification,
)

from .tiny_llama import LABELS, SIZES, TAGS, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "mistral-tiny"
# A window that is shorter than most rows, one that no row fills, and none.
PLAIN = dict(SIZES, sliding_window=5, eos_token_id=2)
WIDE = dict(SIZES, head_dim=16, sliding_window=4096, tie_word_embeddings=True, rms_norm_eps=1e-5)
WHOLE = dict(SIZES, sliding_window=None)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("plain", MistralForCausalLM, PLAIN, 1),
        ("wide", MistralForCausalLM, WIDE, 2),
        ("whole", MistralForCausalLM, WHOLE, 3),
        ("sequence-classification", MistralForSequenceClassification, dict(PLAIN, id2label=LABELS), 4),
        ("token-classification", MistralForTokenClassification, dict(PLAIN, id2label=TAGS), 5),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
