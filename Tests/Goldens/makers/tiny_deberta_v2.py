"""deberta-v2-tiny: small random DeBERTas, whose scores have parts for distances, and what they
compute."""

import torch
from transformers import (
    DebertaV2ForMaskedLM,
    DebertaV2ForSequenceClassification,
    DebertaV2ForTokenClassification,
    DebertaV2Model,
)

from .tiny_llama import LABELS, TAGS, inputs
from .tiny_models import load_model, randomise, write_models

NAME = "deberta-v2-tiny"
SIZES = dict(
    vocab_size=110,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=48,
    max_position_embeddings=64,
    relative_attention=True,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
# As DeBERTa 3; then with projections of their own for distances, each of which has a row, beside
# positions and types of tokens; and with one of the two parts.
BASE = dict(
    SIZES,
    pos_att_type=["p2c", "c2p"],
    share_att_key=True,
    position_buckets=8,
    norm_rel_ebd="layer_norm",
    position_biased_input=False,
)
APART = dict(SIZES, pos_att_type="c2p|p2c", max_relative_positions=10, type_vocab_size=2, layer_norm_eps=1e-3)
KEYS = dict(BASE, pos_att_type=["c2p"])
# As the large DeBERTa 2s: a convolution beside the first layer.
CONVOLVED = dict(BASE, norm_rel_ebd="none", conv_kernel_size=3, conv_act="gelu")


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def make() -> None:
    cases = [
        ("base", DebertaV2Model, BASE, 1),
        ("apart", DebertaV2Model, APART, 2),
        ("keys", DebertaV2Model, KEYS, 3),
        ("masked-lm", DebertaV2ForMaskedLM, BASE, 4),
        ("sequence-classification", DebertaV2ForSequenceClassification, dict(BASE, id2label=LABELS), 5),
        ("token-classification", DebertaV2ForTokenClassification, dict(BASE, id2label=TAGS), 6),
        ("convolution", DebertaV2ForSequenceClassification, dict(CONVOLVED, id2label=LABELS), 7),
        ("convolution-alone", DebertaV2Model, dict(CONVOLVED, num_hidden_layers=1, conv_kernel_size=5, conv_act="tanh"), 8),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
