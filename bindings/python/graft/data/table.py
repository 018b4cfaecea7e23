"""Tables of texts and what is to be learned of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

from ..errors import invalid
from ..lost_tokens import warn
from .columns import ROLES
from .lines import corrupt
from .reading import Reading, Row
from .records import BadRow, Places, place_name
from .row_values import row_values
from .splits import Size, split_rows
from .squad_writing import write_squad

BadRows = Literal["error", "skip"]


class Table:
    """Rows of texts with what is to be learned of them, in columns of known meaning. Splits,
    reports and :meth:`Dataset.from_table` take tables, whatever they were read from.

    >>> table = graft.Table.read("reviews.csv")
    >>> train, test = table.split(0.1, seed=1, stratify="label")
    >>> rows = graft.Dataset.from_table(tokenizer, train)

    Columns are some of these, each a list with a value for each row:

    - ``"text"``, and ``"pair"``, a second text: strings that are not blank.
    - ``"label"``: a name. ``"labels"``: a list of names, which may be empty.
    - ``"target"``: a number, or a list of numbers.
    - ``"words"`` and ``"tags"``: lists of as many words and tags.
    - ``"entities"``: a list of :class:`Entity` in the text, which do not overlap.
    - ``"question"``, ``"context"`` and ``"answers"``: the answers have a text and the place where
      it starts in the context; none where the context has no answer.
    - ``"candidates"``: a list of texts, of which ``"right"`` is the number of the right one, or
      ``"relevance"`` a list of numbers, one for each.
    - ``"source"`` and ``"output"``: a text, and what is written of it, such as its translation.
    - ``"prompt"`` and ``"completion"``: a text, and how it goes on, or what is answered. Or
      ``"messages"``: a list of dictionaries with ``"role"`` and ``"content"``, in some of which the
      assistant speaks.
    - ``"prompt"``, ``"chosen"`` and ``"rejected"``: a text, the answer to it that is preferred, and
      another.
    - ``"id"`` and ``"group"``: strings. What is of one group is kept together by :meth:`split`.

    :param columns: lists, arrays or columns of frames, by these names.
    """

    def __init__(self, columns: Mapping[str, Iterable[Any]]) -> None:
        unknown = [name for name in columns if name not in ROLES]
        if unknown or not columns:
            raise invalid(
                f"columns: expected some of {', '.join(ROLES)}; found {', '.join(map(repr, columns)) or 'none'}"
            )
        table = Table.read(columns, columns={**dict.fromkeys(ROLES), **{name: name for name in columns}})
        self._fill(table._columns, table.source, table._places, [])

    def _fill(
        self, columns: dict[str, list[Any]], source: str, places: Sequence[int | str], skipped: list[str]
    ) -> None:
        self._columns = columns
        self._places = places
        #: What the rows were read from.
        self.source = source
        #: Of each row that was left out, where it stands and what is wrong with it.
        self.skipped = skipped

    @classmethod
    def _of(cls, columns: dict[str, list[Any]], source: str, places: Sequence[int | str], skipped: list[str]) -> Table:
        table = cls.__new__(cls)
        table._fill(columns, source, places, skipped)
        return table

    @classmethod
    def read(
        cls,
        source: Any,
        format: str | None = None,
        *,
        columns: Mapping[str, Any] | None = None,
        header: bool | None = None,
        delimiter: str | None = None,
        quoted: bool | None = None,
        ragged: bool = False,
        pattern: str | None = None,
        encoding: str | Sequence[str] = "utf-8",
        bad_rows: BadRows = "error",
    ) -> Table:
        """All rows of a source. What is wrong with a row is an error of status CORRUPT_FILE that
        says where it stands: columns too few or too many, a text that is empty or missing, a target
        that is no number, entities that overlap, answers that are not in the context.

        :param source: a path; a frame of pandas or Polars; a split of `datasets`; columns by their
            names; or an iterable of rows, each a dictionary or a tuple.
        :param format: of a file: one of :func:`formats`; None: as its name ends.
        :param columns: which column is what: names, or numbers from 0, and from -1 at the end, by
            the names that the class has; lists of columns for ``"labels"``, which then hold 0 or 1,
            for ``"target"`` and for ``"candidates"``; None for what is to be left out. What is not said is recognised by
            its name. Two or three columns without names are a text, a pair where there are three,
            and a label.
        :param header: of csv and tsv, whether the first row names the columns; None: it does if its
            words are such names. Where that is not sure, it is an error that asks.
        :param delimiter: between columns; None: of csv, that of ``, TAB ; |`` which gives most rows
            as many columns.
        :param quoted: whether a field that begins with a quote goes on to the next single one,
            over delimiters and lines; None: but in tables with tabs.
        :param ragged: takes rows with more columns than the first, and leaves those out.
        :param pattern: of lines and conll, a regular expression whose named groups are a line's
            columns, none being a text on each line, such as ``(?P<label>\\w+):(?P<text>.*)``.
        :param encoding: of a text file without a byte order mark; several: each line is read in
            the first that fits.
        :param bad_rows: ``"skip"`` leaves them out, with a warning; ``skipped`` tells which.
        """
        reading = Reading(
            source,
            format,
            columns,
            encoding,
            header=header,
            delimiter=delimiter,
            quoted=quoted,
            ragged=ragged,
            pattern=pattern,
        )
        return table_of(reading, bad_rows)

    @classmethod
    def stream(
        cls,
        source: Any,
        row_count: int = 1000,
        format: str | None = None,
        *,
        columns: Mapping[str, Any] | None = None,
        header: bool | None = None,
        delimiter: str | None = None,
        quoted: bool | None = None,
        ragged: bool = False,
        pattern: str | None = None,
        encoding: str | Sequence[str] = "utf-8",
        bad_rows: BadRows = "error",
    ) -> Iterator[Table]:
        """The same as tables of ``row_count`` rows, one after the other, for what is larger than
        memory. Only one of them is held; json, but for an object a line, and squad are read
        whole."""
        if row_count < 1:
            raise invalid(f"row_count: expected at least 1, found {row_count}")
        reading = Reading(
            source,
            format,
            columns,
            encoding,
            header=header,
            delimiter=delimiter,
            quoted=quoted,
            ragged=ragged,
            pattern=pattern,
        )
        return _Rows(reading, bad_rows, row_count).tables()

    @property
    def columns(self) -> list[str]:
        """The names of the columns that the table has."""
        return list(self._columns)

    @property
    def label_names(self) -> list[str]:
        """The labels or tags that occur, sorted: their order does not depend on that of the
        rows."""
        if "label" in self._columns:
            return sorted(set(self._columns["label"]))
        several = next((self._columns[name] for name in ("labels", "tags") if name in self._columns), [])
        return sorted(set(chain.from_iterable(several)))

    def place(self, row: int) -> str:
        """Where a row stands: its file and line, or its number."""
        return self.places.name(row)

    @property
    def places(self) -> Places:
        """Where all rows stand."""
        return Places(self.source, self._places)

    def take(self, rows: Iterable[int]) -> Table:
        """The table of these rows, by their numbers."""
        chosen = list(rows)
        columns = {name: [values[row] for row in chosen] for name, values in self._columns.items()}
        return Table._of(columns, self.source, [self._places[row] for row in chosen], [])

    def split(self, *sizes: Size, seed: int = 0, stratify: str | None = None, group: str | None = None) -> list[Table]:
        """Parts of the rows, each once: what is left, to train on, and then one for each size. Rows
        keep their order. The same seed gives the same parts on any machine, in any version of
        Python.

        >>> train, validation, test = table.split(0.1, 0.1, seed=1)

        :param sizes: a fraction of all rows, such as 0.1, or a number of rows, such as 500.
        :param stratify: a column, mostly ``"label"``, each of whose values every part has in the
            same share. Of every value the first part has at least one row, so that none is unseen
            in training.
        :param group: a column, such as ``"group"``, or ``"text"`` for texts that occur twice. Rows
            of one value are in one part. Sizes are then nearly met, never exceeded.
        """
        for name in (stratify, group):
            if name is not None and name not in self._columns:
                raise invalid(f"{self.source}: no column {name!r}, but {', '.join(self._columns)}")
        if stratify is not None and group is not None:
            raise invalid("stratify, group: expected at most one of the two")
        column = stratify or group
        keys = None if column is None else [_key(value) for value in self._columns[column]]
        parts = split_rows(len(self), sizes, seed, keys, is_grouped=group is not None)
        return [self.take(part) for part in parts]

    def renamed(self, roles: Mapping[str, str]) -> Table:
        """The same with other names for some columns, whose values become what these names mean,
        such as ``{"label": "target"}``."""
        columns: dict[str, list[Any]] = {roles.get(name, name): [] for name in self._columns}
        for row, values in enumerate(self):
            try:
                made = row_values({roles.get(name, name): value for name, value in values.items()}, {})
            except ValueError as error:
                raise corrupt(self.source, f"{place_name(self._places[row])}: {error}") from None
            for name, column in columns.items():
                column.append(made[name])
        return Table._of(columns, self.source, self._places, [])

    def write_squad(self, path: str | os.PathLike[str], form: Literal["squad", "cmrc"] = "squad") -> None:
        """Writes questions, their contexts and answers as JSON, which :meth:`read` reads. Rows keep
        their order. Those of one group that follow each other are an article with its name; without
        ids, questions have numbers.

        :param form: ``"squad"``: what the scripts of SQuAD and CMRC measure by, in SQuAD's second
            version where a question has no answer, else in its first. ``"cmrc"``: the list that
            CMRC 2018 first came as, whose answers are texts alone, so that they are read as
            standing where they first occur.
        """
        write_squad(path, self, form)

    def __getitem__(self, column: str) -> list[Any]:
        try:
            return self._columns[column]
        except KeyError:
            raise invalid(f"{self.source}: no column {column!r}, but {', '.join(self._columns) or 'none'}") from None

    def __contains__(self, column: object) -> bool:
        return column in self._columns

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each row, as its values by the columns' names."""
        for row in range(len(self)):
            yield {name: values[row] for name, values in self._columns.items()}

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"<graft.Table, {len(self)} rows of {', '.join(self._columns) or 'nothing'}, {self.source}>"


