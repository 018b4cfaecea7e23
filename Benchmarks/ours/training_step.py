"""One training step of Graft on full-length rows: time and peak memory."""

import argparse

import graft
import settings
from data import full_length_texts
from methods import METHODS
from ours.adapted_model import load_model, make_adapter
from tasks import TASKS

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--task", choices=list(TASKS), default="classification")
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
task = TASKS[arguments.task]
adapter = make_adapter(model, task.labels, method=arguments.method, head=task.head)
texts = full_length_texts(arguments.rows, arguments.tokens)
with graft.Tokenizer(settings.MODELS / "minilm") as tokenizer:
    batch = graft.Batch(tokenizer, texts, maximum_length=512)
for name, values in task.columns(arguments.rows, arguments.tokens).items():
    batch.set_column(name, values)
assert batch.token_count == arguments.rows * arguments.tokens
options = {"learning_rate": 1e-4, "schedule": "constant", "maximum_gradient_norm": 0.0, "threads": settings.THREADS}
with graft.Trainer(model, adapter, **options, **task.settings) as trainer:
    times = settings.measure(lambda: trainer.step(batch), repeats=arguments.repeats)
settings.emit("training step", side="Graft", **vars(arguments) | times)
