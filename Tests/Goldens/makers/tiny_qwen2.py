"""qwen2-tiny: small random Qwen 2 models, whole and with a window in their last layer, and what
they compute."""

import torch
from transformers import (
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
    Qwen2ForTokenClassification,
)

from .files import ROOT, fresh_folder, write_json
from .tiny_llama import LABELS, SIZES, TAGS, inputs, randomise, write_expected

NAME = "qwen2-tiny"
PLAIN = dict(SIZES, tie_word_embeddings=True, eos_token_id=2)
WINDOWED = dict(SIZES, use_sliding_window=True, sliding_window=5, max_window_layers=1, rms_norm_eps=1e-5)


def load(name: str) -> torch.nn.Module:
    kind = Qwen2ForSequenceClassification if name == "sequence-classification" else Qwen2ForCausalLM
    return kind.from_pretrained(ROOT / NAME / name, attn_implementation="eager").eval()


def make() -> None:
    top = fresh_folder(NAME)
    rows = inputs()
    write_json(top / "inputs.json", rows)
    for name, kind, settings, seed in (
        ("plain", Qwen2ForCausalLM, PLAIN, 1),
        ("windowed", Qwen2ForCausalLM, WINDOWED, 2),
        ("sequence-classification", Qwen2ForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
        ("token-classification", Qwen2ForTokenClassification, dict(PLAIN, id2label=TAGS), 4),
    ):
        model = randomise(kind(Qwen2Config(**settings)), seed)
        model.save_pretrained(top / name)
        model = kind.from_pretrained(top / name, attn_implementation="eager").eval()
        write_expected(top / name, model, rows)
