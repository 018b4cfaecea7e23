"""gpt2-tiny: small random GPT-2s, and what they compute."""

import torch
from transformers import (
    GPT2ForSequenceClassification,
    GPT2ForTokenClassification,
    GPT2LMHeadModel,
    GPT2Model,
)

from .tiny_llama import TAGS, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "gpt2-tiny"
SIZES = dict(vocab_size=110, n_embd=32, n_layer=2, n_head=4, n_positions=64)
LABELS = {0: "greeting", 1: "complaint", 2: "question"}

# As the first GPT-2; then all that a configuration can change. The bare model has dropout.
NO_DROPOUT = dict(embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0)
PLAIN = dict(SIZES, **NO_DROPOUT, tie_word_embeddings=True, eos_token_id=2, bos_token_id=2)
EVERYTHING = dict(
    SIZES,
    **NO_DROPOUT,
    n_inner=40,
    activation_function="relu",
    layer_norm_epsilon=1e-3,
    tie_word_embeddings=False,
    eos_token_id=[2, 5],
    bos_token_id=2,
)


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("plain", GPT2LMHeadModel, PLAIN, 1),
        ("everything", GPT2LMHeadModel, EVERYTHING, 2),
        ("bare", GPT2Model, dict(SIZES, tie_word_embeddings=False), 3),
        ("sequence-classification", GPT2ForSequenceClassification, dict(PLAIN, id2label=LABELS), 4),
        ("token-classification", GPT2ForTokenClassification, dict(PLAIN, id2label=TAGS), 5),
    ]
    write_models(NAME, inputs(), randomise, cases)
