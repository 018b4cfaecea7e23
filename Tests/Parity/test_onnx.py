"""Hidden states of the real MiniLM against ONNX Runtime, which computes them from an exported
graph.
"""

import warnings

import numpy
import onnxruntime
import pytest
import torch
from conftest import MINILM, TOLERANCE
from transformers import BertModel

import graft

NAMES = ["input_ids", "attention_mask", "token_type_ids"]


class LastHiddenState(torch.nn.Module):
    def __init__(self, model: BertModel):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> onnxruntime.InferenceSession:
    path = tmp_path_factory.mktemp("onnx") / "minilm.onnx"
    model = BertModel.from_pretrained(MINILM, dtype=torch.float32, attn_implementation="eager").eval()
    example = torch.ones((2, 16), dtype=torch.int64)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LastHiddenState(model),
            (example, example, torch.zeros_like(example)),
            path,
            input_names=NAMES,
            output_names=["hidden"],
            dynamic_axes={name: {0: "rows", 1: "tokens"} for name in [*NAMES, "hidden"]},
            opset_version=17,
            dynamo=False,
        )
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_a_mixed_batch_equals_single_rows_of_onnx_runtime(exported, minilm, minilm_tokenizer, minilm_texts):
    session = graft.Session(minilm, minilm_tokenizer)
    with graft.Batch.from_tokens(
        [row["input_ids"] for row in minilm_texts], type_ids=[row["token_type_ids"] for row in minilm_texts]
    ) as batch:
        found = session.batch_hidden_states(batch)
    for row, ours in zip(minilm_texts, found, strict=True):
        ids = numpy.array([row["input_ids"]])
        types = numpy.array([row["token_type_ids"]])
        feed = dict(zip(NAMES, (ids, numpy.ones_like(ids), types), strict=True))
        (expected,) = exported.run(None, feed)
        difference = numpy.abs(numpy.asarray(ours) - expected[0]).max()
        assert difference < TOLERANCE, f"{row['text'][:40]!r}: {difference}"
