"""One training step of PEFT or AdapterHub on full-length rows: time and peak memory."""

import argparse

import settings
from data import full_length_texts
from methods import METHODS
from peers.adapted_model import PRECISIONS, collate, labelled, load, load_tokenizer, stepper, torch_for
from tasks import TASKS

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--task", choices=list(TASKS), default="classification")
parser.add_argument("--method", choices=list(METHODS), default="lora")
parser.add_argument("--model", default="minilm")
parser.add_argument("--rows", type=int, default=32)
parser.add_argument("--tokens", type=int, default=64)
parser.add_argument("--precision", choices=PRECISIONS, default="medium")
parser.add_argument(
    "--dropout", type=float, default=0.1, help="the model's own dropout, in hidden states and attention"
)
parser.add_argument("--repeats", type=int, default=7)
arguments = parser.parse_args()

torch_for(arguments.precision)
encodings = load_tokenizer().encode_batch(full_length_texts(arguments.rows, arguments.tokens))
batch = collate([encoding.ids for encoding in encodings])
assert batch["input_ids"].shape == (arguments.rows, arguments.tokens)
batch |= labelled(TASKS[arguments.task].columns(arguments.rows, arguments.tokens))
labels = len(TASKS[arguments.task].labels)
model = load(arguments.model, labels, arguments.dropout, method=arguments.method, task=arguments.task)
step = stepper(model, arguments.precision)
times = settings.measure(lambda: step(batch), repeats=arguments.repeats)
settings.emit("training step", side=METHODS[arguments.method].side, **vars(arguments) | times)
