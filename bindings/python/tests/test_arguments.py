"""What callers hand over: whatever holds texts and numbers is taken, and the rest is refused by its
name.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from conftest import LABELS, TEXTS

import graft


class Column:
    """A column of a table, as other libraries have them: it can be iterated, and little else."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def __iter__(self) -> Any:
        return iter(self.values)


@pytest.mark.parametrize("kind", [tuple, numpy.array, iter, Column])
def test_anything_that_gives_texts_and_numbers_is_taken(
    kind: Callable[[list[Any]], Any], session: graft.Session, tokenizer: graft.Tokenizer, model: graft.Model
) -> None:
    assert session.embed(kind(TEXTS), kind(TEXTS[::-1])) == session.embed(TEXTS, TEXTS[::-1])
    assert session.hidden_states(kind(TEXTS)) == session.hidden_states(TEXTS)
    numbers = graft.Dataset(tokenizer, kind(TEXTS), kind([0, 0, 1, 1, 2, 2]), label_names=kind(LABELS))
    names = graft.Dataset(tokenizer, kind(TEXTS), kind(["c", "a", "b", "a", "b", "c"]))
    assert (len(numbers), numbers.label_names, names.label_names) == (6, LABELS, ["a", "b", "c"])
    assert {type(name) for name in names.label_names} == {str}
    adapter = graft.Adapter.create(model)
    adapter.set_head(labels=kind(LABELS))
    with graft.Trainer(model, adapter, class_weights=kind([1, 2, 3])) as trainer:
        assert trainer.evaluate(numbers).row_count == 6
    ids = tokenizer.encode("a text of some words").ids
    assert tokenizer.decode(kind(ids)) == "a text of some words"
    batch = graft.Batch.from_tokens(kind([ids, ids]), type_ids=kind([[0] * len(ids)] * 2), labels=kind([1, 0]))
    assert batch.row_starts == [0, len(ids), 2 * len(ids)]
    batch.set_column("token_labels", kind([ids, ids]))


def test_numbers_of_numpy_are_numbers(model: graft.Model, tokenizer: graft.Tokenizer, session: graft.Session) -> None:
    assert session.hidden_states(["a"], layer=numpy.int64(2)) == session.hidden_states(["a"], layer=2)
    assert len(tokenizer.encode("a b c d", maximum_length=numpy.int16(4)).ids) == 4
    adapter = graft.Adapter.create(model, seed=numpy.uint64(2**64 - 1))
    adapter.set_head(labels=LABELS, dropout=numpy.float32(0.5))
    graft.Trainer(model, adapter, learning_rate=numpy.float64(1e-3), epoch_count=numpy.int64(2), seed=numpy.uint8(3))


def weighted(model: graft.Model, weights: list[Any]) -> graft.Trainer:
    adapter = graft.Adapter.create(model)
    adapter.set_head(labels=["a", "b"])
    return graft.Trainer(model, adapter, class_weights=weights)


