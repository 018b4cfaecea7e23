"""phi3-tiny: small random Phi-3 models, whose projections are joined and whose heads turn in part,
and what they compute.
"""

import torch
from transformers import Phi3ForCausalLM, Phi3ForSequenceClassification, Phi3ForTokenClassification

from .tiny_llama import LABELS, SIZES, TAGS, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "phi3-tiny"
PHI = dict(SIZES, pad_token_id=0, bos_token_id=1, eos_token_id=2)
# Behind a window; then of texts longer than the first ones, of which a part of each head turns.
PLAIN = dict(PHI, sliding_window=5)
LONG = dict(
    PHI,
    tie_word_embeddings=True,
    max_position_embeddings=512,
    original_max_position_embeddings=64,
    rope_parameters=dict(
        rope_type="longrope",
        rope_theta=500.0,
        partial_rotary_factor=0.75,
        short_factor=[1.0, 1.2, 2.5],
        long_factor=[1.5, 3.0, 13.0],
    ),
)
# Of whose rows some are longer than those at first.
BEYOND = dict(LONG, tie_word_embeddings=False, max_position_embeddings=96, original_max_position_embeddings=11)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("plain", Phi3ForCausalLM, PLAIN, 1),
        ("long", Phi3ForCausalLM, LONG, 2),
        ("beyond", Phi3ForCausalLM, BEYOND, 5),
        ("sequence-classification", Phi3ForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
        ("token-classification", Phi3ForTokenClassification, dict(PLAIN, id2label=TAGS), 4),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
