"""Scores from which a text has a label."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .errors import invalid
from .values import as_list, float_of, require_length, shown


def thresholds_of(given: float | Iterable[float], count: int, probabilities: bool = True) -> list[float]:
    """One for each of so many labels, of probabilities from 0 to 1; a number is that of all."""
    if not isinstance(given, Iterable):
        return [_checked(given, "threshold", probabilities)] * count
    values = as_list(given, "threshold", "numbers")
    require_length(values, count, "threshold", "label")
    return [_checked(value, f"threshold[{place}]", probabilities) for place, value in enumerate(values)]


def _checked(value: float, name: str, probabilities: bool) -> float:
    try:
        number = float_of(value)
    except (TypeError, ValueError):
        raise invalid(f"{name}: expected a number, found {shown(value)}") from None
    if not (0 <= number <= 1 if probabilities else math.isfinite(number)):
        raise invalid(f"{name}: expected {'0 to 1' if probabilities else 'a finite number'}, found {shown(value)}")
    return number
