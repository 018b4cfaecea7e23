"""Classes as callers have them, and as the library does."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import chain
from typing import Any

from ..errors import invalid
from ..values import is_missing, shown
from .arrays import array, column_of


class Labels:
    """The classes of rows: one each, or several, as lists of names or as columns of 1 and 0.

    :param any_count: whether rows of one class, or none of any, are as good as others.
    """

    def __init__(self, y: Any, any_count: bool = False) -> None:
        given = column_of(y, "y", "classes")
        dtype = getattr(y, "dtype", None)
        # Frames have types of their own, which are not those of arrays.
        self._dtype = dtype if type(dtype).__module__.startswith("numpy") else None
        lists = [isinstance(row, (list, tuple, set, frozenset)) for row in given]
        if any(lists) and not all(lists):
            raise invalid(
                f"y[{lists.index(False)}]: expected a list of classes, as others are; found {given[lists.index(False)]!r}"
            )
        self.is_multi_label = any(lists)
        #: Whether rows have a column for each class.
        self.has_columns = self.is_multi_label and not _are_names(given)
        #: What each row has: a class, or a tuple of its classes.
        self.rows: list[Any]
        #: The classes, sorted.
        self.values: list[Any]
        if self.has_columns:
            self.rows = [_numbers(row, place, len(given[0])) for place, row in enumerate(given)]
            self.values = list(range(len(given[0])))
        elif self.is_multi_label:
            self.rows = [tuple(sorted(set(row))) for row in given]
            self.values = sorted(set(chain.from_iterable(self.rows)))
        else:
            self.rows = [_class(value, place) for place, value in enumerate(given)]
            self.values = _sorted(self.rows)
        if not any_count and len(self.values) < (1 if self.is_multi_label else 2):
            raise invalid(f"y: expected two classes or more, found one class alone or none: {self.values!r}")
        #: The same as the library's labels.
        self.names = [str(value) for value in self.values]

    @property
    def task(self) -> str:
        """What the adapter's head is for."""
        return "multi_label_classification" if self.is_multi_label else "sequence_classification"

    @property
    def strata(self) -> Sequence[Hashable] | None:
        """What a part of the rows should have as much of as the others."""
        return None if self.is_multi_label else self.rows

    @property
    def classes(self) -> Any:
        """The classes as an array of the type of ``y``."""
        return self._array(self.values)

    def of(self, rows: Iterable[int]) -> list[Any]:
        """Some rows' labels, as a data set takes them."""
        if self.is_multi_label:
            return [[str(value) for value in self.rows[row]] for row in rows]
        number = {value: place for place, value in enumerate(self.values)}
        return [number[self.rows[row]] for row in rows]

    def from_names(self, names: Iterable[str]) -> Any:
        """Classes of the library's names."""
        value = dict(zip(self.names, self.values))
        return self._array([value[name] for name in names])

    def from_sets(self, sets: Iterable[Iterable[str]]) -> Any:
        """Lists of them, in the form that the rows had."""
        lists = [list(names) for names in sets]
        if not self.has_columns:
            return lists
        return array([[int(name in names) for name in self.names] for names in lists])

    def emptied(self) -> Labels:
        """The classes without the rows."""
        self.rows = []
        return self

    def _array(self, values: list[Any]) -> Any:
        return array(values, None if self.has_columns else self._dtype)


def _are_names(lists: list[Any]) -> bool:
    return all(isinstance(value, str) for value in chain.from_iterable(lists))


def _numbers(row: Any, place: int, width: int) -> tuple[int, ...]:
    """The numbers of the columns that are 1."""
    if len(row) != width or not all(value in (0, 1) for value in row):
        raise invalid(f"y[{place}]: expected names of classes, or {width} numbers that are 1 or 0; found {shown(row)}")
    return tuple(column for column, value in enumerate(row) if value)


def _class(value: Any, place: int) -> Any:
    if is_missing(value):
        raise invalid(f"y[{place}]: expected a class; Input y contains NaN or None, a missing value")
    if isinstance(value, float) and not value.is_integer():
        raise invalid(
            f"y[{place}]: Unknown label type: expected names or whole numbers, found {value}: see graft.Regressor"
        )
    return value


def _sorted(rows: list[Any]) -> list[Any]:
    try:
        return sorted(set(rows))
    except TypeError:
        kinds = ", ".join(sorted({type(value).__name__ for value in rows}))
        raise invalid(f"y: expected classes of one type, found {kinds}") from None
