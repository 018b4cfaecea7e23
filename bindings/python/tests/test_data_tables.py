"""Tables: from what they are made, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from conftest import LABELS, TEXTS

import graft

ROWS = {"text": TEXTS, "label": [LABELS[row // 2] for row in range(6)]}


def nested(depth: int) -> list[Any]:
    """Lists in lists."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


class Names:
    """As `datasets` has a ClassLabel."""

    def __init__(self, names: list[str]) -> None:
        self.names = names


class ListOf:
    """As it has a list of them."""

    def __init__(self, feature: Any) -> None:
        self.feature = feature


class Split:
    """As it has one split, or a stream of one."""

    def __init__(self, rows: list[dict[str, Any]], features: dict[str, Any] | None) -> None:
        self._rows, self.features = rows, features
        self.column_names = list(rows[0]) if features is not None else None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows)


class Frame:
    """As Polars has one."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self.columns, self._lists = list(columns), list(columns.values())

    def iter_rows(self) -> Iterator[tuple[Any, ...]]:
        return zip(*self._lists)


@pytest.mark.parametrize(
    "source",
    [
        ROWS,
        pandas.DataFrame(ROWS),
        pandas.DataFrame(ROWS, index=list("uvwxyz")).astype({"label": "category"}),
        Frame(ROWS),
        Split(
            [{"text": text, "label": row // 2} for row, text in enumerate(TEXTS)],
            {"text": None, "label": Names(LABELS)},
        ),
        Split([{"text": text, "label": LABELS[row // 2]} for row, text in enumerate(TEXTS)], None),
        [dict(zip(ROWS, row)) for row in zip(*ROWS.values())],
        (dict(zip(ROWS, row)) for row in zip(*ROWS.values())),
        zip(*ROWS.values()),
        {name: numpy.array(values) for name, values in ROWS.items()},
    ],
)
def test_whatever_holds_rows_gives_a_table(source: Any) -> None:
    table = graft.Table.read(source)
    assert {name: table[name] for name in table.columns} == ROWS and len(table) == 6
    assert table.place(2).endswith(": row 2") and table.label_names == sorted(LABELS)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (pandas.DataFrame({"text": ["a", None], "label": [1, 2]}), "DataFrame: row 1: text: missing"),
        (pandas.DataFrame({"text": ["a", "b"], "label": [1, None]}), "DataFrame: row 1: label: missing"),
        (pandas.DataFrame({"text": ["a", "b"], "score": [1, None]}), r"row 1: target: missing \(NaN\)"),
        ({"text": ["a"], "target": [10**400]}, "row 0: target: expected a finite number, found 10{59}$"),
        ({"text": ["a"], "target": [[1, -(10**400)]]}, "row 0: target: expected a finite number, found -10{58}$"),
        ({"text": ["a"], "candidates": [["b"]], "relevance": [[10**400]]}, "row 0: relevance: expected a finite number, found 10{59}$"),
        ({"text": ["a"], "label": [nested(100_000)]}, "row 0: label: maximum recursion depth"),
        ({"text": ["a"], "candidates": [["b"]], "right": [10**400]}, "row 0: right: expected a finite number, found 10{59}$"),
        ({"text": ["a"], "candidates": [["b"]], "right": [2**200]}, f"row 0: right: expected 0 to 0, found {2**200 // 10}$"),
        ({"text": ["a"], "entities": [[(0, 10**400, "P")]]}, "row 0: entities: 0 to 10{59} of a text of 1 characters"),
        (pandas.DataFrame({"text": ["a", "b"], "score": [numpy.inf, 1]}), "row 0: target: expected a finite number, found inf"),
        (pandas.DataFrame({"x": ["a"], "y": [1]}), "columns are 'x', 'y', none of which is known"),
        (Split([{"text": "a", "label": -1}], {"label": Names(["x"])}), r"row 0: label: -1 stands for none of 1 names \(a missing value\)"),
        ([("a", "x"), ("b",)], "rows: row 1: expected a row as the first, found one of 1 values"),
        ([{"text": "a"}, ("b", "x")], "row 1: expected a row as the first, found one of 2 values"),
        (["a", "b"], "row 0: expected values by their names, or a tuple of them; found str"),
        ({"text": ["a"], "label": []}, "expected columns of one length, found text: 1, label: 0"),
    ],
)  # fmt: skip
def test_bad_rows_of_tables_are_named(source: Any, message: str) -> None:
    with pytest.raises(graft.GraftError, match=message):
        graft.Table.read(source)


def test_what_is_no_table_is_refused() -> None:
    for source, message in (
        (7, "expected a path, a table or an iterable of rows, found int"),
        ({"train": Split([{"a": 1}], {})}, "found several splits: give one of 'train'"),
    ):
        with pytest.raises(TypeError, match=message):
            graft.Table.read(source)
    with pytest.raises(graft.GraftError, match="columns: expected some of text, .*; found 'texts'"):
        graft.Table({"texts": ["a"]})
    with pytest.raises(graft.GraftError, match="rows: row 1: text: empty"):
        graft.Table({"text": ["a", " "]})
    with pytest.raises(graft.GraftError, match="no column 'pair', but text, label"):
        graft.Table(ROWS)["pair"]


def losses(model: graft.Model, dataset: graft.Dataset) -> float:
    adapter = graft.Adapter.create(model, seed=1)
    adapter.set_head(labels=dataset.label_names)
    with graft.Trainer(model, adapter) as trainer:
        return trainer.evaluate(dataset).loss


def test_a_data_set_of_a_table_is_that_of_its_columns(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    table = graft.Table(ROWS)
    rows = graft.Dataset.from_table(tokenizer, table)
    assert rows.label_names == sorted(LABELS) == table.label_names
    assert losses(model, rows) == losses(model, graft.Dataset(tokenizer, TEXTS, ROWS["label"]))
    # Labels are numbered alike, whatever the order of the rows.
    assert graft.Dataset.from_table(tokenizer, table.take([5, 1, 2, 4, 3, 0])).label_names == rows.label_names
    parts = graft.Dataset.from_table(
        tokenizer, [table.take([0, 1]), table.take([2, 3, 4, 5])], label_names=table.label_names
    )
    assert len(parts) == 6 and losses(model, parts) == losses(model, rows)


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"text": ["a b", "c d"], "pair": ["e", "f"], "label": [1, 0]}, ["0", "1"]),
        ({"text": ["a b", "c d"], "labels": [["x", "y"], []]}, ["x", "y"]),
        ({"text": ["a b", "c d"], "target": [1, 0.5]}, []),
        ({"words": [["a", "b"], ["c"]], "tags": [["B-X", "I-X"], ["O"]]}, ["B-X", "I-X", "O"]),
        ({"text": ["a b", "c d"], "entities": [[(0, 1, "X")], []]}, ["O", "B-X", "I-X"]),
    ],
)
def test_columns_say_the_task(tokenizer: graft.Tokenizer, columns: dict[str, Any], names: list[str]) -> None:
    rows = graft.Dataset.from_table(tokenizer, graft.Table(columns))
    assert (len(rows), rows.label_names) == (2, names)


def test_a_training_on_a_stream_is_that_on_its_rows(
    model: graft.Model, tokenizer: graft.Tokenizer, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in zip(TEXTS * 3, ROWS["label"] * 3))
    )
    whole = graft.Table.read(path)
    assert [len(part) for part in graft.Table.stream(path, 5)] == [5, 5, 5, 3]
    assert [text for part in graft.Table.stream(path, 7) for text in part["text"]] == whole["text"]
    results = []
    for parts in (graft.Table.stream(path, 6), [whole.take(range(start, start + 6)) for start in (0, 6, 12)]):
        adapter = graft.Adapter.create(model, seed=1)
        adapter.set_head(labels=whole.label_names)
        with graft.Trainer(model, adapter, total_steps=3) as trainer:
            results.append(
                [
                    trainer.step(graft.Batch.from_table(tokenizer, part, label_names=whole.label_names)).loss
                    for part in parts
                ]
            )
    assert results[0] == results[1] and results[0][2] < results[0][0]


def test_a_stream_says_what_it_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\na,x\n,y\nb,y\n,x\nc,y\n,z\n")
    with pytest.warns(UserWarning, match="3 of 6 rows were left out, the first for .*rows.csv: line 3: text: empty"):
        parts = list(graft.Table.stream(path, 2, bad_rows="skip"))
    assert [(part["text"], len(part.skipped)) for part in parts] == [(["a", "b"], 1), (["c"], 2)]


def test_a_stream_reads_no_further_than_it_must() -> None:
    read = 0

    def rows() -> Iterator[dict[str, str]]:
        nonlocal read
        while True:
            read += 1
            yield {"text": f"text {read}", "label": "ab"[read % 2]}

    stream = graft.Table.stream(rows(), 10)
    assert next(stream)["text"][0] == "text 1" and next(stream)["text"][-1] == "text 20" and read <= 1000
    for _ in range(300):
        next(stream)
    assert read == 3020


def test_labels_that_training_has_not_seen_are_named_with_their_line(
    tokenizer: graft.Tokenizer, tmp_path: Path
) -> None:
    path = tmp_path / "test.tsv"
    path.write_text("text\tlabel\na\tx\nb\tz\nc\tw\n")
    with pytest.raises(graft.GraftError, match="test.tsv: line 3: label 'z' is not among x, y; nor are 1 more labels"):
        graft.Dataset.from_table(tokenizer, graft.Table.read(path), label_names=["x", "y"])
    tags = graft.Table({"words": [["a"], ["b"]], "tags": [["O"], ["B-X"]]})
    with pytest.raises(graft.GraftError, match="row 1: label 'B-X' is not among O"):
        graft.Dataset.from_table(tokenizer, tags, label_names=["O"])


def test_poor_data_has_documented_results(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    one_class = graft.Table({"text": ["a", "b"], "label": ["x", "x"]})
    with pytest.raises(graft.GraftError, match="one class only, 'x': there is nothing to tell apart"):
        graft.Dataset.from_table(tokenizer, one_class)
    assert len(graft.Dataset.from_table(tokenizer, one_class, label_names=["x", "y"])) == 2
    with pytest.raises(graft.GraftError, match="no row has a label"):
        graft.Dataset.from_table(tokenizer, graft.Table({"text": ["a"], "labels": [[]]}))
    with pytest.raises(graft.GraftError, match="nothing to learn: expected one of tags, .*; found text"):
        graft.Dataset.from_table(tokenizer, graft.Table({"text": ["a"]}))
    with pytest.raises(graft.GraftError, match="rows: it has no rows"):
        graft.Dataset.from_table(tokenizer, graft.Table({"text": [], "label": []}))
    with pytest.raises(graft.GraftError, match="label_names: expected names, since each of several"):
        graft.Dataset.from_table(tokenizer, [graft.Table(ROWS)])
    with pytest.raises(graft.GraftError, match="row 1: entities: X at 0 to 3 overlaps Y at 2 to 4"):
        graft.Dataset.from_table(
            tokenizer, graft.Table({"text": ["a", "abcd"], "entities": [[], [(0, 3, "X"), (2, 4, "Y")]]})
        )
    one = graft.Dataset.from_table(tokenizer, graft.Table(ROWS).take([0]), label_names=LABELS)
    adapter = graft.Adapter.create(model, seed=1)
    adapter.set_head(labels=LABELS)
    with graft.Trainer(model, adapter, epoch_count=1) as trainer:
        assert trainer.fit(one, progress=False).row_count == 1


def test_weights_make_classes_count_alike() -> None:
    # What scikit-learn 1.9 gives for compute_class_weight("balanced", …).
    assert graft.class_weights(["a"] * 6 + ["b"] * 2) == [8 / 12, 2.0]
    assert graft.class_weights([0, 1, 1, 1], ["x", "y"]) == [2.0, 4 / 6]
    assert graft.class_weights(["b", "a", "b"], ["b", "a"]) == [0.75, 1.5]
    with pytest.raises(graft.GraftError, match="class 'c' has no row"):
        graft.class_weights(["a", "b"], ["a", "b", "c"])
    with pytest.raises(graft.GraftError, match="label 'b' is not among them"):
        graft.class_weights(["a", "b"], ["a"])
