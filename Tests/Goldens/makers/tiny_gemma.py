"""gemma-tiny: small random Gemma models, with scaled embeddings and norms around one, and what they
compute."""

import torch
from transformers import GemmaForCausalLM, GemmaForSequenceClassification, GemmaForTokenClassification

from .tiny_gemma3 import randomise
from .tiny_llama import LABELS, SIZES, TAGS, inputs
from .tiny_models import load_model, write_models

NAME = "gemma-tiny"
PLAIN = dict(SIZES, head_dim=16, bos_token_id=2, eos_token_id=1)
EVERYTHING = dict(PLAIN, attention_bias=True, tie_word_embeddings=False, rms_norm_eps=1e-5)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("plain", GemmaForCausalLM, PLAIN, 1),
        ("everything", GemmaForCausalLM, EVERYTHING, 2),
        ("sequence-classification", GemmaForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
        ("token-classification", GemmaForTokenClassification, dict(PLAIN, id2label=TAGS), 4),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
