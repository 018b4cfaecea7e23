"""gpt2-tiny: small random GPT-2s, and what they compute."""

import torch
from transformers import (
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2ForTokenClassification,
    GPT2LMHeadModel,
    GPT2Model,
)

from .files import ROOT, fresh_folder, write_json
from .tiny_llama import TAGS, inputs, write_expected

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


def randomise(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Weights wide enough that attention is far from uniform; biases and norms away from 0 and 1.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            is_norm = ".ln_" in name and name.endswith("weight")
            parameter.copy_(1 + 0.1 * noise if is_norm else noise * (0.1 if name.endswith("bias") else 0.25))
    return model.eval()


def load(name: str) -> torch.nn.Module:
    kind = GPT2ForSequenceClassification if name == "sequence-classification" else GPT2LMHeadModel
    return kind.from_pretrained(ROOT / NAME / name, attn_implementation="eager").eval()


def make() -> None:
    top = fresh_folder(NAME)
    rows = inputs()
    write_json(top / "inputs.json", rows)
    for name, model, seed in (
        ("plain", GPT2LMHeadModel(GPT2Config(**PLAIN)), 1),
        ("everything", GPT2LMHeadModel(GPT2Config(**EVERYTHING)), 2),
        ("bare", GPT2Model(GPT2Config(**SIZES, tie_word_embeddings=False)), 3),
        ("sequence-classification", GPT2ForSequenceClassification(GPT2Config(**PLAIN, id2label=LABELS)), 4),
        ("token-classification", GPT2ForTokenClassification(GPT2Config(**PLAIN, id2label=TAGS)), 5),
    ):
        randomise(model, seed).save_pretrained(top / name)
        write_expected(top / name, model, rows)
