"""Names of labels to numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from .errors import invalid
from .values import int_array


def named_labels(given: list[Any], names: list[str] | None) -> tuple[list[str], list[int]]:
    """The labels' names, as given or else those that occur, sorted; and each row's number."""
    are_names = {isinstance(label, str) for label in given}
    if len(are_names) > 1:
        raise invalid("labels: expected numbers or names, found both")
    if names is None:
        names = sorted(set(map(str, given))) if True in are_names else []
    return names, label_numbers(given, names)


def label_sets(given: list[Any], names: list[str] | None) -> tuple[list[str], list[list[float]]]:
    """The same for rows that each have a list of names: 1 for each of its labels, and 0 for the
    others."""
    for row, labels in enumerate(given):
        if not isinstance(labels, (list, tuple, set, frozenset)) or not all(isinstance(label, str) for label in labels):
            raise invalid(f"labels: expected a list of names for each text, found {labels!r} in row {row}")
    if names is None:
        names = sorted(set(chain.from_iterable(given)))
    known = numbered(names)
    rows = []
    for row, labels in enumerate(given):
        numbers = [0.0] * len(names)
        for label in labels:
            if label not in known:
                raise invalid(f"labels: row {row} has {label!r}, which is not among {', '.join(names)}")
            numbers[known[label]] = 1.0
        rows.append(numbers)
    return names, rows


def numbered(names: Sequence[str]) -> dict[str, int]:
    """The numbers of different names."""
    known = {name: number for number, name in enumerate(names)}
    if len(known) != len(names):
        raise invalid(f"label_names: expected different names, found {', '.join(names)}")
    return known


def label_numbers(labels: Sequence[int | str], names: Sequence[str]) -> list[int]:
    """The numbers of labels that are names; where there are names, labels that are numbers must be
    theirs."""
    known = numbered(names)
    numbers: list[int] = []
    for row, label in enumerate(labels):
        if isinstance(label, str) and label not in known:
            raise invalid(f"labels: row {row} has {label!r}, which is not among {', '.join(known)}")
        numbers.append(known[label] if isinstance(label, str) else label)
    for row, number in enumerate(int_array(numbers, "labels")):
        if known and not 0 <= number < len(known):
            raise invalid(f"labels: row {row} has {number}; label_names are 0 to {len(known) - 1}")
    return numbers
