"""Words with tags, a word a line, as CoNLL's tasks have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import invalid
from .lines import read_lines
from .patterns import compiled
from .records import BadRow, Record, Records, Settings, sampled

DOCUMENT = "-DOCSTART-"
TAG = re.compile(r"O|[BIESLUM]-.+")


def open_conll(path: str, settings: Settings) -> Records:
    """Sentences with empty lines between them. The columns of a line are between tabs, or else
    between blanks; the word is the first, the tag is the last. Documents, which lines of
    "-DOCSTART-" begin, are groups."""
    sample, lines = sampled(read_lines(path, settings.encodings))
    has_documents = any(DOCUMENT in line for _, line in sample)
    names = ("words", "tags", "group") if has_documents else ("words", "tags")
    return Records(
        _sentences(lines, _Layout(settings), has_documents), names, keyed=True, placed=frozenset({"words", "tags"})
    )


class _Layout:
    """Where a line has its word and its tag."""

    def __init__(self, settings: Settings) -> None:
        self._pattern = None if settings.pattern is None else compiled(settings.pattern, ("words", "tags"))
        self._delimiter = settings.delimiter
        given = [settings.columns.get(role) for role in ("words", "tags")]
        self._word, self._tag = (usual if own is None else own for own, usual in zip(given, (0, -1)))
        if any(type(column) is not int for column in (self._word, self._tag)):
            raise invalid("columns: expected numbers for words and tags, since files of CoNLL have no header")
        self._count: int | None = None

    def read(self, line: str, begins: bool) -> tuple[str, str] | str | None:
        """A word and its tag; None for a comment; else what is wrong."""
        if self._pattern is not None:
            found = self._pattern.fullmatch(line)
            return "the line is not as the pattern says" if found is None else (found["words"], found["tags"])
        delimiter = self._delimiter or ("\t" if "\t" in line else None)
        parts = re.split(" +", line.strip(" ")) if delimiter is None else line.split(delimiter)
        if begins and line.startswith("#") and self._is_comment(parts):
            return None
        if self._count is None:
            self._count = len(parts)
        try:
            word, tag = parts[self._word].strip(), parts[self._tag].strip()
        except IndexError:
            return f"expected a word and a tag, found {len(parts)} columns"
        if len(parts) != self._count or len(parts) < 2:
            return f"expected {max(2, self._count)} columns, found {len(parts)}"
        return (word, tag) if word and tag else f"the {'tag' if word else 'word'} is empty"

    def _is_comment(self, parts: list[str]) -> bool:
        """Whether a line of "# …" before a sentence is none of its words."""
        if self._count is None:
            return not TAG.fullmatch(parts[-1])
        return len(parts) != self._count


def _sentences(lines: Iterable[tuple[int, str]], layout: _Layout, has_documents: bool) -> Iterator[Record | BadRow]:
    words: list[str] = []
    tags: list[str] = []
    start, document = 0, 0
    bad: BadRow | None = None

    def row() -> Iterator[Record | BadRow]:
        nonlocal words, tags, bad
        if bad is not None:
            yield bad
        elif words:
            values: dict[str, Any] = {"words": words, "tags": tags}
            if has_documents:
                values["group"] = f"document {document}"
            yield Record(start, values)
        words, tags, bad = [], [], None

    for number, line in lines:
        line = line.removesuffix("\r")
        if not line.strip():
            yield from row()
            continue
        if line.startswith(DOCUMENT):
            yield from row()
            document += 1
            continue
        found = layout.read(line, begins=not words and bad is None)
        if isinstance(found, tuple):
            start = start if words else number
            words.append(found[0])
            tags.append(found[1])
        elif found is not None and bad is None:
            bad = BadRow(number, found)
    yield from row()
