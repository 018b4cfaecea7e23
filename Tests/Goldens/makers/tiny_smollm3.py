"""smollm3-tiny: small random SmolLM3 models, some of whose layers do not turn by positions, and
what they compute."""

import torch
from transformers import (
    SmolLM3ForCausalLM,
    SmolLM3ForSequenceClassification,
    SmolLM3ForTokenClassification,
)

from .tiny_llama import LABELS, SIZES, TAGS, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "smollm3-tiny"
SMOL = dict(SIZES, pad_token_id=0, bos_token_id=1, eos_token_id=2)
# Of two layers the second does not turn; and as a list says, with biases.
PLAIN = dict(SMOL, no_rope_layer_interval=2)
LISTED = dict(SMOL, no_rope_layers=[0, 1], attention_bias=True, mlp_bias=True, tie_word_embeddings=False)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("plain", SmolLM3ForCausalLM, PLAIN, 1),
        ("listed", SmolLM3ForCausalLM, LISTED, 2),
        ("sequence-classification", SmolLM3ForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
        ("token-classification", SmolLM3ForTokenClassification, dict(PLAIN, id2label=TAGS), 4),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
