"""qwen3-tiny: small random Qwen 3 models, whose heads' queries and keys are normed, and what they
compute."""

import torch
from transformers import (
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3ForSequenceClassification,
    Qwen3ForTokenClassification,
)

from .files import ROOT, fresh_folder, write_json
from .tiny_llama import LABELS, SIZES, TAGS, inputs, randomise, write_expected

NAME = "qwen3-tiny"
PLAIN = dict(SIZES, head_dim=16, tie_word_embeddings=True, eos_token_id=2)
WINDOWED = dict(
    SIZES, head_dim=8, attention_bias=True, use_sliding_window=True, sliding_window=5, max_window_layers=1
)


def load(name: str) -> torch.nn.Module:
    kind = Qwen3ForSequenceClassification if name == "sequence-classification" else Qwen3ForCausalLM
    return kind.from_pretrained(ROOT / NAME / name, attn_implementation="eager").eval()


def make() -> None:
    top = fresh_folder(NAME)
    rows = inputs()
    write_json(top / "inputs.json", rows)
    for name, kind, settings, seed in (
        ("plain", Qwen3ForCausalLM, PLAIN, 1),
        ("windowed", Qwen3ForCausalLM, WINDOWED, 2),
        ("sequence-classification", Qwen3ForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
        ("token-classification", Qwen3ForTokenClassification, dict(PLAIN, id2label=TAGS), 4),
    ):
        model = randomise(kind(Qwen3Config(**settings)), seed)
        model.save_pretrained(top / name)
        model = kind.from_pretrained(top / name, attn_implementation="eager").eval()
        write_expected(top / name, model, rows)
