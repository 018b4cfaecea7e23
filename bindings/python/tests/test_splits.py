"""Splits: every row once, the same for a seed, everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

import graft

GOLDEN = ["9", "21", "25", "26", "46"]


def table(count: int, classes: int = 3, groups: int = 7) -> graft.Table:
    rows = range(count)
    return graft.Table(
        {
            "text": [f"text {row}" for row in rows],
            "label": [f"class {row * row % 11 % classes}" for row in rows],
            "group": [f"group {row * 5 % 31 % groups}" for row in rows],
        }
    )


@pytest.mark.parametrize("count", [2, 10, 97, 500])
@pytest.mark.parametrize("seed", [0, 1, 2**63])
@pytest.mark.parametrize("settings", [{}, {"stratify": "label"}, {"group": "group"}, {"group": "text"}])
def test_every_row_is_in_one_part(count: int, seed: int, settings: dict[str, Any]) -> None:
    whole = table(count, classes=min(3, count // 2), groups=min(7, count))
    sizes: list[float] = (
        [0.5] if count == 2 else [0.2, 2 if count == 10 else 5] if not settings.get("group") == "group" else [0.5]
    )
    parts = whole.split(*sizes, seed=seed, **settings)
    assert sorted(text for part in parts for text in part["text"]) == sorted(whole["text"])
    assert all(part["text"] == [text for text in whole["text"] if text in set(part["text"])] for part in parts)
    again = whole.split(*sizes, seed=seed, **settings)
    assert [part["text"] for part in parts] == [part["text"] for part in again]
    if settings.get("group") != "group":
        assert [len(part) for part in parts[1:]] == [int(size * count + 0.5) if size < 1 else size for size in sizes]


def test_seeds_differ_and_are_the_same_in_every_python() -> None:
    splits = {tuple(table(50).split(10, seed=seed)[1]["text"]) for seed in range(20)}
    assert len(splits) == 20
    # Written once: what a seed gives does not change.
    assert [text.split()[1] for text in table(50).split(5, seed=7)[1]["text"]] == GOLDEN
    code = "import graft; print(*graft.Table({'text': [f'text {i}' for i in range(50)]}).split(5, seed=7)[1]['text'], sep=',')"
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        found = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout
        assert [text.split()[1] for text in found.strip().split(",")] == GOLDEN


def test_a_stratified_split_keeps_the_shares() -> None:
    whole = table(1000, classes=5)
    train, test = whole.split(0.2, seed=1, stratify="label")
    for name, count in Counter(whole["label"]).items():
        assert abs(test["label"].count(name) - 0.2 * count) < 1
    # A class of one row stays where it is learned, and no label is unseen in training.
    odd = graft.Table({"text": ["a", "b", "c", "d", "e"], "label": ["x", "x", "x", "x", "y"]})
    for seed in range(20):
        train, test = odd.split(2, seed=seed, stratify="label")
        assert train.label_names == ["x", "y"] and test.label_names == ["x"]
    with pytest.raises(graft.GraftError, match="leaves fewer than one row for each of 2 values"):
        odd.split(4, stratify="label")


def test_a_group_is_on_one_side() -> None:
    for seed in range(10):
        parts = table(200).split(0.2, 0.3, seed=seed, group="group")
        sets = [set(part["group"]) for part in parts]
        assert sum(map(len, sets)) == len(set.union(*sets)) == 7
        assert len(parts[1]) <= 40 and len(parts[2]) <= 60
    with pytest.raises(graft.GraftError, match="a part of 2 rows holds none of 7 groups, the smallest of which has"):
        table(200).split(2, group="group")


@pytest.mark.parametrize("settings", [{"group": "group"}, {"group": "text"}])
def test_groups_do_not_depend_on_the_order_of_rows(settings: dict[str, str]) -> None:
    whole = table(120)
    turned = whole.take(reversed(range(120)))
    for one, other in zip(whole.split(0.3, seed=4, **settings), turned.split(0.3, seed=4, **settings)):
        assert one["text"] == other["text"][::-1]


@pytest.mark.parametrize(
    ("sizes", "settings", "message"),
    [
        ([], {}, "10 rows cannot be split in 1 parts"),
        ([10], {}, "10 rows cannot be split in 2 parts of which the others have 10"),
        ([0.5, 0.5], {}, "10 rows cannot be split in 3 parts"),
        ([1.5], {}, "expected a fraction between 0 and 1, or an integer; found 1.5"),
        ([float("nan")], {}, "expected a fraction"),
        ([0], {}, "0 of 10 rows are none"),
        ([0.01], {}, "0.01 of 10 rows are none"),
        ([2], {"stratify": "target"}, "no column 'target', but text, label, group"),
        ([2], {"stratify": "label", "group": "group"}, "expected at most one of the two"),
    ],
)
def test_a_split_that_cannot_be_is_refused(sizes: list[float], settings: dict[str, str], message: str) -> None:
    with pytest.raises(graft.GraftError, match=message):
        table(10).split(*sizes, **settings)


def test_one_row_cannot_be_split() -> None:
    with pytest.raises(graft.GraftError, match="1 rows cannot be split in 2 parts|of 1 rows are none"):
        table(1, classes=1, groups=1).split(0.5)
