"""Encoder forward of Graft on full-length rows: the last hidden states, as the peers give them."""

import argparse

import graft
import settings
from data import full_length_texts

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="minilm")
parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
arguments = parser.parse_args()

model = graft.Model(settings.MODELS / arguments.model, precision=arguments.precision)
tokenizer = graft.Tokenizer(settings.MODELS / "minilm")
session = graft.Session(model, tokenizer, threads=settings.THREADS)
for rows, tokens in settings.INFERENCE_SHAPES:
    batch = graft.Batch(tokenizer, full_length_texts(rows, tokens), maximum_length=512)
    assert batch.token_count == rows * tokens
    repeats = 9 if rows * tokens > 1000 else 30
    run = lambda batch=batch: session.batch_hidden_states(batch)  # noqa: E731
    times = settings.measure(run, warmup=3, repeats=repeats, at_most_seconds=40)
    settings.emit("encoder", side="Graft", **vars(arguments), rows=rows, tokens=tokens, **times)
