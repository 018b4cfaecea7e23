"""PEFT LoRA training on real sentences of SST-2, 32 rows a batch, grouped by length and padded to
the longest row.
"""

import argparse

import settings
from data import length_grouped_batches, sst2
from peers.adapted_model import PRECISIONS, collate, load, load_tokenizer, stepper, torch_for

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="minilm")
parser.add_argument("--rows", type=int, default=32)
parser.add_argument("--steps", type=int, default=50)
parser.add_argument("--precision", choices=PRECISIONS, default="medium")
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--passes", type=int, default=3)
arguments = parser.parse_args()

torch = torch_for(arguments.precision)
train, _, _ = sst2(arguments.rows * arguments.steps)
ids = [encoding.ids for encoding in load_tokenizer().encode_batch(train.texts)]
batches = []
for rows in length_grouped_batches([len(row) for row in ids], arguments.rows, seed=0):
    batches.append(collate([ids[i] for i in rows]) | {"labels": torch.tensor([train.labels[i] for i in rows])})
step = stepper(load(arguments.model, 2, arguments.dropout, lora_dropout=0.0), arguments.precision)


def one_pass() -> None:
    for batch in batches:
        step(batch)


times = settings.measure(one_pass, warmup=1, repeats=arguments.passes)
settings.emit(
    "ragged steps",
    side="PEFT",
    **vars(arguments),
    median_ms=round(times["median_ms"] / len(batches), 3),
    least_ms=round(times["least_ms"] / len(batches), 3),
    real_tokens_a_step=round(sum(map(len, ids)) / len(batches)),
)
