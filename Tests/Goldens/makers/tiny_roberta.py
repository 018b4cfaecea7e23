"""roberta-tiny: small random RoBERTas, and what they compute, also where padding stands inside a
row."""

import torch
from transformers import (
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
)

from .files import ROOT
from .tiny_llama import LABELS, LENGTHS, TAGS
from .tiny_models import randomise, write_models

NAME = "roberta-tiny"
SIZES = dict(
    vocab_size=110,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=48,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)

# As the first RoBERTa; then all that a configuration can change. The bare model has dropout.
PLAIN = dict(SIZES, max_position_embeddings=66, type_vocab_size=1, layer_norm_eps=1e-5)
EVERYTHING = dict(
    SIZES,
    max_position_embeddings=70,
    type_vocab_size=3,
    pad_token_id=5,
    hidden_act="relu",
    layer_norm_eps=1e-3,
    classifier_dropout=0.2,
)
BARE = dict(PLAIN, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)


def inputs() -> dict:
    """Ragged rows. In some, what pads for one of the models stands inside the text, or alone."""
    generator = torch.Generator().manual_seed(19)
    rows = [torch.randint(0, SIZES["vocab_size"], (n,), generator=generator).tolist() for n in LENGTHS]
    first, second = 1, EVERYTHING["pad_token_id"]
    rows[0][0] = rows[2][5] = rows[5][9] = first
    rows[2][4] = rows[2][-1] = rows[5][10] = second
    return {"input_ids": [*rows, [first, first], [first, 7], [second, second], [second, 7]]}


def load(name: str) -> torch.nn.Module:
    kind = RobertaForSequenceClassification if name == "sequence-classification" else RobertaModel
    return kind.from_pretrained(ROOT / NAME / name, attn_implementation="eager").eval()


def make() -> None:
    cases = [
        ("base", RobertaModel, BARE, 1),
        ("masked-lm", RobertaForMaskedLM, PLAIN, 2),
        ("everything", RobertaModel, EVERYTHING, 3),
        ("sequence-classification", RobertaForSequenceClassification, dict(PLAIN, id2label=LABELS), 4),
        ("token-classification", RobertaForTokenClassification, dict(PLAIN, id2label=TAGS), 5),
    ]
    write_models(NAME, inputs(), randomise, cases)
