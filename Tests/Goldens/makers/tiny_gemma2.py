"""gemma2-tiny: small random Gemma 2 models, whose scores and logits are bounded softly, and what
they compute."""

import torch
from transformers import Gemma2ForCausalLM, Gemma2ForSequenceClassification, Gemma2ForTokenClassification

from .tiny_gemma3 import randomise
from .tiny_llama import LABELS, SIZES, TAGS, inputs
from .tiny_models import load_model, write_models

NAME = "gemma2-tiny"
# Bounds that scores and logits feel.
PLAIN = dict(
    SIZES,
    head_dim=16,
    sliding_window=5,
    query_pre_attn_scalar=24,
    attn_logit_softcapping=1.5,
    final_logit_softcapping=3.0,
    bos_token_id=2,
    eos_token_id=1,
)
EVERYTHING = dict(
    PLAIN,
    layer_types=["full_attention", "sliding_attention"],
    attention_bias=True,
    tie_word_embeddings=False,
    final_logit_softcapping=None,
)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("plain", Gemma2ForCausalLM, PLAIN, 1),
        ("everything", Gemma2ForCausalLM, EVERYTHING, 2),
        ("sequence-classification", Gemma2ForSequenceClassification, dict(PLAIN, id2label=LABELS), 3),
        ("token-classification", Gemma2ForTokenClassification, dict(PLAIN, id2label=TAGS), 4),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
