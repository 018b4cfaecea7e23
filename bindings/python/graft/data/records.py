"""What every reader gives: the rows of a source as they stand there, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, NamedTuple, TypeVar

#: Rows that are looked at before the first is read: to know columns, a header, a delimiter.
SAMPLE = 1000

Item = TypeVar("Item")


class Record(NamedTuple):
    """One row."""

    #: Number of its line in a file, of which it may be the first of several; else in words.
    place: int | str
    #: By numbers of columns, or by their names.
    values: Sequence[Any] | Mapping[str, Any]


class BadRow(NamedTuple):
    """What stands where a row should."""

    place: int | str
    message: str


@dataclass
class Records:
    """An opened source."""

    rows: Iterator[Record | BadRow]
    #: Names of the columns; none for a table without a header.
    names: Sequence[str] = ()
    #: Whether rows go by these names rather than by numbers.
    keyed: bool = False
    #: Columns of the first row, where they go by numbers.
    width: int = 0
    #: What numbers in a column stand for.
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: The roles whose columns the reader has found itself, as the settings say.
    placed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settings:
    """How a source is read; :meth:`graft.Table.read` says what they mean."""

    columns: Mapping[str, Any]
    encodings: tuple[str, ...]
    header: bool | None = None
    delimiter: str | None = None
    quoted: bool | None = None
    ragged: bool = False
    pattern: str | None = None


def place_name(place: int | str) -> str:
    """A place in words."""
    return f"line {place}" if isinstance(place, int) else place


class Places(NamedTuple):
    """Where the rows of a table stand."""

    source: str
    of_rows: Sequence[int | str]

    def name(self, row: int) -> str:
        """A row's place in words."""
        return f"{self.source}: {place_name(self.of_rows[row])}"


def sampled(items: Iterable[Item], count: int = SAMPLE) -> tuple[list[Item], Iterator[Item]]:
    """The first few, and all."""
    rest = iter(items)
    sample = list(islice(rest, count))
    return sample, chain(sample, rest)


def keyed(rows: Iterable[Record | BadRow]) -> Records:
    """Rows that go by names, which may differ from row to row."""
    sample, all_rows = sampled(rows)
    names = dict.fromkeys(name for row in sample if isinstance(row, Record) for name in row.values)
    return Records(all_rows, [str(name) for name in names], keyed=True)
