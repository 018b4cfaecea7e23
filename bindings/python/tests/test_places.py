"""What is wrong with a row says where the row stands, whatever task finds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED
from test_command_line import TINY, run

import graft
from graft.table_tasks.listed import task_of

STORIES = SHARED / "models" / "stories260K" / "hf"
MARIAN = SHARED / "models" / "marian-enpt"
TEXT = "The quick brown fox."
LONG = " ".join(["word"] * 600)
CHOICES = {"text": TEXT, "candidates": ["a", "b"], "right": 0}
RANKED = {"text": TEXT, "candidates": ["a", "b"], "relevance": [1, 0]}


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ([{"text": TEXT, "label": name} for name in "ab"], {"label_names": ["a"]}, "label 'b' is not among a"),
        ([{"text": TEXT, "labels": [name]} for name in "ab"], {"label_names": ["a"]}, "label 'b' is not among a"),
        ([{"words": ["a"], "tags": [tag]} for tag in "OX"], {"label_names": ["O"]}, "label 'X' is not among O"),
        (
            [{"text": TEXT, "entities": []}, {"text": TEXT, "entities": [[0, 3, "X"]]}],
            {"label_names": ["O", "B-Y", "I-Y"]},
            'entities[0] is of type "X"; the labels have Y',
        ),
        (
            [{"text": TEXT, "target": [1, 2]}, {"text": TEXT, "target": 1}],
            {},
            "targets: expected as many numbers in each row, found 1, where the first has 2",
        ),
        ([CHOICES, {**CHOICES, "candidates": ["a"]}], {}, "choices: expected 2 or more, found 1"),
        (
            [{"text": TEXT, "pair": "a", "target": 1}, {"text": TEXT, "pair": "b", "target": [1, 2]}],
            {"task": "ranking"},
            "target: expected one number, found 2",
        ),
        (
            [{"text": TEXT, "pair": "a", "target": 1}, {"text": TEXT, "pair": "b", "target": [1, 2]}],
            {"task": "sentence_embedding"},
            "target: expected one number, found 2",
        ),
        (
            [{"question": question, "context": "Anna.", "answers": ["Anna"]} for question in ("Who?", LONG)],
            {},
            "windows of 512 tokens have room for 0 of the second text",
        ),
    ],
)  # fmt: skip
def test_rows_that_no_task_can_take_are_named(
    tmp_path: Path, rows: list[dict[str, Any]], settings: dict[str, Any], message: str
) -> None:
    file = written(tmp_path / "rows.jsonl", *rows)
    tokenizer = graft.Tokenizer(TINY)
    for make in (graft.Dataset.from_table, graft.Batch.from_table):
        with pytest.raises(graft.GraftError) as error:
            make(tokenizer, graft.Table.read(file), **settings)
        assert str(error.value).startswith(f"{file}: line 2: {message}")


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ({"label": "a"}, {"label": None}, "label: missing"),
        ({"labels": ["a"]}, {"labels": [None]}, "labels: missing"),
        ({"target": 1}, {"target": float("nan")}, "target: missing (NaN)"),
        ({"pair": "a", "target": 1}, {"pair": None, "target": 1}, "pair: missing"),
        ({"candidates": ["a"], "relevance": [1]}, {"candidates": ["a"], "relevance": [None]}, "relevance: missing"),
        ({"candidates": ["a"], "right": 0}, {"candidates": ["a"], "right": 1}, "right: expected 0 to 0, found 1"),
    ],
)  # fmt: skip
def test_missing_and_wrong_values_are_named(
    tmp_path: Path, good: dict[str, Any], bad: dict[str, Any], message: str
) -> None:
    file = written(tmp_path / "rows.jsonl", {"text": TEXT, **good}, {"text": TEXT, **bad})
    assert f"rows.jsonl: line 2: {message}" in run("train", TINY, file, tmp_path / "a", code=1).stderr


@pytest.mark.parametrize(
    ("folder", "rows"),
    [
        (MARIAN, [{"source": TEXT, "output": "a"}, {"source": LONG, "output": "a"}]),
        (STORIES, [{"prompt": TEXT, "completion": "a"}, {"prompt": LONG, "completion": "a"}]),
    ],
)
def test_rows_that_a_trainer_refuses_are_named(tmp_path: Path, folder: Path, rows: list[dict[str, Any]]) -> None:
    model, tokenizer = graft.Model(folder), graft.Tokenizer(folder)
    good, bad = written(tmp_path / "good.jsonl", rows[0]), written(tmp_path / "bad.jsonl", *rows)
    tables = [graft.Table.read(path) for path in (good, bad)]
    short = graft.Dataset.from_table(tokenizer, tables[0])
    long = graft.Dataset.from_table(tokenizer, tables[1], maximum_length=4000)
    adapter = graft.Adapter.create(model)
    adapter.set_head(task_of(tables[0]).task)
    message = rf"^{bad}: line 2 has \d+ tokens; the model takes at most 512"
    with graft.Trainer(model, adapter, epoch_count=1) as trainer:
        for call in (
            lambda: trainer.fit(long, progress=False),
            lambda: trainer.fit(short, long, progress=False),
            lambda: trainer.evaluate(long),
        ):
            with pytest.raises(graft.GraftError, match=message):
                call()
        # What comes from no table has no place.
        if folder == STORIES:
            with pytest.raises(graft.GraftError, match=r"^the training set: row 1 has \d+ tokens"):
                texts = zip(*[tuple(row.values()) for row in rows])
                plain = graft.Dataset.from_prompts(tokenizer, *texts, maximum_length=4000)
                trainer.fit(plain, progress=False)
    shown = run("train", folder, bad, tmp_path / "a", "--maximum-length", 4000, "--quiet", code=1).stderr
    assert f"{bad}: line 2 has " in shown


def test_data_sets_know_where_their_rows_stand(tmp_path: Path) -> None:
    tokenizer = graft.Tokenizer(TINY)

    def places(task: str | None, *rows: dict[str, Any], **settings: Any) -> list[str]:
        table = graft.Table.read(written(tmp_path / "a.jsonl", *rows))
        made = graft.Dataset.from_table(tokenizer, table, task=task, **settings)
        return [str(made.place(row)).removeprefix(f"{tmp_path / 'a.jsonl'}: line ") for row in range(len(made))]

    assert places(None, CHOICES, {**CHOICES, "candidates": ["a", "b", "c"]}) == list("11222")
    assert places(None, RANKED, RANKED) == list("1122")
    pairs = [{"text": text, "pair": "b", "target": 1} for text in ("one", "two", "one")]
    assert places("ranking", *pairs) == list("132") and places("sentence_embedding", *pairs) == list("112233")
    tagged = [{"text": LONG, "entities": [[0, 4, "X"]]}, {"text": TEXT, "entities": []}]
    assert places(None, *tagged, maximum_length=400, stride=16) == list("112")
    asked = [{"question": "Who?", "context": context, "answers": []} for context in (LONG, "Anna")]
    assert places(None, *asked, maximum_length=400, stride=16) == list("112")
    assert set(places("masked_language_model", {"text": TEXT}, mask_each=True)) == {"None"}
    parts = graft.Table.stream(written(tmp_path / "b.jsonl", *[{"text": TEXT, "label": name} for name in "abab"]), 2)
    rows = graft.Dataset.from_table(tokenizer, parts, label_names=["a", "b"])
    assert [rows.place(row) for row in range(4)] == [f"{tmp_path / 'b.jsonl'}: line {line}" for line in range(1, 5)]


def test_rows_of_a_session_keep_their_numbers_across_calls() -> None:
    # To this tokenizer an empty text has no token, and "!" is one that every model has.
    model, tokenizer = graft.Model(STORIES), graft.Tokenizer(SHARED / "tokenizers" / "gpt2")
    texts = ["!"] * 700 + [""]
    with graft.Session(model, tokenizer) as session:
        for call in (session.embed, session.hidden_states):
            with pytest.raises(graft.GraftError, match="^row 700: the text has no tokens"):
                call(texts)


def test_lines_that_are_predicted_on_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).symlink_to(STORIES / name)
    (folder / "tokenizer.json").symlink_to(SHARED / "tokenizers" / "gpt2" / "tokenizer.json")
    lines = "!\n" * 600 + "\n!\n"
    assert "standard input: line 601: the text has no tokens" in run("embed", folder, given=lines, code=1).stderr
    (tmp_path / "texts").write_text(lines)
    assert "texts: line 601: the text has no tokens" in run("embed", folder, tmp_path / "texts", code=1).stderr
    shown = run("embed", folder, given="a\tb\nc\n", code=1).stderr
    assert "standard input: line 2: expected 2 columns, as in line 1; found 1 columns" in shown
