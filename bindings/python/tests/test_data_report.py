"""The report before a training: what it counts, and what it warns of."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED

import graft


def table(rows: list[tuple[str, str]]) -> graft.Table:
    return graft.Table({"text": [text for text, _ in rows], "label": [label for _, label in rows]})


TRAIN = table(
    [("one word", "a"), ("One  Word ", "b"), ("two words", "a"), ("two words", "a"), ("four of them here", "c")]
    + [("x" + str(i), "a") for i in range(20)]
)


def test_a_report_counts(tokenizer: graft.Tokenizer) -> None:
    report = graft.data_report(
        tokenizer,
        {"train": TRAIN, "test": table([("ONE word", "a"), ("two words", "d"), ("new", "a")])},
        maximum_length=5,
    )
    train, test = report.parts["train"], report.parts["test"]
    assert train.classes == {"a": 23, "b": 1, "c": 1} and train.imbalance == 23
    assert (train.duplicate_count, train.near_duplicate_count, train.conflict_count) == (1, 2, 1)
    assert train.lengths[100] == 6 and train.cut_row_count == 1 and train.maximum_length == 5
    (overlap,) = report.overlaps
    assert (overlap.part, overlap.other, overlap.row_count, overlap.near_row_count) == ("test", "train", 1, 2)
    assert (test.row_count, test.near_duplicate_count) == (3, 0)
    text = str(report)
    for part in (
        "train: 25 rows of text, label",
        "3, the most frequent 23.0 times the rarest",
        "a       23  92.0 %",
        "1 rows cut at 5",
        "1 of 25 rows are longer than 5 tokens and will be cut: rows: row 4",
        "1 rows say what another says and have another label: rows: row 0, row 1",
        "2 of 3 classes have fewer than 5 rows: b, c",
        "graft.class_weights evens that out",
        "test: 1 labels do not occur in train: d; rows: row 1",
        "test: 2 of its rows are in train as well",
    ):
        assert part in text
    assert json.loads(json.dumps(report.to_dict()))["parts"]["train"]["lengths"]["100"] == 6


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"text": ["a"], "label": ["x"]}, "it has one row"),
        ({"text": ["a", "b"], "label": ["x", "x"]}, "one class only, 'x'"),
        ({"words": [["a"], ["b", "c"]], "tags": [["O"], ["O", "O"]]}, "one class only, 'O'"),
        ({"text": ["a", "b"], "labels": [["x"], ["x"]]}, "one class only, 'x'"),
        ({"text": ["a", "b"], "labels": [[], []]}, "no row has a label"),
        ({"text": ["a", "b"], "entities": [[], []]}, "no row has an entity"),
        ({"text": ["a", "b"], "target": [1, 1]}, "all targets are 1.0"),
        ({"text": ["ꙮꙮ ꙮꙮ", "ꙮ"], "target": [1, 2]}, "% of the tokens are unknown"),
        (
            {"text": ["ꙮ", *["plain words that are known"] * 20], "target": range(21)},
            "1 rows are unknown to the tokenizer for more than a fifth: rows: row 0",
        ),
        (
            {"text": [f"text {i}" for i in range(40)], "label": [f"{i / 10}" for i in range(40)]},
            "the labels are 40 numbers: columns={'target'",
        ),
        ({"text": [], "label": []}, "it has no rows"),
        (
            {"words": [["a", "b"], ["a", "b"]], "tags": [["O", "O"], ["O", "B-X"]]},
            "have another tags: rows: row 0, row 1",
        ),
    ],
)
def test_a_report_says_what_to_look_at(tokenizer: graft.Tokenizer, columns: dict[str, Any], problem: str) -> None:
    report = graft.data_report(tokenizer, graft.Table(columns))
    assert any(problem in own for own in report.problems), report.problems
    assert problem in str(report)


def test_a_report_of_good_data_finds_no_problems(tokenizer: graft.Tokenizer) -> None:
    rows = table([(f"text {i}", "ab"[i % 2]) for i in range(20)])
    train, test = rows.split(0.4, stratify="label")
    report = graft.data_report(tokenizer, {"train": train, "test": test})
    assert report.problems == [] and "none found" in str(report) and report.overlaps == []
    for columns in ({"labels": [["a"], []]}, {"entities": [[(0, 3, "P")], []]}):
        assert graft.data_report(tokenizer, graft.Table({"text": ["one", "two"], **columns})).problems == []


@pytest.mark.parametrize(
    ("column", "trained", "other"),
    [
        ("label", "P", "Q"),
        ("labels", ["P"], ["P", "Q"]),
        ("tags", ["O"], ["Q"]),
        ("entities", [(0, 4, "P")], [(0, 3, "Q")]),
    ],
)
def test_labels_that_training_does_not_see_are_said(
    tokenizer: graft.Tokenizer, column: str, trained: Any, other: Any
) -> None:
    def rows(*values: Any) -> graft.Table:
        texts = [f"text{row}" for row in range(len(values))]
        return graft.Table({**({"words": [[own] for own in texts]} if column == "tags" else {"text": texts}), column: values})

    report = graft.data_report(tokenizer, {"train": rows(trained), "test": rows(trained, other)})
    assert "test: 1 labels do not occur in train: Q; rows: row 1" in report.problems
    assert not any("do not occur" in own for own in graft.data_report(tokenizer, {"train": rows(trained)}).problems)


def test_rows_that_were_left_out_are_counted(tokenizer: graft.Tokenizer) -> None:
    with pytest.warns(UserWarning, match="1 of 3 rows were left out"):
        rows = graft.Table.read([("a", "x"), ("", "y"), ("b", "y")], bad_rows="skip")
    report = graft.data_report(tokenizer, rows)
    assert report.parts["data"].skipped_count == 1 and "rows: row 1: text: empty" in report.problems[0]


def test_unknown_tokens_are_found_row_by_row(tokenizer: graft.Tokenizer) -> None:
    for every in (1, 3, 300):  # many and few
        texts = [f"row {i} ꙮ" if i % every == 0 else f"row {i}" for i in range(1500)]
        part = graft.data_report(tokenizer, graft.Table({"text": texts})).parts["data"]
        unknown = [text.endswith("ꙮ") for text in texts]
        assert part.unknown_token_count == sum(unknown)


def test_what_is_no_table_is_refused(tokenizer: graft.Tokenizer) -> None:
    for tables in ({}, {"train": [1]}):
        with pytest.raises(graft.GraftError, match="expected a graft.Table"):
            graft.data_report(tokenizer, tables)  # type: ignore[arg-type]


def test_texts_that_cannot_be_written_are_said() -> None:
    lines = (SHARED / "data" / "tatoeba_en_zh" / "cmn.txt").read_text("utf-8").splitlines()[:200]
    english, chinese = zip(*(line.split("\t")[:2] for line in lines))
    report = graft.data_report(graft.Tokenizer(SHARED / "models" / "marian-enpt"), graft.Table({"source": english, "output": chinese}))
    (problem,) = [problem for problem in report.problems if "output" in problem]
    assert problem.startswith("data: ") and problem.endswith("% of the tokens of output are unknown to this tokenizer: it cannot write them")


def test_rows_are_as_long_as_what_a_model_reads_or_writes_of_them(folder: Path, tokenizer: graft.Tokenizer) -> None:
    """What is said to be cut is what training cuts."""
    long = "and then it was over " * 4
    stories, marian = (graft.Tokenizer(SHARED / "models" / name) for name in ("stories260K/hf", "marian-enpt"))
    chat = graft.Tokenizer(folder.parent / "smollm2-135m-instruct.gguf")
    said = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": long}]
    cases: list[tuple[graft.Tokenizer, dict[str, Any], int]] = [
        (stories, {"prompt": ["It rained", "It rained"], "completion": ["today.", long]}, 1),
        (stories, {"prompt": ["It rained", "It rained"], "chosen": ["today.", "a bit."], "rejected": ["so.", long]}, 1),
        (chat, {"prompt": ["Hi."], "completion": [long]}, 1),
        (chat, {"messages": [said]}, 1),
        (marian, {"source": ["Hello.", "Hello."], "output": ["Ola.", long]}, 1),
        (tokenizer, {"text": ["What?", "What?"], "candidates": [["this", "that"], ["this", long]], "right": [0, 1]}, 1),
        (tokenizer, {"text": ["What?"], "candidates": [["this", "that"]], "relevance": [[1, 0]]}, 0),
    ]
    for own, columns, count in cases:
        table = graft.Table(columns)
        report = graft.data_report(own, table, maximum_length=14)
        assert report.parts["data"].cut_row_count == count, columns
        assert any("will be cut" in problem for problem in report.problems) == bool(count)
        longest = report.parts["data"].lengths[100]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            graft.Dataset.from_table(own, table, maximum_length=longest)
        if count:
            with pytest.warns(UserWarning, match="were cut"):
                graft.Dataset.from_table(own, table, maximum_length=longest - 1)


def test_texts_with_tags_and_contexts_are_read_in_windows(tokenizer: graft.Tokenizer) -> None:
    long = "the plants were watered by Mara " * 4
    tables = {
        "tags": graft.Table({"words": [long.split()], "tags": [["O"] * len(long.split())]}),
        "entities": graft.Table({"text": [long], "entities": [[(27, 31, "PER")]]}),
        "answers": graft.Table({"question": ["Who?"], "context": [long], "answers": [["Mara"]]}),
        "labels": graft.Table({"text": [long], "label": ["a"]}),
    }
    for name, table in tables.items():
        report = graft.data_report(tokenizer, table, maximum_length=12)
        part = report.parts["data"]
        assert part.cut_row_count == 1 and part.has_windows == (name != "labels"), name
        assert any("will be cut" in problem for problem in report.problems) == (name == "labels"), name
        assert ("1 rows in windows of 12" in str(report)) == (name != "labels"), name
