"""qwen2-tiny: small random Qwen 2 models, whole and with a window in their last layer, and what
they compute."""

import torch
from transformers import (
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
    Qwen2ForTokenClassification,
)

from .tiny_llama import LABELS, SIZES, TAGS, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "qwen2-tiny"
PLAIN = dict(SIZES, tie_word_embeddings=True, eos_token_id=2)
WINDOWED = dict(SIZES, use_sliding_window=True, sliding_window=5, max_window_layers=1, rms_norm_eps=1e-5)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("plain", Qwen2ForCausalLM, PLAIN, 1),
        ("windowed", Qwen2ForCausalLM, WINDOWED, 2),
        ("sequence-classification", Qwen2ForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
        ("token-classification", Qwen2ForTokenClassification, dict(PLAIN, id2label=TAGS), 4),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
