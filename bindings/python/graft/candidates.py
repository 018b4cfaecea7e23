"""Texts, each with candidates, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import Any

from .errors import invalid
from .values import as_list, require_length


def candidate_rows(
    texts: Iterable[str], candidates: Iterable[Iterable[str]], name: str
) -> tuple[list[str], list[str], list[int]]:
    """A row for each candidate of each text: the text, and the candidate; and how many candidates
    each text has."""
    first = as_list(texts, "texts", "strings")
    second = lists_of(candidates, name, "strings")
    require_length(second, len(first), name)
    counts = list(map(len, second))
    for row, count in enumerate(counts):
        if count == 0:
            raise invalid(f"{name}[{row}]: expected one or more")
    return repeated(first, counts), list(chain.from_iterable(second)), counts


def lists_of(values: Iterable[Iterable[Any]], name: str, of: str) -> list[list[Any]]:
    """A list for each text."""
    return [as_list(row, f"{name}[{number}]", of) for number, row in enumerate(as_list(values, name, "lists", 2))]


def repeated(values: Sequence[Any], counts: Sequence[int]) -> list[Any]:
    """What is of a text for each of its rows."""
    return [value for value, count in zip(values, counts) for _ in range(count)]


def places_of(counts: Sequence[int]) -> list[int]:
    """Of each row its place among the candidates of its text, from 0."""
    return list(chain.from_iterable(map(range, counts)))


def slices_of(counts: Sequence[int]) -> list[slice]:
    """The rows of each text."""
    ends = list(accumulate(counts))
    return [slice(end - count, end) for end, count in zip(ends, counts)]
