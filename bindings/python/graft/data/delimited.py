"""Tables in text files: CSV and TSV, with the quotes of RFC 4180."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ..errors import GraftError, invalid, with_source
from .columns import LABEL_COLUMNS, ROLES, is_known, is_number
from .lines import read_lines
from .records import BadRow, Record, Records, Settings, sampled

DELIMITERS = (",", "\t", ";", "|")
#: Rows by which a delimiter is judged.
JUDGED = 50


def fields(lines: Iterable[tuple[int, str]], delimiter: str, quoted: bool) -> Iterator[tuple[int, list[str]] | BadRow]:
    """The fields of each row, with the number of its first line. Empty lines are no rows.

    Where fields may be quoted, one that begins with a quote ends with the next single one, and
    holds what is between: delimiters, line ends, and quotes, each written as two.
    """
    rest = iter(lines)
    for number, line in rest:
        if not quoted or '"' not in line:
            if line := line.removesuffix("\r"):
                yield number, line.split(delimiter)
            continue
        row: list[str] = []
        at = 0
        while True:
            if not line.startswith('"', at):
                end = line.find(delimiter, at)
                if end < 0:
                    row.append(line[at:].removesuffix("\r"))
                    break
                row.append(line[at:end])
                at = end + 1
                continue
            parts: list[str] = []
            at += 1
            while True:
                end = line.find('"', at)
                if end >= 0 and not line.startswith('""', end):
                    parts.append(line[at:end])
                    at = end + 1
                    break
                if end >= 0:
                    parts.append(line[at : end + 1])
                    at = end + 2
                    continue
                parts += [line[at:], "\n"]
                following = next(rest, None)
                if following is None:
                    yield BadRow(
                        number, "a quote is opened and never closed: quoted=False, if quotes mean nothing here"
                    )
                    return
                (_, line), at = following, 0
            row.append("".join(parts))
            if line[at:] in ("", "\r"):
                break
            if not line.startswith(delimiter, at):
                yield BadRow(number, f"expected {delimiter!r} after a closing quote, found {line[at : at + 20]!r}")
                row = []
                break
            at += len(delimiter)
        if row:
            yield number, row


def open_csv(path: str, settings: Settings) -> Records:
    """Columns between commas, or what the first rows have in their place; quotes but between
    tabs."""
    sample, lines = sampled(read_lines(path, settings.encodings))
    delimiter = settings.delimiter or _likely([line for _, line in sample])
    return _opened(path, lines, delimiter, delimiter != "\t" if settings.quoted is None else settings.quoted, settings)


def open_tsv(path: str, settings: Settings) -> Records:
    """Columns between tabs, without quotes."""
    lines = read_lines(path, settings.encodings)
    return _opened(path, lines, settings.delimiter or "\t", bool(settings.quoted), settings)


def _likely(lines: Sequence[str]) -> str:
    """The delimiter that gives most of the first rows the same number of columns."""
    best, best_share = DELIMITERS[0], 0.0
    for delimiter in DELIMITERS:
        rows = [row for row in fields(enumerate(lines), delimiter, delimiter != "\t") if not isinstance(row, BadRow)]
        widths = Counter(len(row) for _, row in rows[:JUDGED])
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        if width > 1 and (share := count / widths.total()) > best_share:
            best, best_share = delimiter, share
    return best


def _opened(path: str, lines: Iterable[tuple[int, str]], delimiter: str, quoted: bool, settings: Settings) -> Records:
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise invalid(f"delimiter: expected one character, no quote and no line's end; found {delimiter!r}")
    sample, rows = sampled(fields(lines, delimiter, quoted))
    good = [row for row in sample if not isinstance(row, BadRow)]
    if not good:
        return Records(iter([row for row in sample if isinstance(row, BadRow)]))
    first = good[0][1]
    try:
        has_header = _has_header([row for _, row in good], settings)
    except GraftError as error:
        raise with_source(path, error) from None
    if not has_header:
        return Records(_rows(rows, len(first), settings.ragged), width=len(first))
    header = sample.index(good[0])
    after = (row for number, row in enumerate(rows) if number != header)
    return Records(_rows(after, len(first), settings.ragged), first, width=len(first))


def _rows(rows: Iterable[tuple[int, list[str]] | BadRow], width: int, ragged: bool) -> Iterator[Record | BadRow]:
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        number, values = row
        if len(values) == width or (ragged and len(values) > width):
            yield Record(number, values[:width])
        else:
            yield BadRow(number, f"expected {width} columns, found {len(values)}")


def _has_header(rows: Sequence[Sequence[str]], settings: Settings) -> bool:
    """Whether the first row names the columns."""
    if settings.header is not None:
        return settings.header
    given = [column if isinstance(column, (list, tuple)) else [column] for column in settings.columns.values()]
    said = [column for columns in given for column in columns if column is not None]
    if any(isinstance(column, str) for column in said):
        return True
    first, others = rows[0], rows[1:]
    columns = [[row[number] for row in others if number < len(row)] for number in range(len(first))]
    names = [(name, column) for name, column in zip(first, columns) if name]
    # Names of columns differ, and stand in no row.
    may_be = len({name for name, _ in names}) == len(names) and not any(name in column for name, column in names)
    known = [name for name, _ in names if is_known(name)] if may_be else []
    if len(known) > 1 or (known and (len(first) == 1 or known[0].strip().casefold() in ROLES["text"])):
        return True
    label = settings.columns.get("label", settings.columns.get("target"))
    if not said and len(first) in (2, 3):
        label = -1
    if not isinstance(label, int):
        return False
    return begins_with_header([row[label] for row in rows if -len(row) <= label < len(row)], None, set())


def begins_with_header(labels: Sequence[str], header: bool | None, names: set[str] | None) -> bool:
    """Whether the first of a column of labels is the column's name. Where it may be either, that is
    an error that asks.

    :param names: the names of the labels; None or empty: not known.
    """
    if header is not None:
        return header
    first, others = labels[0], Counter(labels[1:])
    if first in others or (names and first in names):
        return False
    if first.strip().casefold() in LABEL_COLUMNS:
        return True
    if others and not is_number(first) and all(map(is_number, others)):
        return True
    if 0 < 2 * len(others) <= others.total() or (names and others):
        raise invalid(
            f"the first line ends in {first!r}, which ends no other line: pass header=True if it names the columns, "
            "header=False if it is a row"
        )
    return False
