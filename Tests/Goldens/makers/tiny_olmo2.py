"""olmo2-tiny: small random OLMo 2 models, whose norms stand behind their sub-layers, and what they
compute."""

import torch
from transformers import Olmo2ForCausalLM, Olmo2ForSequenceClassification

from .tiny_llama import LABELS, LLAMA3, SIZES, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "olmo2-tiny"
OLMO = dict(SIZES, pad_token_id=0, bos_token_id=1, eos_token_id=2)
PLAIN = dict(OLMO)
EVERYTHING = dict(
    OLMO, num_key_value_heads=1, attention_bias=True, tie_word_embeddings=True, rope_parameters=LLAMA3, rms_norm_eps=1e-3
)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("plain", Olmo2ForCausalLM, PLAIN, 1),
        ("everything", Olmo2ForCausalLM, EVERYTHING, 2),
        ("sequence-classification", Olmo2ForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