def table_of(reading: Reading, bad_rows: BadRows = "error") -> Table:
    """All rows of a reading."""
    rows = _Rows(reading, bad_rows)
    table = rows.table(chain.from_iterable(iter(rows.next_part, [])))
    rows.warn()
    return table


def placed_table(columns: dict[str, list[Any]], source: str, places: Sequence[int | str]) -> Table:
    """Values that need no check, with where their rows stand."""
    return Table._of(columns, source, places, [])


class _Rows:
    """The rows of a reading in parts, without the bad ones."""

    def __init__(self, reading: Reading, bad_rows: BadRows, count: int = 10_000) -> None:
        if bad_rows not in ("error", "skip"):
            raise invalid(f"bad_rows: expected 'error' or 'skip', found {bad_rows!r}")
        self._reading, self._skips, self._count = reading, bad_rows == "skip", count
        self._rows = iter(reading)
        self._read = 0
        #: Those since the latest part.
        self._skipped: list[str] = []
        #: The first of all, and how many they are.
        self._first, self._left_out = "", 0

    def next_part(self) -> list[Row]:
        """As many rows as a part has, or fewer at the end."""
        part: list[Row] = []
        for row in self._rows:
            if isinstance(row, BadRow):
                self._skip(row)
                continue
            part.append(row)
            if len(part) == self._count:
                break
        self._read += len(part)
        return part

    def _skip(self, row: BadRow) -> None:
        message = f"{place_name(row.place)}: {row.message}"
        if not self._skips:
            raise corrupt(self._reading.name, message)
        self._skipped.append(f"{self._reading.name}: {message}")
        self._first = self._first or self._skipped[0]
        self._left_out += 1

    def table(self, rows: Iterable[Row]) -> Table:
        columns: dict[str, list[Any]] = {role: [] for role in self._reading.roles}
        places: list[int | str] = []
        for row in rows:
            places.append(row.place)
            for role, values in columns.items():
                values.append(row.values[role])
        return Table._of(columns, self._reading.name, places, self._skipped)

    def tables(self) -> Iterator[Table]:
        while part := self.next_part():
            table = self.table(part)
            self._skipped = []
            yield table
        self.warn()

    def warn(self) -> None:
        """Says how many rows were left out."""
        if self._left_out:
            rows = self._read + self._left_out
            warn(f"{self._left_out} of {rows} rows were left out, the first for {self._first}")


def _key(value: Any) -> str:
    return "\0".join(map(str, value)) if isinstance(value, list) else str(value)
