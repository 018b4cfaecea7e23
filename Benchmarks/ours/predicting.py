"""From texts to what an adapter's head says of them, in Graft: entities, answers or vectors."""

import argparse

import graft
import settings
from ours.adapted_model import load_model, make_adapter
from tasks import TASKS, predicted_texts

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--task", choices=("tagging", "answering", "embeddings"), default="tagging")
parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
arguments = parser.parse_args()

task = TASKS[arguments.task]
model, tokenizer = load_model("minilm", arguments.precision), graft.Tokenizer(settings.MODELS / "minilm")
adapter = make_adapter(model, task.labels, head=task.head)
session = graft.Session(model, tokenizer, adapter, threads=settings.THREADS)
predict = {"tagging": session.tag, "answering": session.answer, "embeddings": session.embed}[arguments.task]
for rows, tokens in task.shapes:
    columns = tuple(zip(*predicted_texts(arguments.task, rows, tokens)))
    with graft.Batch(tokenizer, columns[0], pairs=columns[1] if columns[1:] else None) as batch:
        assert batch.token_count == rows * tokens
    times = settings.measure(lambda own=columns: predict(*own), warmup=3, repeats=15)
    settings.emit("prediction", side="Graft", **vars(arguments), rows=rows, tokens=tokens, **times)
