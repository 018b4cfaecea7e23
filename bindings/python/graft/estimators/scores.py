"""What ``score`` gives: scikit-learn's numbers, without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .arrays import require_length, rows_of


def accuracy(true: Sequence[Any], found: Sequence[Any], sample_weight: Any = None) -> float:
    """The part of rows that are right in full."""
    weights = _weights(sample_weight, len(true))
    right = sum(weight for weight, own, other in zip(weights, true, found) if own == other)
    return float(right / sum(weights))


def r2(true: Sequence[Sequence[float]], found: Sequence[Sequence[float]], sample_weight: Any = None) -> float:
    """The part of the variance that is explained: the mean over the columns."""
    weights = _weights(sample_weight, len(true))
    scores = []
    for own, other in zip(zip(*true), zip(*found)):
        mean = sum(weight * value for weight, value in zip(weights, own)) / sum(weights)
        total = sum(weight * (value - mean) ** 2 for weight, value in zip(weights, own))
        rest = sum(weight * (value - guess) ** 2 for weight, value, guess in zip(weights, own, other))
        scores.append(1 - rest / total if total else float(not rest))
    return sum(scores) / len(scores)


def _weights(given: Any, count: int) -> list[float]:
    if given is None:
        return [1.0] * count
    weights = [float(weight) for weight in rows_of(given, "sample_weight", "numbers")]
    require_length(weights, count, "sample_weight")
    return weights
