"""From a source to the rows of a table, one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .columns import Columns, said
from .formats import format_of
from .lines import encodings_of
from .objects import open_object
from .records import BadRow, Record, Settings, sampled
from .row_values import row_values


class Row(NamedTuple):
    """One row of a table."""

    place: int | str
    values: dict[str, Any]


class Reading:
    """The rows of a source, checked."""

    def __init__(
        self,
        source: Any,
        format: str | None = None,
        columns: Mapping[str, Any] | None = None,
        encoding: str | Sequence[str] = "utf-8",
        **settings: Any,
    ) -> None:
        given = Settings(said(columns), encodings_of(encoding), **settings)
        if isinstance(source, (str, bytes, os.PathLike)):
            #: What messages call it.
            self.name = os.fsdecode(source)
            records = format_of(self.name, format, given).open(self.name, given)
        else:
            self.name = "rows" if isinstance(source, (Iterator, list, tuple, Mapping)) else type(source).__name__
            records = open_object(source, given)
        sample, self._rows = sampled(records.rows)
        good = [row for row in sample if isinstance(row, Record)]
        placed = {role: column for role, column in given.columns.items() if role not in records.placed}
        self._columns = Columns(records, placed, good, self.name) if good else None
        #: The roles that the source has.
        self.roles: list[str] = self._columns.roles if self._columns else []

    def rename(self, roles: Mapping[str, str]) -> None:
        """Takes the columns of some roles for others, of all rows that are not read yet."""
        if self._columns is not None:
            self._columns.rename(roles)
            self.roles = self._columns.roles

    def __iter__(self) -> Iterator[Row | BadRow]:
        for row in self._rows:
            if isinstance(row, BadRow) or self._columns is None:
                yield row if isinstance(row, BadRow) else BadRow(row.place, "no columns")
                continue
            try:
                yield Row(row.place, row_values(self._columns.values(row.values), self._columns.class_names))
            except ValueError as error:
                yield BadRow(row.place, f"{error}{self._columns.advice}")
