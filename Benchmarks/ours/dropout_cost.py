"""What dropout costs a training step: steps with it and without it take turns in one process, so
that a machine whose speed drifts changes both alike. The cost is the median over the pairs."""

import argparse
import statistics
import time

import graft
import settings
from data import full_length_texts
from ours.adapted_model import load_model, make_adapter

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="minilm")
parser.add_argument("--rows", type=int, default=32)
parser.add_argument("--tokens", type=int, default=64)
parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
parser.add_argument("--dropout", type=float, default=0.1, help="in hidden states and attention")
parser.add_argument("--lora-dropout", type=float, default=0.0)
parser.add_argument("--pairs", type=int, default=11)
arguments = parser.parse_args()

texts = full_length_texts(arguments.rows, arguments.tokens)
labels = [row % 2 for row in range(arguments.rows)]
with graft.Tokenizer(settings.MODELS / "minilm") as tokenizer:
    batch = graft.Batch(tokenizer, texts, labels=labels, maximum_length=512)
options = {"learning_rate": 1e-4, "schedule": "constant", "maximum_gradient_norm": 0.0, "threads": settings.THREADS}


def trainer(dropout: float, lora_dropout: float) -> graft.Trainer:
    model = load_model(arguments.model, arguments.precision, dropout)
    adapter = make_adapter(model, ["negative", "positive"], lora_dropout=lora_dropout)
    return graft.Trainer(model, adapter, **options)


def seconds(trainer: graft.Trainer) -> float:
    start = time.perf_counter()
    trainer.step(batch)
    return time.perf_counter() - start


plain, dropping = trainer(0.0, 0.0), trainer(arguments.dropout, arguments.lora_dropout)
for side in (plain, dropping):
    seconds(side)
costs = []
for number in range(arguments.pairs):
    # Each side goes first in turn.
    if number % 2:
        with_dropout = seconds(dropping)
        costs.append(with_dropout / seconds(plain) - 1)
    else:
        without = seconds(plain)
        costs.append(seconds(dropping) / without - 1)
settings.emit("dropout cost", side="Graft", **vars(arguments), cost=round(statistics.median(costs), 4))
