"""Rows that are in memory, or that something else reads: frames, `datasets`, iterators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import invalid
from .records import BadRow, Record, Records, Settings, keyed, sampled


def open_object(source: Any, settings: Settings) -> Records:
    """Whatever :meth:`graft.Table.read` takes that is no file."""
    if isinstance(source, Mapping):
        return _columns(source)
    features = getattr(source, "features", None)
    if hasattr(source, "column_names") and isinstance(getattr(source, "column_names"), (list, type(None))):
        return _data_set(source, features if isinstance(features, Mapping) else {})
    if hasattr(source, "columns") and (hasattr(source, "itertuples") or hasattr(source, "iter_rows")):
        return _frame(source)
    if isinstance(source, (str, bytes)) or not isinstance(source, Iterable):
        raise TypeError(f"source: expected a path, a table or an iterable of rows, found {type(source).__name__}")
    return _iterator(source)


def _columns(columns: Mapping[str, Any]) -> Records:
    """Columns by their names."""
    for name, values in columns.items():
        if hasattr(values, "column_names"):
            raise TypeError(f"source: found several splits: give one of {', '.join(map(repr, columns))}")
        if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
            raise TypeError(f"source: expected a list for each column, found {type(values).__name__} at {name!r}")
    lists = [list(values) for values in columns.values()]
    if len(set(map(len, lists))) > 1:
        lengths = ", ".join(f"{name}: {len(values)}" for name, values in zip(columns, lists))
        raise invalid(f"source: expected columns of one length, found {lengths}")
    return Records(_numbered(zip(*lists)), [str(name) for name in columns], width=len(lists))


def _frame(frame: Any) -> Records:
    """A frame of pandas or Polars."""
    rows = frame.itertuples(index=False, name=None) if hasattr(frame, "itertuples") else frame.iter_rows()
    names = [str(name) for name in frame.columns]
    return Records(_numbered(rows), names, width=len(names))


def _data_set(source: Any, features: Mapping[str, Any]) -> Records:
    """A split of `datasets`, which may be a stream."""
    records = keyed(_numbered(source))
    for name, feature in features.items():
        inner = getattr(feature, "feature", feature)
        names = getattr(inner, "names", None)
        if names is not None:
            records.class_names = {**records.class_names, name: list(names)}
    return records


def _iterator(source: Iterable[Any]) -> Records:
    """Rows with names, or of equally many values."""
    sample, rows = sampled(_numbered(source))
    first = next((row for row in sample if isinstance(row, Record)), None)
    if first is None or isinstance(first.values, Mapping):
        return keyed(row if isinstance(row, BadRow) or isinstance(row.values, Mapping) else _odd(row) for row in rows)
    width = len(first.values)
    return Records((_odd(row, width) if isinstance(row, Record) else row for row in rows), width=width)


def _odd(row: Record, width: int = -1) -> Record | BadRow:
    """A row unlike the first is a bad one."""
    if not isinstance(row.values, Mapping) and len(row.values) == width:
        return row
    kind = "names" if isinstance(row.values, Mapping) else f"{len(row.values)} values"
    return BadRow(row.place, f"expected a row as the first, found one of {kind}")


def _numbered(rows: Iterable[Any]) -> Iterator[Record | BadRow]:
    for number, row in enumerate(rows):
        if isinstance(row, (Mapping, tuple, list)):
            yield Record(f"row {number}", row)
        else:
            yield BadRow(
                f"row {number}", f"expected values by their names, or a tuple of them; found {type(row).__name__}"
            )
