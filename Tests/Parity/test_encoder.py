"""Hidden states and embeddings of the real MiniLM against transformers, in float32, on thirty
texts.
"""

import numpy
import pytest
import torch
from transformers import BertModel

import graft
from conftest import MINILM, TOLERANCE


@pytest.fixture(scope="module")
def reference() -> BertModel:
    return BertModel.from_pretrained(MINILM, dtype=torch.float32, attn_implementation="eager").eval()


@pytest.fixture(scope="module")
def session(minilm, minilm_tokenizer) -> graft.Session:
    return graft.Session(minilm, minilm_tokenizer, maximum_length=512)


@pytest.fixture(scope="module", params=["texts", "pairs"])
def rows(request, minilm_texts) -> list[dict]:
    return [row for row in minilm_texts if (row["pair"] is None) == (request.param == "texts")]


def reference_states(model: BertModel, row: dict) -> list[numpy.ndarray]:
    """Embeddings and each layer's output, [tokens, hidden], of one row alone."""
    with torch.inference_mode():
        output = model(
            input_ids=torch.tensor([row["input_ids"]]),
            token_type_ids=torch.tensor([row["token_type_ids"]]),
            output_hidden_states=True,
        )
    return [state[0].numpy() for state in output.hidden_states]


def texts_and_pairs(rows: list[dict]) -> tuple[list[str], list[str] | None]:
    pairs = [row["pair"] for row in rows]
    return [row["text"] for row in rows], None if pairs[0] is None else pairs


def test_every_layer_of_a_mixed_batch_equals_single_rows_of_transformers(session, reference, rows):
    texts, pairs = texts_and_pairs(rows)
    expected = [reference_states(reference, row) for row in rows]
    for layer in range(7):
        found = session.hidden_states(texts, pairs, layer=layer)
        for row, ours, theirs in zip(rows, found, expected, strict=True):
            difference = numpy.abs(numpy.asarray(ours) - theirs[layer]).max()
            assert difference < TOLERANCE, f"layer {layer}, {row['text'][:40]!r}: {difference}"


@pytest.mark.parametrize("pooling", ["mean", "first", "last"])
def test_embeddings_are_those_of_transformers(session, reference, rows, pooling):
    texts, pairs = texts_and_pairs(rows)
    last = [reference_states(reference, row)[-1] for row in rows]
    pool = {"mean": lambda state: state.mean(0), "first": lambda state: state[0], "last": lambda state: state[-1]}
    expected = numpy.stack([pool[pooling](state) for state in last])
    raw = numpy.asarray(session.embed(texts, pairs, pooling, normalize=False))
    assert numpy.abs(raw - expected).max() < TOLERANCE
    expected /= numpy.linalg.norm(expected, axis=-1, keepdims=True)
    assert numpy.abs(numpy.asarray(session.embed(texts, pairs, pooling)) - expected).max() < TOLERANCE


def test_bfloat16_points_the_same_way(minilm_tokenizer, reference, minilm_texts):
    rows = [row for row in minilm_texts if row["pair"] is None]
    session = graft.Session(graft.Model(MINILM, precision="bfloat16"), minilm_tokenizer, maximum_length=512)
    found = numpy.asarray(session.embed([row["text"] for row in rows]))
    expected = numpy.stack([reference_states(reference, row)[-1].mean(0) for row in rows])
    expected /= numpy.linalg.norm(expected, axis=-1, keepdims=True)
    cosines = (found * expected).sum(-1)
    assert cosines.min() > 0.9995, cosines
