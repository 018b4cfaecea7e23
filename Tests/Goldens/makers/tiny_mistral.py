"""mistral-tiny: small random Mistrals, whose tokens see a window of those before them, and what
they compute."""

import torch
from transformers import (
    MistralConfig,
    MistralForCausalLM,
    MistralForSequenceClassification,
    MistralForTokenClassification,
)

from .files import ROOT, fresh_folder, write_json
from .tiny_llama import LABELS, SIZES, TAGS, inputs, randomise, write_expected

NAME = "mistral-tiny"
# A window that is shorter than most rows, one that no row fills, and none.
PLAIN = dict(SIZES, sliding_window=5, eos_token_id=2)
WIDE = dict(SIZES, head_dim=16, sliding_window=4096, tie_word_embeddings=True, rms_norm_eps=1e-5)
WHOLE = dict(SIZES, sliding_window=None)


def load(name: str) -> torch.nn.Module:
    kind = MistralForSequenceClassification if name == "sequence-classification" else MistralForCausalLM
    return kind.from_pretrained(ROOT / NAME / name, attn_implementation="eager").eval()


def make() -> None:
    top = fresh_folder(NAME)
    rows = inputs()
    write_json(top / "inputs.json", rows)
    for name, kind, settings, seed in (
        ("plain", MistralForCausalLM, PLAIN, 1),
        ("wide", MistralForCausalLM, WIDE, 2),
        ("whole", MistralForCausalLM, WHOLE, 3),
        ("sequence-classification", MistralForSequenceClassification, dict(PLAIN, id2label=LABELS), 4),
        ("token-classification", MistralForTokenClassification, dict(PLAIN, id2label=TAGS), 5),
    ):
        model = randomise(kind(MistralConfig(**settings)), seed)
        model.save_pretrained(top / name)
        model = kind.from_pretrained(top / name, attn_implementation="eager").eval()
        write_expected(top / name, model, rows)
