"""One LoRA training step of Graft on a language model and rows of random tokens: time and peak
memory.
"""

import argparse

import graft
import settings
from data import random_tokens
from methods import LANGUAGE_LORA

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", choices=list(LANGUAGE_LORA), default="smollm2-135m")
parser.add_argument("--rows", type=int, default=4)
parser.add_argument("--tokens", type=int, default=256)
parser.add_argument("--targets", type=int, default=0, help="tokens of what a row becomes, of an encoder–decoder")
parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
parser.add_argument("--recompute", action="store_true", help="layers backward, instead of keeping what that needs")
parser.add_argument("--repeats", type=int, default=7)
arguments = parser.parse_args()

model = graft.Model(settings.MODELS / arguments.model, precision=arguments.precision)
adapter = graft.Adapter.create(model, "lora", LANGUAGE_LORA[arguments.model])
adapter.set_head("seq_2_seq_lm" if arguments.targets else "language_model")
tokens = random_tokens(arguments.rows, arguments.tokens, model.vocabulary_size)
batch = graft.Batch.from_tokens(tokens)
if arguments.targets:
    targets = random_tokens(arguments.rows, arguments.targets, model.vocabulary_size)
    batch.set_targets(graft.Batch.from_tokens(targets))
else:
    batch.set_column("token_labels", tokens)
options = {
    "learning_rate": 1e-4,
    "schedule": "constant",
    "maximum_gradient_norm": 0.0,
    "threads": settings.THREADS,
    "recompute_layers": arguments.recompute,
}
with graft.Trainer(model, adapter, **options) as trainer:
    times = settings.measure(lambda: trainer.step(batch), repeats=arguments.repeats)
settings.emit("language model step", side="Graft", **vars(arguments) | times)
