"""smollm3-tiny: small random SmolLM3 models, some of whose layers do not turn by positions, and
what they compute."""

import torch
from transformers import (
    SmolLM3Config,
    SmolLM3ForCausalLM,
    SmolLM3ForSequenceClassification,
    SmolLM3ForTokenClassification,
)

from .files import ROOT, fresh_folder, write_json
from .tiny_llama import LABELS, SIZES, TAGS, inputs, randomise, write_expected

NAME = "smollm3-tiny"
SMOL = dict(SIZES, pad_token_id=0, bos_token_id=1, eos_token_id=2)
# Of two layers the second does not turn; and as a list says, with biases.
PLAIN = dict(SMOL, no_rope_layer_interval=2)
LISTED = dict(SMOL, no_rope_layers=[0, 1], attention_bias=True, mlp_bias=True, tie_word_embeddings=False)


def load(name: str) -> torch.nn.Module:
    kind = SmolLM3ForSequenceClassification if name == "sequence-classification" else SmolLM3ForCausalLM
    return kind.from_pretrained(ROOT / NAME / name, attn_implementation="eager").eval()


def make() -> None:
    top = fresh_folder(NAME)
    rows = inputs()
    write_json(top / "inputs.json", rows)
    for name, kind, settings, seed in (
        ("plain", SmolLM3ForCausalLM, PLAIN, 1),
        ("listed", SmolLM3ForCausalLM, LISTED, 2),
        ("sequence-classification", SmolLM3ForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
        ("token-classification", SmolLM3ForTokenClassification, dict(PLAIN, id2label=TAGS), 4),
    ):
        model = randomise(kind(SmolLM3Config(**settings)), seed)
        model.save_pretrained(top / name)
        model = kind.from_pretrained(top / name, attn_implementation="eager").eval()
        write_expected(top / name, model, rows)
