"""What nothing can be learned from: an error that says what and where, or a result that is
documented; never a traceback of Python."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED

import graft
from graft.commands.main import main

TINY = SHARED / "models" / "bert-tiny-splade"
MARIAN = SHARED / "models" / "marian-enpt"
CONTEXT = "Anna found the ring."
SIX = ["a b", "c d", "e f", "g h", "i j", "k l"]
LONG = "word " * 700
#: What no float holds.
HUGE = 10**400
QUICK: dict[str, Any] = {"epoch_count": 1}


@pytest.mark.parametrize(
    ("make", "X", "y", "message"),
    [
        (graft.TextClassifier, SIX, ["x"] * 6, "y: expected two classes or more"),
        (graft.TextClassifier, ["a"], ["x"], "y: expected two classes or more"),
        (graft.TextClassifier, SIX, ["x", math.nan] * 3, r"y\[1\]: expected a class"),
        (graft.Regressor, SIX, [1, 2, 3, 4, 5, math.nan], r"y\[5\]: expected finite numbers"),
        (graft.Regressor, SIX, [1, 2, 3, 4, 5, HUGE], r"y\[5\]: expected finite numbers; .*infinity"),
        (graft.Regressor, SIX, [1e300] * 6, "row 0 has target inf"),
        (graft.TokenClassifier, [[], ["a"]], [[], ["O"]], r"X\[0\]: expected words, none of which is empty"),
        (graft.TokenClassifier, [["a"], "b"], [["O"], ["O"]], r"X\[1\]: expected what X\[0\] is"),
        (graft.TokenClassifier, [["a", "b"]], [["O"]], r"y\[0\]: expected 2, one for each word; found 1"),
        (graft.TokenClassifier, [["a"]], ["O"], r"y\[0\]: expected a list of labels or entities; found 'O'"),
        (graft.TokenClassifier, [["a"]], [["O"]], "y: expected two labels or more"),
        (graft.TokenClassifier, ["Anna"], [[]], "y: expected two labels or more, or entities"),
        (graft.TokenClassifier, ["Anna Berg"], [[(0, 9, "PER"), (5, 9, "LOC")]], "overlaps entities"),
        (graft.TokenClassifier, ["Anna"], [[(0, 4)]], "entities: row 0: expected start, end and type"),
        (graft.TokenClassifier, ["Anna"], [["PER"]], "entities: row 0: expected start, end and type"),
        (graft.QuestionAnswerer, [("who?", CONTEXT)], ["Bob"], "answers: 'Bob' is not in the context"),
        (graft.QuestionAnswerer, [("who?", CONTEXT)], [{"text": ["Anna"], "answer_start": [None]}], "expected a number of characters"),
        (graft.QuestionAnswerer, [("", CONTEXT)], ["Anna"], "question: empty"),
        (graft.QuestionAnswerer, [(LONG, CONTEXT)], ["Anna"], "windows of 512 tokens have room for 0"),
        (graft.ChoiceClassifier, [("a", ["b"])], [0], "row 0: choices: expected 2 or more, found 1"),
    ],
)  # fmt: skip
def test_estimators_say_what_they_cannot_learn_from(make: Any, X: Any, y: Any, message: str) -> None:
    with pytest.raises(graft.GraftError, match=message):
        make(TINY, **QUICK).fit(X, y)


def test_estimators_do_what_is_documented_of_the_rest() -> None:
    with pytest.raises(graft.GraftError, match="early_stopping: no part of 2 rows can be held out"):
        graft.Regressor(TINY, early_stopping=True, **QUICK).fit(["a", "b"], [1, 2])
    one = graft.Regressor(TINY, **QUICK).fit([""], [1.0])
    assert math.isfinite(one.predict([""])[0])
    with pytest.raises(graft.GraftError, match=r"sample_weight\[0\]: expected a number, found 'a'"):
        one.score([""], [1.0], sample_weight=["a"])
    classifier = graft.TextClassifier(TINY, **QUICK).fit(SIX, ["x", "y"] * 3)
    assert classifier.score(SIX[:1], ["never seen"]) == 0
    with pytest.warns(UserWarning, match="1 of 1 rows were cut to 512 tokens"):
        classifier.predict([LONG])
    with pytest.warns(UserWarning, match="tokens are unknown"):
        graft.TextGenerator(MARIAN, **QUICK).fit(["Hello."], ["你好世界，今天天气很好"])
    tokenizer = graft.Tokenizer(MARIAN)
    with pytest.warns(UserWarning, match="1 of 1 targets were cut to 8 tokens"):
        graft.Dataset.from_sources(tokenizer, ["Hello."], [LONG], maximum_length=8)


FILES: dict[str, str | bytes] = {
    "good.tsv": "text\tlabel\na b\tx\nc d\ty\n",
    "empty.tsv": "",
    "header.tsv": "text\tlabel\n",
    "blank.tsv": "text\tlabel\n \tx\nb\ty\n",
    "one-class.tsv": "text\tlabel\na\tx\nb\tx\n",
    "one-row.tsv": "text\tlabel\na\tx\n",
    "unseen.tsv": "text\tlabel\na\tx\nb\tz\n",
    "no-label.tsv": "text\tlabel\na\t\nb\ty\n",
    "nan.tsv": "text\tscore\na\tnan\nb\t2\n",
    "mixed.tsv": "text\tlabel\nGrüße\tx\n".encode() + "Köln\ty\n".encode("latin-1"),
    "outside.conll": "a O\nb O\n",
    "answer.jsonl": json.dumps({"question": "who?", "context": CONTEXT, "answers": ["Bob"]}),
    "overlap.jsonl": json.dumps({"text": "Anna Berg", "entities": [[0, 9, "P"], [5, 9, "L"]]}),
    "start.jsonl": json.dumps({"question": "who?", "context": CONTEXT, "answers": [{"text": "Anna", "answer_start": None}]}),
    "huge.jsonl": json.dumps({"text": "a", "target": HUGE}),
    "long-question.jsonl": "\n" + json.dumps({"question": LONG, "context": CONTEXT, "answers": ["Anna"]}),
    "long-question.json": json.dumps({"data": [{"paragraphs": [{"context": CONTEXT, "qas": [{"id": "q7", "question": LONG, "answers": []}]}]}]}),
    "long.jsonl": json.dumps({"source": LONG, "target": "b"}),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for name, content in FILES.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["train", str(TINY), str(folder / "good.tsv"), str(folder / "adapter"), "--epochs", "1", "--quiet"]) == 0
    return folder


@pytest.mark.parametrize(
    ("command", "name", "message"),
    [
        ("train", "empty.tsv", "expected rows, found none"),
        ("evaluate", "header.tsv", "expected rows, found none"),
        ("report", "header.tsv", "expected rows, found none"),
        ("train", "blank.tsv", "line 2: text: empty"),
        ("predict", "blank.tsv", "line 2: text: empty"),
        ("embed", "blank.tsv", "line 2: text: empty"),
        ("train", "one-class.tsv", "one class only, 'x'"),
        ("train", "one-row.tsv", "one class only, 'x'"),
        ("train", "outside.conll", "one tag only, 'O'"),
        ("evaluate", "unseen.tsv", "line 3: label 'z' is not among x, y"),
        ("report", "unseen.tsv", "line 3: label 'z' is not among x, y"),
        ("train", "no-label.tsv", "line 2: label: empty"),
        ("train", "nan.tsv", "line 2: target: expected a finite number, found 'nan'"),
        ("train", "huge.jsonl", f"huge.jsonl: line 1: target: expected a finite number, found {HUGE!r:.60}\n"),
        ("train", "long-question.jsonl", "long-question.jsonl: line 2: windows of 512 tokens have room for 0"),
        ("train", "long-question.json", "long-question.json: question q7: windows of 512 tokens have room for 0"),
        ("train", "mixed.tsv", "line 3: byte 22 is not UTF-8"),
        ("predict", "mixed.tsv", "line 3: byte 22 is not UTF-8"),
        ("embed", "mixed.tsv", "line 3: byte 22 is not UTF-8"),
        ("train", "answer.jsonl", "line 1: answers: 'Bob' is not in the context"),
        ("train", "overlap.jsonl", "line 1: entities: P at 0 to 9 overlaps L at 5 to 9"),
        ("train", "start.jsonl", "line 1: answers: expected a number of characters for answer_start, found None"),
        ("train", "long.jsonl", "no encoder"),
        ("evaluate", "answer.jsonl", "line 1: answers"),
    ],
)
def test_commands_say_what_is_wrong_and_where(
    files: Path, capsys: pytest.CaptureFixture[str], command: str, name: str, message: str
) -> None:
    adapter = {"train": [], "embed": []}.get(command, [str(files / "adapter")])
    more = {"train": [str(files / "new"), "--epochs", "1", "--quiet"], "report": ["--output", str(files / "page.html")]}
    assert main([command, str(TINY), *adapter, str(files / name), *more.get(command, [])]) == 1
    assert message in capsys.readouterr().err and not (files / "new").exists()


def test_what_is_learned_is_not_looked_at_where_it_is_predicted(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("no-label.tsv", "one-row.tsv", "outside.conll"):
        assert main(["predict", str(TINY), str(files / "adapter"), str(files / name)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["evaluate", str(TINY), str(files / "adapter"), str(files / "one-row.tsv")]) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert main(["predict", str(TINY), str(files / "adapter"), str(files / "long.jsonl")]) == 0
