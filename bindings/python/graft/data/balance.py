"""Classes that occur unequally often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..errors import invalid
from ..values import as_list


def class_weights(labels: Iterable[Any], label_names: Iterable[str] | None = None) -> list[float]:
    """Weights with which every class counts the same, as scikit-learn's "balanced": rows / (classes
    · rows of the class). For ``class_weights`` of :class:`Trainer`.

    :param labels: of each row its name, or its number.
    :param label_names: in the order of their numbers; None: those that occur, sorted.
    """
    given = as_list(labels, "labels", "names or numbers")
    names: list[Any]
    if label_names is None:
        names = sorted(set(given))
    else:
        names = as_list(label_names, "label_names", "strings")
        if not any(isinstance(label, str) for label in given):
            names = list(range(len(names)))
    counts = Counter(given)
    missing = [name for name in names if not counts[name]]
    if missing or len(counts) != len(set(names)):
        what = (
            f"class {missing[0]!r} has no row"
            if missing
            else f"label {next(iter(counts.keys() - set(names)))!r} is not among them"
        )
        raise invalid(f"label_names: {what}")
    return [len(given) / (len(names) * counts[name]) for name in names]
