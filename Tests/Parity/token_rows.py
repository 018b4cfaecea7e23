"""What Graft makes of rows of token ids, without a tokenizer of their own."""

from ctypes import byref, c_float, c_int64

import numpy

import graft
from conftest import SHARED
from graft.library import lib


def session(model: graft.Model, adapter: graft.Adapter | None = None) -> graft.Session:
    return graft.Session(model, graft.Tokenizer(SHARED / "models" / "stories260K" / "hf"), adapter, threads=1)


def hidden_states(model: graft.Model, rows: list[list[int]], adapter: graft.Adapter | None = None) -> numpy.ndarray:
    """The last layer's, of all tokens end to end."""
    found = session(model, adapter).batch_hidden_states(graft.Batch.from_tokens(rows))
    return numpy.concatenate([numpy.asarray(states) for states in found])


def classify(
    model: graft.Model, rows: list[list[int]], adapter: graft.Adapter | None = None, per_token: bool = False
) -> numpy.ndarray:
    """[rows, labels], or [tokens, labels]."""
    numbers, columns = (c_float * (64 * sum(map(len, rows))))(), c_int64()
    with session(model, adapter) as running, graft.Batch.from_tokens(rows) as batch:
        lib.graft_session_classify(running.pointer, batch.pointer, numbers, len(numbers), byref(columns))
    lines = sum(map(len, rows)) if per_token else len(rows)
    return numpy.array(numbers[: lines * columns.value]).reshape(lines, columns.value)


def language_loss(model: graft.Model, rows: list[list[int]], adapter: graft.Adapter) -> float:
    """The mean loss of each next token."""
    batch = graft.Batch.from_tokens(rows)
    batch.set_column("token_labels", rows)
    with graft.Trainer(model, adapter, threads=1) as trainer:
        return trainer.evaluate(graft.Dataset.from_batch(batch)).loss
