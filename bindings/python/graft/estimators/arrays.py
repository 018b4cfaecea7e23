"""Values as callers give and get them: numpy's arrays, where there is numpy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import invalid
from ..values import as_list, float_of, require_length, shown, text_bytes

#: What there is one value for.
ROW = "row of X"


def array(values: Any, dtype: Any = None) -> Any:
    """As numpy's array; without numpy as it is."""
    try:
        import numpy
    except ImportError:
        return values
    return numpy.asarray(values, dtype)


def columns(values: Any) -> int | None:
    """How many columns a table or an array of two dimensions has; None for anything else."""
    shape = getattr(values, "shape", None)
    return int(shape[1]) if isinstance(shape, tuple) and len(shape) == 2 else None


def rows_of(values: Any, name: str, of: str) -> list[Any]:
    """The values of each row, or the lists of them, as Python has them."""
    if hasattr(values, "toarray"):  # scipy's sparse ones
        values = values.toarray()
    if hasattr(values, "to_numpy"):  # tables and their columns
        values = values.to_numpy()
    elif not hasattr(values, "tolist") and hasattr(values, "__array__"):
        values = array(values)
    if hasattr(values, "tolist"):
        as_list(values, name, of, 2)
        listed: list[Any] = values.tolist()
        return listed
    return [value.tolist() if hasattr(value, "tolist") else value for value in as_list(values, name, of)]


def column_of(values: Any, name: str, of: str) -> list[Any]:
    """The value of each row, also of a table with one column."""
    given = rows_of(values, name, of)
    return [row[0] for row in given] if columns(values) == 1 else given


class Texts:
    """Texts, or pairs of them: from a list of both, or from a table with a column or two."""

    def __init__(self, values: Any) -> None:
        width = columns(values)
        if width is not None and width not in (1, 2):
            raise invalid(f"X: expected texts, or two columns of them; found {width} columns")
        given = column_of(values, "X", "texts")
        if not given:
            raise invalid("X: expected texts; found 0 samples")
        self.firsts: list[str] = given
        self.seconds: list[str] | None = None
        if width == 2 or isinstance(given[0], (tuple, list)):
            for row, pair in enumerate(given):
                if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                    raise invalid(f"X[{row}]: expected a pair of texts, as X[0]; found {shown(pair)}")
            self.firsts, self.seconds = [first for first, _ in given], [second for _, second in given]
        for row, text in enumerate(self.firsts):
            text_bytes(text, f"X[{row}]")
        for row, text in enumerate(self.seconds or ()):
            text_bytes(text, f"X[{row}]")

    def __len__(self) -> int:
        return len(self.firsts)

    def chosen(self, rows: Iterable[int]) -> tuple[list[str], list[str] | None]:
        """Some rows' texts, and their second ones."""
        numbers = list(rows)
        seconds = None if self.seconds is None else [self.seconds[row] for row in numbers]
        return [self.firsts[row] for row in numbers], seconds


def candidates_of(values: Any) -> tuple[list[str], list[list[str]]]:
    """Texts, and the candidates of each."""
    given = rows_of(values, "X", "pairs of a text and its candidates")
    if not given:
        raise invalid("X: expected texts with candidates; found 0 samples")
    for row, pair in enumerate(given):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not isinstance(pair[1], (tuple, list)):
            raise invalid(f"X[{row}]: expected a text and a list of candidates; found {shown(pair)}")
        for name, text in [("", pair[0]), *((f"[1][{place}]", own) for place, own in enumerate(pair[1]))]:
            text_bytes(text, f"X[{row}]{name or '[0]'}")
    return [text for text, _ in given], [list(candidates) for _, candidates in given]


def row_weights(given: Any, count: int) -> list[float] | None:
    """``sample_weight``: one for each of the rows."""
    if given is None:
        return None
    weights = rows_of(given, "sample_weight", "numbers")
    for row, weight in enumerate(weights):
        try:
            weights[row] = float_of(weight)
        except (TypeError, ValueError):
            raise invalid(f"sample_weight[{row}]: expected a number, found {shown(weight)}") from None
    require_length(weights, count, "sample_weight", ROW)
    return weights
