"""Lines that a regular expression takes apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..errors import invalid
from .lines import read_lines
from .records import BadRow, Record, Records, Settings, keyed


def compiled(pattern: str, groups: tuple[str, ...] = ()) -> re.Pattern[str]:
    """An expression that has these groups, or any where there are none."""
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise invalid(f"pattern: {error}") from None
    if not expression.groupindex or not set(groups) <= expression.groupindex.keys():
        example = "".join(f"(?P<{group}>…)" for group in groups or ("label", "text"))
        raise invalid(f"pattern: expected named groups, such as {example}; found {pattern!r}")
    return expression


def open_lines(path: str, settings: Settings) -> Records:
    """A row a line; the pattern's named groups are its columns, or without one the line is a text.
    Empty lines are no rows."""
    pattern = "(?P<text>.*)" if settings.pattern is None else settings.pattern
    return keyed(_matches(read_lines(path, settings.encodings), compiled(pattern)))


def _matches(lines: Iterable[tuple[int, str]], expression: re.Pattern[str]) -> Iterator[Record | BadRow]:
    for number, line in lines:
        line = line.removesuffix("\r")
        if not line:
            continue
        match = expression.fullmatch(line)
        yield (
            BadRow(number, "the line is not as the pattern says")
            if match is None
            else Record(number, match.groupdict())
        )
