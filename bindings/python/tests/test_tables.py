"""Files and tables of labelled texts: a header is not a row, and names of columns are not texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from conftest import SHARED, TEXTS

import graft


@pytest.mark.parametrize(
    ("lines", "header", "labels"),
    [
        (["sentence\tlabel", "good\t1", "bad\t0"], None, ["0", "1"]),
        (["Text\t LABEL ", "good\tpos", "bad\tneg"], None, ["neg", "pos"]),
        (["a\tb\tgold_label", "x\ty\tyes", "x\tz\tno"], None, ["no", "yes"]),
        (["text\tstars_given", "good\t5", "bad\t1", "so\t3"], None, ["1", "3", "5"]),
        (["where\tlabel", "x\tlabel", "y\tother"], None, ["label", "other"]),
        (["eins\tuno", "zwei\tdos", "drei\ttres"], None, ["dos", "tres", "uno"]),
        (["eins\tuno", "zwei\tdos", "drei\tdos"], False, ["dos", "uno"]),
        (["eins\tuno", "zwei\tdos", "drei\tdos"], True, ["dos"]),
    ],
)
def test_a_header_is_no_row(
    tokenizer: graft.Tokenizer, tmp_path: Path, lines: list[str], header: bool | None, labels: list[str]
) -> None:
    (tmp_path / "table.tsv").write_text("\n".join(lines))
    dataset = graft.Dataset.from_tsv(tokenizer, tmp_path / "table.tsv", header=header)
    is_header = header if header is not None else len(labels) < len({line.split("\t")[-1] for line in lines})
    assert (len(dataset), dataset.label_names) == (len(lines) - is_header, labels)


@pytest.mark.parametrize("names", [None, ["pos", "neg"]])
def test_a_first_line_that_may_be_a_header_is_asked_about(
    tokenizer: graft.Tokenizer, tmp_path: Path, names: list[str] | None
) -> None:
    (tmp_path / "table.tsv").write_text("utterance\tfeeling\na\tpos\nb\tneg\nc\tpos\nd\tneg\n")
    with pytest.raises(graft.GraftError, match="first line ends in 'feeling', .* pass header=True"):
        graft.Dataset.from_tsv(tokenizer, tmp_path / "table.tsv", label_names=names)
    rows = graft.Dataset.from_tsv(tokenizer, tmp_path / "table.tsv", label_names=names, header=True)
    assert len(rows) == 4


@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_sst2_has_two_labels(tokenizer: graft.Tokenizer, part: str) -> None:
    path = SHARED / "data" / "sst2" / f"{part}.tsv"
    dataset = graft.Dataset.from_tsv(tokenizer, path)
    assert dataset.label_names == ["0", "1"]
    assert len(dataset) == len(path.read_text("utf-8").splitlines()) - 1


def test_columns_of_a_table_are_texts_and_labels(session: graft.Session, tokenizer: graft.Tokenizer) -> None:
    table = pandas.DataFrame({"text": TEXTS, "label": [0, 0, 1, 1, 2, 2], "name": list("aabbcc")})
    assert session.embed(table["text"]) == session.embed(table.text.to_numpy()) == session.embed(TEXTS)
    assert len(graft.Dataset(tokenizer, table.text, table.label)) == 6
    assert graft.Dataset(tokenizer, table.text, table.name.astype("category")).label_names == ["a", "b", "c"]
    assert session.embed(table.loc[3:, "text"]) == session.embed(TEXTS[3:])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (pandas.DataFrame({"text": TEXTS}), "found DataFrame of 2 dimensions: give one of its columns"),
        (numpy.array([TEXTS]), "found ndarray of 2 dimensions: give one of its columns"),
        (numpy.array("one"), "found ndarray of 0 dimensions"),
        ({"text": TEXTS}, "found dict: its values are list(texts.values())"),
        (set(TEXTS), "found set, whose order means nothing"),
        (frozenset(TEXTS), "found frozenset, whose order means nothing"),
        ({"a": "b"}.items(), "found dict_items"),
        (bytearray(b"one"), "found one bytearray: put it in a list"),
        (pandas.Series(["a", None], dtype=object), "texts[1]: expected a string, found NoneType (a missing value)"),
        (pandas.Series(["a", float("nan")], dtype=object), "texts[1]: expected a string, found float (a missing value)"),
        ([("first", "second")], "texts[0]: expected a string, found tuple: second texts are given as pairs"),
        ([["first", "second"]], "texts[0]: expected a string, found list: second texts are given as pairs"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda s, t, texts: s.embed(texts),
        lambda s, t, texts: s.predict(texts),
        lambda s, t, texts: s.classify(texts),
        lambda s, t, texts: s.hidden_states(texts),
        lambda s, t, texts: graft.Batch(t, texts),
        lambda s, t, texts: graft.Dataset(t, texts, [0] * (len(texts) if getattr(texts, "shape", (0,)) else 1)),
    ],
)
def test_what_is_no_list_of_texts_is_refused(
    session: graft.Session, tokenizer: graft.Tokenizer, call: Callable[..., Any], texts: Any, message: str
) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        call(session, tokenizer, texts)


def test_what_is_wrong_with_a_file_is_a_value_error_too(tmp_path: Path, tokenizer: graft.Tokenizer) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text("one\tasks\ntwo\tblames\n", "utf-8")
    with pytest.raises(graft.InvalidArgumentError, match="rows.tsv"):
        graft.Dataset.from_tsv(tokenizer, path, label_names=["asks", "tells"])
