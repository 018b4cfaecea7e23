"""Files of texts: what was written is read, and what is wrong is named with its place."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED

import graft

read = graft.Table.read
#: Lists in lists, more than Python follows.
NESTED = "[" * 100_000


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_as_pythons_module_writes_it(tmp_path: Path, seed: int, line_end: str, delimiter: str) -> None:
    chance = random.Random(seed)
    texts = ["".join(chance.choices('ab,;\t"\n\r é学', k=chance.randint(1, 12))) + "x" for _ in range(30)]
    rows = [[text, chance.choice("pq"), chance.choice(texts)] for text in texts]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=line_end).writerows(
        [["sentence1", "label", "sentence2"], *rows]
    )
    table = read(written(tmp_path / "table.csv", file.getvalue()), delimiter=delimiter, quoted=True)
    assert [[row["text"], row["label"], row["pair"]] for row in table] == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"])
@pytest.mark.parametrize("is_said", [False, True])
def test_encodings_give_the_same_rows(tmp_path: Path, encoding: str, is_said: bool) -> None:
    text = 'text,label\n"学习,\n好Ċ上",a\r\n二,b\n'  # U+0A0A and U+010A hold the byte of a line's end
    path = written(tmp_path / "table.csv", text.replace("Ċ", "\u0a0a\u010a").encode(encoding))
    if is_said or encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        table = read(path, encoding=encoding if is_said else "utf-8")
        assert table["text"] == ["学习,\n好\u0a0a\u010a上", "二"] and table.place(1).endswith("line 4")
    elif "utf-16" in encoding:
        with pytest.raises(graft.GraftError, match="NUL|is not UTF-8"):
            read(path)
    else:
        with pytest.raises(graft.GraftError, match=r"table.csv: line [23]: byte \d+ is not UTF-8"):
            read(path)


def test_a_file_of_two_encodings_is_named_and_read(tmp_path: Path) -> None:
    path = written(tmp_path / "mixed.tsv", "text\tlabel\ncafé\ta\n".encode() + "naïve\tb\n".encode("latin-1"))
    with pytest.raises(
        graft.GraftError, match="mixed.tsv: line 3: byte 21 is not UTF-8: 0xef, byte 2 of the line"
    ) as caught:
        read(path)
    assert caught.value.status is graft.Status.CORRUPT_FILE
    assert read(path, encoding=["utf-8", "latin-1"])["text"] == ["café", "naïve"]
    with pytest.raises(graft.GraftError, match="is not UTF-8 or ascii"):
        read(path, encoding=["utf-8", "ascii"])
    with pytest.raises(graft.GraftError, match="none that is called 'klingon'"):
        read(path, encoding="klingon")
    with pytest.raises(graft.GraftError, match="none of which is UTF-16"):
        read(path, encoding=["utf-8", "utf-16"])


@pytest.mark.parametrize(
    ("name", "content", "settings", "message"),
    [
        ("a.csv", "text,label\na,x\nb\n", {}, "line 3: expected 2 columns, found 1"),
        ("a.csv", "text,label\na, with a comma,x\n", {}, "line 2: expected 2 columns, found 3"),
        ("a.csv", 'text,label\n"a\nb",x\n,y\n', {}, "line 4: text: empty"),
        ("a.csv", "text,label\n  ,x\n", {}, "line 2: text: empty"),
        ("a.csv", "text,label\na,\n", {}, "line 2: label: empty"),
        ("a.csv", 'text,label\na,x\n"b,y\nc,z\n', {}, "line 3: a quote is opened and never closed: quoted=False"),
        ("a.csv", 'text,label\n"b"c,y\n', {}, "line 2: expected ',' after a closing quote, found 'c,y'"),
        ("a.csv", "text,score\na,1\nb,much\n", {}, "line 3: target: expected a number, found 'much'"),
        ("a.csv", "text,score\na,1\nb,nan\n", {}, "line 3: target: expected a finite number, found 'nan'"),
        ("a.csv", "v1,v2\na,x\nb,y\n", {"header": True}, "columns are 'v1', 'v2', none of which is known to hold texts"),
        ("a.csv", "text,label\na,x\n", {"columns": {"text": "body"}}, "columns are 'text', 'label'; no columns 'body'"),
        ("a.csv", "text,a,a\na,x,y\n", {"columns": {"label": "a"}}, "2 columns 'a'"),
        ("a.csv", "a,x\nb,y\n", {"header": False, "columns": {"text": 2}}, "2 columns without a header; no column 2"),
        ("a.csv", "utterance x,feeling\na,p\nb,q\nc,p\nd,q\n", {}, "first line ends in 'feeling', .*pass header=True"),
        ("a.csv", "v1,v2,\nspam,a,\nham,b,\n", {}, r"line 1: label: empty \(its 3 columns were taken for text, pair, label: header"),
        ("a.jsonl", '{"text": "a"}\n\n{"text": 1}\n', {}, "line 3: text: expected a text, found int 1"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', {}, "line 2: character 10: Expecting value"),
        ("a.jsonl", '{"text": "a"}\n[1]\n', {}, "line 2: expected an object, found list"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b"}\n', {}, "line 2: label: the row has no such column"),
        ("a.jsonl", '{"text": "a", "label": 0.5}\n', {}, "line 1: label: expected a name, found float 0.5: numbers to learn"),
        ("a.jsonl", '{"text": "a", "label": null}\n', {}, "line 1: label: missing"),
        ("a.jsonl", '{"text": "a", "score": NaN}\n', {}, r"line 1: target: missing \(NaN\)"),
        ("a.jsonl", '{"text": "\\ud800", "label": 1}\n', {}, "line 1: text: expected Unicode text"),
        ("a.jsonl", '{"text": "abc", "entities": [[0, 2, "A"], [1, 3, "B"]]}\n', {}, "line 1: entities: A at 0 to 2 overlaps B at 1 to 3"),
        ("a.jsonl", '{"text": "abc", "entities": [[2, 9, "A"]]}\n', {}, "line 1: entities: 2 to 9 of a text of 3 characters"),
        ("a.jsonl", '{"tokens": ["a", "b"], "ner_tags": ["O"]}\n', {}, "line 1: tags: expected 2, one for each word; found 1"),
        pytest.param("a.jsonl", '{"text": "a"}\n{"text": ' + NESTED + "}\n", {}, "line 2: maximum recursion depth", id="nested jsonl"),
        pytest.param("a.json", '{"text": ' + NESTED + "}\n", {}, "a.json: maximum recursion depth", id="nested json"),
        pytest.param("a.csv", f"question,context,answers\nq,c,{NESTED}\n", {}, r"line 2: answers: expected JSON, found '\[{59}", id="nested answers"),
        pytest.param("a.csv", f"text,entities\na,{NESTED}\n", {}, r"line 2: entities: expected JSON, found '\[{59}", id="nested entities"),
        ("a.json", '[{"text": "a"},\n {"text": }]', {}, "line 2, character 11: Expecting value"),
        ("a.json", '[{"text": "a"}, {"text": ""}]', {}, "item 1: text: empty"),
        ("a.json", "7", {}, "expected an array of objects, found int"),
        ("a.conll", "a\tO\n\nb\tO\nc\n", {}, "line 4: expected a word and a tag|line 4: expected 2 columns, found 1"),
        ("a.conll", "a b O\nc O\n", {}, "line 2: expected 3 columns, found 2"),
        ("a.conll", "a\tO\nb\t \n", {}, "line 2: the tag is empty"),
        ("a.txt", "A:b\nno colon\n", {"format": "lines", "pattern": "(?P<label>\\w+):(?P<text>.*)"}, "line 2: the line is not as"),
        ("a.txt", "A:b\n", {"format": "lines", "pattern": "(.*)"}, "pattern: expected named groups"),
        ("a.txt", "A:b\n", {"format": "lines", "pattern": "("}, "pattern: "),
        ("a.txt", "A:b\n", {}, "its name says no format: say which format, one of csv, tsv, jsonl, json, squad, conll, lines"),
        ("a.csv", "text\na\n", {"format": "xml"}, "format: expected one of csv"),
        ("a.csv", "text\na\n", {"pattern": "x"}, "pattern: means nothing for format 'csv'"),
        ("a.csv", "text\na\n", {"delimiter": "::"}, "delimiter: expected one character"),
        ("a.csv", "text\na\n", {"columns": {"texts": 0}}, "columns: expected some of text, pair, .*found 'texts'"),
        ("a.csv", "text\na\n", {"bad_rows": "drop"}, "bad_rows: expected 'error' or 'skip'"),
        ("a.json", '{"data": [{"paragraphs": [{"context": "abc", "qas": [{"id": "q7", "question": "?", "answers": [{"text": "c", "answer_start": 1}]}]}]}]}', {}, "question q7: answers: 'c' is not in the context, at character 1"),
        ("a.json", '[{"context_text": "abc", "qas": [{"query_id": "q8", "query_text": "?", "answers": ["d"]}]}]', {}, "question q8: answers: 'd' is not in the context, anywhere"),
        ("a.json", '{"data": [{"paragraphs": [{"context": "abc"}]}]}', {}, "article 0, paragraph 0: expected an object with a list of qas"),
        ("a.json", '{"text": "a"}', {"format": "squad"}, "expected articles with paragraphs and qas"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, name: str, content: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(graft.GraftError, match=message):
        read(written(tmp_path / name, content), **settings)
    if (
        re.match("(line|item|question|article) ", message)
        and "columns without" not in message
        and "character 11" not in message
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            table = read(tmp_path / name, **settings, bad_rows="skip")
        assert table.skipped and re.search(message, table.skipped[0])
        assert len(caught) == 1 and "left out, the first for" in str(caught[0].message)


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    for name in ("none.csv", "none.jsonl", "none.conll", "none.json"):
        with pytest.raises(graft.GraftError, match=f"{name}: No such file") as caught:
            read(tmp_path / name)
        assert caught.value.status is graft.Status.NOT_FOUND


@pytest.mark.parametrize(
    ("content", "settings", "columns"),
    [
        ("id;review;stars\n1;good, very;5\n2;bad;1\n", {}, {"text": ["good, very", "bad"], "label": ["5", "1"], "id": ["1", "2"]}),
        ("a, b|x\nc|y\n", {"columns": {"text": 0, "label": 1}, "header": False}, {"text": ["a, b", "c"], "label": ["x", "y"]}),
        ("one,x\ntwo,y\n", {}, {"text": ["one", "two"], "label": ["x", "y"]}),
        ("one,two,x\ntwo,one,y\n", {}, {"text": ["one", "two"], "pair": ["two", "one"], "label": ["x", "y"]}),
        ("question,question\nanswer,answer\nmore,question\n", {}, {"text": ["question", "answer", "more"], "label": ["question", "answer", "question"]}),
        ("text\none\ntwo\n", {}, {"text": ["one", "two"]}),
        ("Text , LABEL\none,x\n", {}, {"text": ["one"], "label": ["x"]}),
        ("text,labels\none,a; b\ntwo,\n", {"columns": {"labels": "labels"}}, {"text": ["one", "two"], "labels": [["a", "b"], []]}),
        ("text,toxic,rude\none,1,0\ntwo,0,0\n", {"columns": {"labels": ["toxic", "rude"]}}, {"text": ["one", "two"], "labels": [["toxic"], []]}),
        ("text,x,y\none,1,2.5\n", {"columns": {"target": ["x", "y"]}}, {"text": ["one"], "target": [[1.0, 2.5]]}),
        ("text,label,extra\none,x,1\n", {"columns": {"label": None}}, {"text": ["one"]}),
        ("sentence1,sentence2,score\na,b,4.5\n", {}, {"text": ["a"], "pair": ["b"], "target": [4.5]}),
        ("text,label\na,x,and,more\n", {"ragged": True}, {"text": ["a"], "label": ["x"]}),
        ('text,label\n5" disk,x\n', {}, {"text": ['5" disk'], "label": ["x"]}),
        ('text,label\n"a,x\n', {"quoted": False}, {"text": ['"a'], "label": ["x"]}),
        ("", {}, {}),
        ("text,label\n", {}, {}),
    ],
)  # fmt: skip
def test_columns_are_recognised_or_said(
    tmp_path: Path, content: str, settings: dict[str, Any], columns: dict[str, Any]
) -> None:
    table = read(written(tmp_path / "table.csv", content), **settings)
    assert {name: table[name] for name in table.columns} == columns


def test_layouts_of_conll(tmp_path: Path) -> None:
    content = "-DOCSTART- -X- O\n\n# id 7\nEU NNP B-ORG\nrejects VBZ O\n\n# NNP O\nin IN O\n\n-DOCSTART- -X- O\n\nBonn NNP S-LOC\n"
    table = read(written(tmp_path / "a.conll", content))
    assert table["words"] == [["EU", "rejects"], ["#", "in"], ["Bonn"]]
    assert table["tags"] == [["B-ORG", "O"], ["O", "O"], ["S-LOC"]]
    assert table["group"] == ["document 1", "document 1", "document 2"] and table.place(1).endswith("line 7")
    nouns = read(tmp_path / "a.conll", columns={"words": 0, "tags": 1})
    assert nouns["tags"] == [["NNP", "VBZ"], ["NNP", "IN"], ["NNP"]]
    other = read(written(tmp_path / "b.conll", "O\t1\tEU\r\n \r\nO\t2\tnew york\r\n"), columns={"words": 2, "tags": 0})
    assert (other["words"], other["tags"]) == ([["EU"], ["new york"]], [["O"], ["O"]])


def test_squad_and_cmrc(tmp_path: Path) -> None:
    answers = [{"text": "b", "answer_start": 3}, {"text": "a", "answer_start": 0}]
    questions = [
        {"id": "1", "question": "which?", "answers": answers},
        {"id": "2", "question": "why?", "is_impossible": True, "answers": [], "plausible_answers": answers},
    ]
    squad = {"version": "v2.0", "data": [{"title": "T", "paragraphs": [{"context": "a, b", "qas": questions}]}]}
    table = read(written(tmp_path / "squad.json", json.dumps(squad)))
    assert table["answers"] == [[graft.Answer("b", 3), graft.Answer("a", 0)], []]
    assert (table["id"], table["group"], table["context"]) == (["1", "2"], ["T", "T"], ["a, b"] * 2)
    cmrc = [
        {
            "context_id": "D",
            "context_text": "北京在中国",
            "qas": [{"query_id": "D_1", "query_text": "哪里？", "answers": ["中国", "中国"]}],
        }
    ]
    other = read(written(tmp_path / "cmrc.json", json.dumps(cmrc)))
    assert other["answers"] == [[graft.Answer("中国", 3)] * 2] and other["id"] == ["D_1"]
    flat = {"context": ["a, b"], "question": ["which?"], "answers": [{"text": ["b"], "answer_start": [3]}]}
    assert read(flat)["answers"] == [[graft.Answer("b", 3)]]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_written_as_squad_is_read_the_same(tmp_path: Path, language: str) -> None:
    """Whatever the order of the rows, and with questions that have no answer, or without."""
    whole = graft.Table.read(SHARED / "data" / "xquad" / f"xquad.{language}.json")
    given = whole.take([*range(60), *range(200, 150, -1)])
    some = graft.Table({name: [[]] * 110 if name == "answers" else given[name] for name in given.columns})
    for table, version in ((whole, "1.1"), (given, "1.1"), (some, "v2.0")):
        table.write_squad(tmp_path / "written.json")
        again = read(tmp_path / "written.json")
        assert [*again] == [*table] and again.columns == table.columns
        content = json.loads((tmp_path / "written.json").read_text("utf-8"))
        questions = [own for article in content["data"] for part in article["paragraphs"] for own in part["qas"]]
        assert content["version"] == version
        assert all(own.get("is_impossible", False) == (version == "v2.0") for own in questions)
    assert len(content["data"][0]["paragraphs"]) > 1
    bare = graft.Table({"question": ["why?"] * 2, "context": ["a\u2028, b"] * 2, "answers": [["b"], []]})
    bare.write_squad(tmp_path / "bare.json")
    again = read(tmp_path / "bare.json")
    assert [again[name] for name in bare.columns] == [bare[name] for name in bare.columns] and again["id"] == ["0", "1"]
    with pytest.raises(graft.GraftError, match="no column 'answers', but question"):
        graft.Table({"question": ["why?"], "context": ["a"]}).write_squad(tmp_path / "none.json")
    with pytest.raises(graft.GraftError, match="nowhere"):
        bare.write_squad(tmp_path / "nowhere" / "a.json")


def test_what_is_written_as_cmrc_is_read_the_same(tmp_path: Path) -> None:
    """But for places of answers, which it has not: they are the first."""
    whole = graft.Table.read(SHARED / "data" / "xquad" / "xquad.zh.json")
    given = whole.take([*range(60), *range(200, 150, -1)])
    some = graft.Table({name: [[]] * 110 if name == "answers" else given[name] for name in given.columns})
    for table in (whole, given, some):
        table.write_squad(tmp_path / "written.json", form="cmrc")
        again = read(tmp_path / "written.json")
        firsts = [
            [graft.Answer(answer.text, context.index(answer.text)) for answer in own]
            for context, own in zip(table["context"], table["answers"])
        ]
        assert [*again] == [{**row, "answers": own} for row, own in zip(table, firsts)]
        once = (tmp_path / "written.json").read_bytes()
        again.write_squad(tmp_path / "written.json", form="cmrc")
        assert (tmp_path / "written.json").read_bytes() == once
    given.take([0]).write_squad(tmp_path / "one.json", form="cmrc")
    (article,) = json.loads((tmp_path / "one.json").read_text("utf-8"))
    assert article == {
        "context_id": "0",
        "context_text": given["context"][0],
        "title": given["group"][0],
        "qas": [{"query_id": given["id"][0], "query_text": given["question"][0], "answers": [given["answers"][0][0].text]}],
    }
    with pytest.raises(graft.GraftError, match="form: expected one of squad, cmrc; found 'drcd'"):
        given.write_squad(tmp_path / "other.json", form="drcd")  # type: ignore[arg-type]


def test_predictions_are_written_by_ids(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    graft.write_predictions(path, ["1", "2"], ["中国", ""])
    assert json.loads(path.read_text("utf-8")) == {"1": "中国", "2": ""}
    graft.write_predictions(path, iter(["1", "2"]), [-0.5, 2])
    assert json.loads(path.read_text("utf-8")) == {"1": -0.5, "2": 2}
    with pytest.raises(graft.GraftError, match="ids: expected 2 different ones, found 1"):
        graft.write_predictions(path, ["1", "1"], ["a", "b"])
    with pytest.raises(graft.GraftError, match="values: expected 2, one for each id; found 1"):
        graft.write_predictions(path, ["1", "2"], ["a"])


def test_json_of_each_kind(tmp_path: Path) -> None:
    rows = [{"text": "a", "labels": ["x", "y"]}, {"text": "b", "labels": []}]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    for name, content in (
        ("a.jsonl", lines),
        ("a.json", lines),
        ("b.json", json.dumps(rows, indent=1)),
        ("c.json", json.dumps({"data": rows})),
    ):
        table = read(written(tmp_path / name, content))
        assert (table["text"], table["labels"], table.label_names) == (["a", "b"], [["x", "y"], []], ["x", "y"])
