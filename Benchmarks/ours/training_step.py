"""One training step of Graft on full-length rows: time and peak memory."""

import argparse

import graft
import settings
from data import full_length_texts
from methods import METHODS
from ours.adapted_model import load_model, make_adapter

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--method", choices=list(METHODS), default="lora")
parser.add_argument("--model", default="minilm")
parser.add_argument("--rows", type=int, default=32)
parser.add_argument("--tokens", type=int, default=64)
parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
parser.add_argument(
    "--dropout", type=float, default=0.1, help="the model's own dropout, in hidden states and attention"
)
parser.add_argument("--repeats", type=int, default=7)
arguments = parser.parse_args()

model = load_model(arguments.model, arguments.precision, arguments.dropout)
adapter = make_adapter(model, ["negative", "positive"], method=arguments.method)
texts = full_length_texts(arguments.rows, arguments.tokens)
labels = [row % 2 for row in range(arguments.rows)]
with graft.Tokenizer(settings.MODELS / "minilm") as tokenizer:
    batch = graft.Batch(tokenizer, texts, labels=labels, maximum_length=512)
assert batch.token_count == arguments.rows * arguments.tokens
options = {"learning_rate": 1e-4, "schedule": "constant", "maximum_gradient_norm": 0.0, "threads": settings.THREADS}
with graft.Trainer(model, adapter, **options) as trainer:
    times = settings.measure(lambda: trainer.step(batch), repeats=arguments.repeats)
settings.emit("training step", side="Graft", **vars(arguments) | times)
