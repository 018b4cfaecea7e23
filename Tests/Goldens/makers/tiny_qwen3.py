"""qwen3-tiny: small random Qwen 3 models, whose heads' queries and keys are normed, and what they
compute."""

import torch
from transformers import (
    Qwen3ForCausalLM,
    Qwen3ForSequenceClassification,
    Qwen3ForTokenClassification,
)

from .tiny_llama import LABELS, SIZES, TAGS, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "qwen3-tiny"
PLAIN = dict(SIZES, head_dim=16, tie_word_embeddings=True, eos_token_id=2)
WINDOWED = dict(
    SIZES, head_dim=8, attention_bias=True, use_sliding_window=True, sliding_window=5, max_window_layers=1
)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("plain", Qwen3ForCausalLM, PLAIN, 1),
        ("windowed", Qwen3ForCausalLM, WINDOWED, 2),
        ("sequence-classification", Qwen3ForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
        ("token-classification", Qwen3ForTokenClassification, dict(PLAIN, id2label=TAGS), 4),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
