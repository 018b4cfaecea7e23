"""gpt-neox-tiny: small random GPT-NeoX models, as Pythia's: sub-layers beside each other or one
after the other, and what they compute.
"""

import torch
from transformers import (
    GPTNeoXForCausalLM,
    GPTNeoXForSequenceClassification,
    GPTNeoXForTokenClassification,
    GPTNeoXModel,
)

from .tiny_llama import LABELS, SIZES, TAGS, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "gpt-neox-tiny"
NEOX = dict({key: SIZES[key] for key in SIZES if key != "num_key_value_heads"}, bos_token_id=1, eos_token_id=2)
# As Pythia, a quarter of whose heads turns; then all that a configuration can change.
PLAIN = dict(NEOX, pad_token_id=0)
EVERYTHING = dict(
    NEOX,
    use_parallel_residual=False,
    attention_bias=False,
    hidden_act="gelu_new",
    layer_norm_eps=1e-3,
    tie_word_embeddings=True,
    rope_parameters=dict(rope_type="linear", rope_theta=500.0, factor=4.0, partial_rotary_factor=0.75),
)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("plain", GPTNeoXForCausalLM, PLAIN, 1),
        ("everything", GPTNeoXForCausalLM, EVERYTHING, 2),
        ("bare", GPTNeoXModel, PLAIN, 3),
        ("sequence-classification", GPTNeoXForSequenceClassification, dict(PLAIN, id2label=LABELS), 4),
        ("token-classification", GPTNeoXForTokenClassification, dict(PLAIN, id2label=TAGS), 5),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
