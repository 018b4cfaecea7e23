"""minilm: what the real all-MiniLM-L6-v2 computes for thirty texts. The model itself is not
committed.
"""

import os
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertModel

from .files import ROOT, deviation, fresh_folder, packed, write_json, write_tensors
from .tiny_bert import batches_of_one

MAXIMUM_LENGTH = 512
WATCHED_VALUES = 8

SINGLE = [
    "Hi.",
    "a",
    "",
    "The cat sat on the mat.",
    "How do I reset my password?",
    "My parcel has not arrived yet, and the tracking page shows nothing since Tuesday.",
    "DON'T SHOUT!!! (please)",
    "Café au lait, naïve façade, Ångström, Żółć, Привет, γειά",
    "我的包裹还没有到。",
    "東京タワーは333メートルです。",
    "Prices: $12.50, €9,99 and £7 — 30% off; e-mail me@example.com #deal",
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "x" * 120,
    "tabs\tand\nnew lines\r\nand   many   spaces",
    "emoji 😀 and 👩‍👩‍👧 are not in the vocabulary",
    "zero\u200bwidth and control\u0007characters",
    "[CLS] special [MASK] tokens [SEP] inside a text",
    "e\u0301 is one letter written as two code points",
]
PAIRS = [
    ("Where is my order?", "I would like to know when my package arrives."),
    ("A girl is styling her hair.", "A girl is brushing her hair."),
    ("short", "A second text that is a good deal longer than the first one, with a clause or two more."),
    ("A first text that is a good deal longer than the second one, with a clause or two more.", "short"),
    ("", "only the second"),
    ("only the first", ""),
    ("what films featured the character popeye doyle ?", "我不知道。"),
]
# Repeated, these pass 512 tokens: truncated rows, and a pair truncated on both sides.
FILLER = "the expressive power of the camera makes up for a plot that loses its way before the second act begins . "
LONG = [
    (FILLER * 8, None),
    (FILLER * 15, None),
    (FILLER * 30, None),
    (FILLER * 20, SINGLE[5] * 40),
    (SINGLE[4], FILLER * 40),
]


def texts() -> list[tuple[str, str | None]]:
    return [(text, None) for text in SINGLE] + PAIRS + LONG


def model_folder() -> Path:
    models = Path(os.environ.get("GRAFT_TEST_MODELS", ROOT.parents[1] / "build" / "models"))
    return models / "minilm"


def compute(model: BertModel, rows: dict) -> dict:
    """Per row: the first values of the hidden state of the first, middle and last token, and the
    mean embedding.
    """
    with torch.no_grad():
        hidden = [model(**row).last_hidden_state[0] for row in batches_of_one(rows)]
    watched = [state[[0, len(state) // 2, len(state) - 1], :WATCHED_VALUES] for state in hidden]
    mean = torch.stack([state.mean(0) for state in hidden])
    return {
        "hidden": packed(watched).reshape(len(hidden), 3, WATCHED_VALUES),
        "embedding": torch.nn.functional.normalize(mean, dim=-1),
    }


def make() -> None:
    folder = model_folder()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAXIMUM_LENGTH)
    encodings = [tokenizer.encode(text, pair) for text, pair in texts()]
    rows = {"input_ids": [e.ids for e in encodings], "token_type_ids": [e.type_ids for e in encodings]}

    model = BertModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    single = compute(model, rows)
    double = compute(model.double(), rows)
    top = fresh_folder("minilm")
    described = [
        {"text": text, "pair": pair, "input_ids": encoding.ids, "token_type_ids": encoding.type_ids}
        for (text, pair), encoding in zip(texts(), encodings, strict=True)
    ]
    write_json(top / "rows.json", {"maximum_length": MAXIMUM_LENGTH, "rows": described})
    write_tensors(top / "expected.safetensors", double, torch_float32_deviation=deviation(double, single))
