"""LoRA training steps of Graft on real sentences of SST-2, 32 rows a batch; the batches are those
of the peer.
"""

import argparse

import graft
import settings
from data import length_grouped_batches, sst2
from ours.adapted_model import load_model, make_adapter

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="minilm")
parser.add_argument("--rows", type=int, default=32)
parser.add_argument("--steps", type=int, default=50)
parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--passes", type=int, default=3)
arguments = parser.parse_args()

train, _, names = sst2(arguments.rows * arguments.steps)
model = load_model(arguments.model, arguments.precision, arguments.dropout)
adapter = make_adapter(model, names)
with graft.Tokenizer(settings.MODELS / "minilm") as tokenizer:
    ids = [tokenizer.encode(text, maximum_length=512).ids for text in train.texts]
batches = [
    graft.Batch.from_tokens([ids[i] for i in rows], labels=[train.labels[i] for i in rows])
    for rows in length_grouped_batches([len(row) for row in ids], arguments.rows, seed=0)
]
options = {"learning_rate": 1e-4, "schedule": "constant", "maximum_gradient_norm": 0.0, "threads": settings.THREADS}
trainer = graft.Trainer(model, adapter, **options)


def one_pass() -> None:
    for batch in batches:
        trainer.step(batch)


times = settings.measure(one_pass, warmup=1, repeats=arguments.passes)
settings.emit(
    "ragged steps",
    side="Graft",
    **vars(arguments),
    median_ms=round(times["median_ms"] / len(batches), 3),
    least_ms=round(times["least_ms"] / len(batches), 3),
    real_tokens_a_step=round(sum(map(len, ids)) / len(batches)),
)
