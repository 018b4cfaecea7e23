"""Encoder forward on full-length rows: ONNX Runtime (plain or fused graph) or torch.compile in
bfloat16, frozen.
"""

import argparse

import numpy
import settings
from data import full_length_texts
from peers.adapted_model import load_tokenizer
from peers.onnx_states import ONNX_ENGINES, onnx_states

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="minilm")
parser.add_argument("--engine", choices=(*ONNX_ENGINES, "torch-compile-bfloat16"), default="onnx")
arguments = parser.parse_args()


def onnx_runner():
    run = onnx_states(arguments.model, arguments.engine)

    def prepare(ids: list[list[int]]):
        array = numpy.array(ids, dtype=numpy.int64)
        return lambda: run(array, numpy.zeros_like(array))

    return prepare


def compiled_runner():
    torch = settings.prepare_torch()
    import torch._inductor.config as inductor
    from transformers import AutoModel

    inductor.freezing = True
    model = AutoModel.from_pretrained(settings.MODELS / arguments.model, dtype=torch.bfloat16).eval()
    compiled = torch.compile(model, dynamic=False)

    def prepare(ids: list[list[int]]):
        tensor = torch.tensor(ids)
        feed = {
            "input_ids": tensor,
            "attention_mask": torch.ones_like(tensor),
            "token_type_ids": torch.zeros_like(tensor),
        }

        def run():
            with torch.no_grad():
                return compiled(**feed).last_hidden_state

        return run

    return prepare


prepare = compiled_runner() if arguments.engine.startswith("torch") else onnx_runner()
tokenizer = load_tokenizer()
for rows, tokens in settings.INFERENCE_SHAPES:
    run = prepare([encoding.ids for encoding in tokenizer.encode_batch(full_length_texts(rows, tokens))])
    times = settings.measure(run, warmup=3, repeats=9 if rows * tokens > 1000 else 30, at_most_seconds=40)
    settings.emit("encoder", side=arguments.engine, model=arguments.model, rows=rows, tokens=tokens, **times)