Call = Callable[[graft.Model, graft.Tokenizer, graft.Session], object]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, t, s: s.embed("one"), "texts: expected a list of strings, found one str: put it in a list"),
        (lambda m, t, s: s.embed(b"one"), "texts: expected a list of strings, found one bytes: put it in a list"),
        (lambda m, t, s: s.embed(None), "texts: expected a list of strings, found NoneType"),
        (lambda m, t, s: s.embed(["a"] * 600 + [None]), "texts[600]: expected a string, found NoneType"),
        (lambda m, t, s: s.embed(["a"], ["b" "c", b"d"]), "pairs[1]: expected a string, found bytes"),
        (lambda m, t, s: s.classify(["a"], adapters=["path"]), "expected a graft.Adapter, found str"),
        (lambda m, t, s: s.batch_hidden_states(["a"]), "expected a graft.Batch, found list"),
        (lambda m, t, s: s.hidden_states(["a"], layer=1.0), "layer: 'float' object cannot be interpreted as an integer"),
        (lambda m, t, s: t.encode(7), "text: expected a string, found int"),
        (lambda m, t, s: t.decode([101, 7.5]), "ids[1]: expected an integer, found 7.5"),
        (lambda m, t, s: t.decode("101"), "ids: expected a list of integers, found one str: put it in a list"),
        (lambda m, t, s: graft.Session("folder", t), "expected a graft.Model, found str"),
        (lambda m, t, s: graft.Session(m, m), "expected a graft.Tokenizer, found Model"),
        (lambda m, t, s: graft.Session(m, t, "folder"), "expected a graft.Adapter, found str"),
        (lambda m, t, s: graft.Adapter.load("folder", m), "expected a graft.Model, found str"),
        (lambda m, t, s: graft.Adapter.create(m, seed=0.5), "seed: 'float' object cannot be interpreted as an integer"),
        (lambda m, t, s: graft.Adapter.create(m).set_head(labels=[0, 1]), "labels[0]: expected a string, found int"),
        (lambda m, t, s: graft.Batch.from_tokens([[1], 2]), "tokens[1]: expected a list of integers, found int"),
        (lambda m, t, s: graft.Dataset(t, ["a"], [0.5]), "labels[0]: expected an integer, found 0.5"),
        (lambda m, t, s: graft.Dataset(t, ["a"], [None]), "labels[0]: expected an integer, found None"),
        (lambda m, t, s: graft.Dataset(t, ["a"], ["x"], label_names="xy"), "label_names: expected a list of strings"),
        (lambda m, t, s: graft.Adapter.from_files(m, [b"x"]), "files: expected contents by file names, found list"),
        (lambda m, t, s: graft.Tokenizer.from_files({"tokenizer.json": "{}"}), "files['tokenizer.json']: expected bytes, found str"),
        (lambda m, t, s: s.predict_best(["a"], count=1.5), "count: "),
        (lambda m, t, s: graft.Model("folder", threads="2"), "thread_count: 'str' object cannot be interpreted"),
    ],
)
def test_the_wrong_type_is_a_type_error_that_names_the_argument(
    call: Call, message: str, model: graft.Model, tokenizer: graft.Tokenizer, session: graft.Session
) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        call(model, tokenizer, session)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, t, s: s.embed(["a", "b\ud83d"]), r"texts[1]: expected Unicode text, found half a surrogate pair, '\ud83d' at character 1"),
        (lambda m, t, s: graft.Adapter.create(m, "lo\0ra"), "method: a name cannot contain a NUL character"),
        (lambda m, t, s: graft.Adapter.create(m).set_head(labels=["a", "b\0"]), "labels[1]: a name cannot contain a NUL character"),
        (lambda m, t, s: graft.Adapter.from_files(m, {"a\0": b""}), "files: a name cannot contain a NUL character"),
        (lambda m, t, s: graft.Tokenizer.from_files({"../tokenizer.json": b"{}"}), "is no name of a file"),
        (lambda m, t, s: s.predict_best(["a"], count=0), "best_count must be 1 to 1048576, found 0"),
        (lambda m, t, s: s.predict_best(["a"], count=2**70), "count: 1180591620717411303424 is out of range"),
        (lambda m, t, s: s.embed(["a"], pooling=["mean"]), "pooling: expected one of mean, first, last, max, weighted_mean, mean_sqrt_length; found ['mean']"),
        (lambda m, t, s: s.hidden_states(["a"], layer=2**32), "layer: 4294967296 is out of range"),
        (lambda m, t, s: t.encode("a", maximum_length=2**33), "maximum_length: 8589934592 is out of range"),
        (lambda m, t, s: graft.Model("folder", threads=2**32), "thread_count: 4294967296 is out of range"),
        (lambda m, t, s: graft.Adapter.create(m, seed=-1), "seed: -1 is out of range"),
        (lambda m, t, s: graft.Dataset(t, ["a"]), "labels, targets: expected one of the two"),
        (lambda m, t, s: graft.Dataset(t, ["a", "b"], [["x"], "y"]), "labels: expected a list of names for each text"),
        (lambda m, t, s: graft.Dataset(t, ["a"], targets=[10**400]), f"targets[0]: {10**59} is out of range"),
        (lambda m, t, s: graft.Dataset(t, ["a"], [10**5000]), "labels[0]: int of too many digits to show is not a 32-bit integer"),
        (lambda m, t, s: graft.Dataset.from_entities(t, ["a"], [[(0, 10**400, "P")]]), f"entities: row 0 has 0 to {10**59} of a text"),
        (lambda m, t, s: weighted(m, [1, 10**400]), f"class_weights[1]: {10**59} is out of range"),
        (lambda m, t, s: graft.Dataset(t, ["a"], targets=[[]]), "row 0: targets: expected as many numbers in each row, found none"),
        (lambda m, t, s: graft.Dataset(t, ["a", "b"], targets=[[1, 2], [3]]), "row 1: targets: expected as many numbers in each row, found 1, where the first has 2"),
        (lambda m, t, s: graft.Trainer(m, graft.Adapter.create(m), epoch_count=2**32), "epoch_count: 4294967296 is out of range"),
        (lambda m, t, s: graft.Trainer(m, graft.Adapter.create(m), seed=-1), "seed: -1 is out of range"),
        (lambda m, t, s: graft.Dataset(t, ["a", "b"], [0]), "labels: expected 2, one for each text; found 1"),
        (lambda m, t, s: graft.Dataset(t, ["a", "b"], [0, "x"]), "labels: expected numbers or names, found both"),
        (lambda m, t, s: graft.Dataset(t, ["a"], [2], label_names=["x", "y"]), "labels: row 0 has 2; label_names are 0 to 1"),
        (lambda m, t, s: graft.Dataset(t, ["a"], ["x"], label_names=["x", "x"]), "label_names: expected different names"),
        (lambda m, t, s: s.generate(["a"], seed=-1), "seed: -1 is out of range"),
        (lambda m, t, s: s.generate(["a"], maximum_tokens=2**40), "maximum_tokens: 1099511627776 is out of range"),
    ],
)
def test_a_value_that_the_library_would_misread_is_refused(
    call: Call, message: str, model: graft.Model, tokenizer: graft.Tokenizer, session: graft.Session
) -> None:
    with pytest.raises(graft.GraftError, match=re.escape(message)) as caught:
        call(model, tokenizer, session)
    assert caught.value.status is graft.Status.INVALID_ARGUMENT


def test_a_handle_is_not_copied(model: graft.Model) -> None:
    for copied in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="this Model cannot be copied or pickled"):
            copied(model)
