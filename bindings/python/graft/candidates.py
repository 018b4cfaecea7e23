"""Texts, each with candidates, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from .errors import invalid
from .values import as_list, require_length


def candidate_rows(
    texts: Iterable[str], candidates: Iterable[Iterable[str]], name: str
) -> tuple[list[str], list[str], list[int]]:
    """A row for each candidate of each text: the text, the candidate, and its place in its
    group."""
    first = as_list(texts, "texts", "strings")
    second = [as_list(group, f"{name}[{row}]", "strings") for row, group in enumerate(as_list(candidates, name, "lists", 2))]
    require_length(second, len(first), name)
    for row, group in enumerate(second):
        if not group:
            raise invalid(f"{name}[{row}]: expected one or more")
    return (
        [text for text, group in zip(first, second) for _ in group],
        list(chain.from_iterable(second)),
        list(chain.from_iterable(map(range, map(len, second)))),
    )
