"""Data sets that everybody has, each with the reader that is its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from conftest import SHARED

import graft

DATA = SHARED / "data"
TREC = {"format": "lines", "pattern": r"(?P<label>[A-Z]+):(?P<text>.*)"}
#: A character has the number of its place in its word behind it.
WEIBO: dict[str, Any] = {"format": "conll", "pattern": r"(?P<words>.+?)\d+\t(?P<tags>\S+)"}
STSB: dict[str, Any] = {"columns": {"target": 4, "text": 5, "pair": 6}, "ragged": True}


@pytest.mark.parametrize(
    ("path", "settings", "rows", "names"),
    [
        ("trec6/train.txt", {**TREC, "encoding": ["utf-8", "latin-1"]}, 4965, ["ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"]),
        ("trec6/test.txt", {"format": "lines", "pattern": r"(?P<label>[A-Z]+):\w+ (?P<text>.*)"}, 500, ["ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"]),
        ("sst2/train.tsv", {}, 60614, ["0", "1"]),
        ("stsb/sts-train.csv", STSB, 5749, []),
        ("stsb/sts-dev.csv", STSB, 1500, []),
        ("stsb/sts-test.csv", STSB, 1379, []),
        ("sms_spam/spam.csv", {"columns": {"text": "v2", "label": "v1"}}, 5571, ["ham", "spam"]),
        ("chnsenticorp_htl/ChnSentiCorp_htl_all.csv", {"bad_rows": "skip"}, 7765, ["0", "1"]),
        ("wnut17/emerging.dev.conll", {}, 1009, None),
        ("wnut17/emerging.test.annotated", {"format": "conll"}, 1287, None),
        ("wnut17/wnut17train.conll", {}, 3394, None),
        ("weibo_ner/weiboNER_2nd_conll.train", WEIBO, 1350, None),
        ("weibo_ner/weiboNER_2nd_conll.dev", WEIBO, 270, None),
        ("weibo_ner/weiboNER_2nd_conll.test", WEIBO, 270, None),
        ("xquad/xquad.en.json", {}, 1190, []),
        ("xquad/xquad.zh.json", {}, 1190, []),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:1 of 7766 rows were left out")
def test_each_is_read(path: str, settings: dict[str, Any], rows: int, names: list[str] | None) -> None:
    table = graft.Table.read(DATA / path, **settings)
    assert len(table) == rows
    assert names is None or table.label_names == names
    assert names is not None or "O" in table.label_names


def test_each_subset_of_tnews_has_the_fifteen_labels() -> None:
    tables = [
        graft.Table.read(DATA / "fewclue_tnews" / f"{part}.json", columns={"label": "label_desc"})
        for part in ("train_few_all", "dev_few_all", "test_public")
    ]
    assert [len(table) for table in tables] == [1185, 1098, 2010]
    assert all(table.label_names == tables[0].label_names for table in tables) and len(tables[0].label_names) == 15


def test_what_is_wrong_in_them_is_named() -> None:
    for path, settings, message in (
        ("trec6/train.txt", TREC, r"trec6/train.txt: line 62: byte 3261 is not UTF-8: 0xf0"),
        ("chnsenticorp_htl/ChnSentiCorp_htl_all.csv", {}, "line 6376: text: empty"),
        ("stsb/sts-dev.csv", {"columns": STSB["columns"]}, "line 1479: expected 7 columns, found 9"),
    ):
        with pytest.raises(graft.GraftError, match=message):
            graft.Table.read(DATA / path, **settings)


def test_xquad_is_split_by_article(tokenizer: graft.Tokenizer) -> None:
    english, chinese = (graft.Table.read(DATA / "xquad" / f"xquad.{language}.json") for language in ("en", "zh"))
    parts = [table.split(0.2, 0.1, seed=3, group="group") for table in (english, chinese)]
    assert [part["id"] for part in parts[0]] == [part["id"] for part in parts[1]]
    train, validation, test = parts[0]
    groups = [set(part["group"]) for part in (train, validation, test)]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert 200 < len(validation) <= 238 and 90 < len(test) <= 119
    report = graft.data_report(tokenizer, {"train": train, "test": test}, maximum_length=384)
    assert report.overlaps == [] and report.parts["train"].lengths[100] > 384
    rows = graft.Dataset.from_table(tokenizer, test, maximum_length=256, stride=64)
    assert len(test) < len(rows) < 2 * len(test) and rows.maximum_length == 256


def test_a_report_of_weibo_says_that_the_tokenizer_is_of_another_language(tokenizer: graft.Tokenizer) -> None:
    table = graft.Table.read(DATA / "weibo_ner" / "weiboNER_2nd_conll.dev", **WEIBO)
    report = graft.data_report(tokenizer, table)
    assert report.parts["data"].unknown_token_count > 0.3 * report.parts["data"].token_count
    assert any("it was made for other texts" in problem for problem in report.problems)


def test_a_report_of_spam_counts_what_it_says(tokenizer: graft.Tokenizer) -> None:
    table = graft.Table.read(DATA / "sms_spam" / "spam.csv", columns={"text": "v2", "label": "v1"})
    train, test = table.split(0.2, seed=1, stratify="label")
    part = graft.data_report(tokenizer, {"train": train, "test": test}).parts["train"]
    assert part.classes == Counter(train["label"]) and part.row_count == len(train) == 4457
    assert part.duplicate_count == len(train) - len(set(train["text"]))
    lengths = sorted(len(tokenizer.encode(text, maximum_length=10_000).ids) for text in train["text"])
    assert (part.token_count, part.lengths[0], part.lengths[100]) == (sum(lengths), lengths[0], lengths[-1])
    assert part.lengths[50] == lengths[(len(lengths) - 1) // 2] and part.cut_row_count == sum(n > 256 for n in lengths)
    kept, apart = table.split(0.2, seed=1, group="text")
    assert graft.data_report(tokenizer, {"train": kept, "test": apart}).parts["test"].duplicate_count > 0
    assert not set(kept["text"]) & set(apart["text"])
