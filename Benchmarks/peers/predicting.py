"""From texts to the likeliest labels of tokens, the likeliest ends of answers, or vectors, in PEFT
or with ONNX Runtime, where the adapter is merged and numpy multiplies by the head.
"""

import argparse

import numpy
import settings
from peers.adapted_model import load, load_tokenizer, torch_for, vectors
from peers.onnx_states import ONNX_ENGINES, onnx_states
from tasks import TASKS, predicted_texts

PRECISIONS = ("medium", "bfloat16")

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--task", choices=("tagging", "answering", "embeddings"), default="tagging")
parser.add_argument("--engine", choices=(*PRECISIONS, *ONNX_ENGINES), default="medium")
arguments = parser.parse_args()
task, tokenizer = TASKS[arguments.task], load_tokenizer()


def encoded(texts: list) -> tuple[list, list]:
    encodings = tokenizer.encode_batch(texts)
    return [own.ids for own in encodings], [own.type_ids for own in encodings]


def onnx_predictor():
    states = onnx_states("minilm", arguments.engine)
    head = numpy.random.default_rng(0).normal(0, 0.02, (384, len(task.labels) or 2)).astype(numpy.float32)

    def predict(texts: list) -> list:
        (found,) = states(*(numpy.array(rows, dtype=numpy.int64) for rows in encoded(texts)))
        if arguments.task == "embeddings":
            means = found.mean(1)
            return (means / numpy.linalg.norm(means, axis=1, keepdims=True)).tolist()
        return (found @ head).argmax(-1 if arguments.task == "tagging" else 1).tolist()

    return predict


def peft_predictor():
    torch = torch_for(arguments.engine)
    adapted = load("minilm", len(task.labels), 0.1, task=arguments.task)
    model = adapted.model if arguments.task == "embeddings" else adapted
    model.eval()

    def outputs(batch: dict) -> list:
        if arguments.task == "embeddings":
            return vectors(model, batch).tolist()
        found = model(**batch)
        if arguments.task == "tagging":
            return found.logits.argmax(-1).tolist()
        return [found.start_logits.argmax(-1).tolist(), found.end_logits.argmax(-1).tolist()]

    def predict(texts: list) -> list:
        ids, types = map(torch.tensor, encoded(texts))
        batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": types}
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=arguments.engine == "bfloat16"):
            return outputs(batch)

    return predict


predict = onnx_predictor() if arguments.engine in ONNX_ENGINES else peft_predictor()
for rows, tokens in task.shapes:
    texts = predicted_texts(arguments.task, rows, tokens)
    inputs = [own if own[1:] else own[0] for own in texts]
    assert all(len(row) == tokens for row in encoded(inputs)[0])
    times = settings.measure(lambda own=inputs: predict(own), warmup=3, repeats=15)
    settings.emit("prediction", side=arguments.engine, **vars(arguments), rows=rows, tokens=tokens, **times)
