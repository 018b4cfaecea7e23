"""Rows that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .measuring import Texts

Key = tuple[str, ...]


def exact_keys(texts: Texts) -> list[Key]:
    """What rows say, to the character."""
    return [(text,) for text in texts.first] if texts.second is None else list(zip(texts.first, texts.second))


def normal_keys(keys: Sequence[Key]) -> list[Key]:
    """The same without the differences of case and white space."""
    return [tuple([" ".join(text.split()).casefold() for text in key]) for key in keys]


def repeated(keys: Sequence[Key]) -> int:
    """Rows that say what one before them says."""
    return len(keys) - len(set(keys))


class Conflict(NamedTuple):
    """Two rows that say the same and should be answered differently."""

    first: int
    second: int


def conflicts(keys: Sequence[Key], learned: Sequence[Any]) -> list[Conflict]:
    """For each row, the first that says the same, where they have other labels."""
    seen: dict[Key, int] = {}
    found = []
    for row, key in enumerate(keys):
        first = seen.setdefault(key, row)
        own, other = learned[row], learned[first]
        if isinstance(own, list) and all(isinstance(part, str) for part in own):
            own, other = sorted(own), sorted(other)
        if own != other:
            found.append(Conflict(first, row))
    return found
