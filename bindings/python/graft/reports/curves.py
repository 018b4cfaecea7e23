"""ROC, precision–recall and reliability: what is drawn of them, and their areas."""

from __future__ import annotations

import math
from typing import NamedTuple

from .. import evaluation as measuring
from ..metrics import Evaluation
from .kinds import CHOICES, LABELS, SETS
from .predictions import Predictions
from .thinning import Point, thinned

#: Labels that have a curve of their own, the most frequent first.
SHOWN_LABELS = 12
BINS = 15


class Curve(NamedTuple):
    """A curve of one label."""

    name: str
    points: list[Point]
    #: Below it: the ROC AUC, or the average precision.
    area: float
    #: Rows that have the label.
    row_count: int


class Bin(NamedTuple):
    """Predictions of about the same probability."""

    #: Where it begins, and it ends where the next begins.
    low: float
    high: float
    size: int
    #: Their mean probability, and how many of them were right: NaN in an empty bin.
    confidence: float
    accuracy: float


class Reliability(NamedTuple):
    """How often predictions of a probability are right."""

    bins: list[Bin]
    #: Expected calibration error: the mean distance of both, weighted by the bins' counts.
    error: float


def roc(source: Evaluation | Predictions) -> list[Curve]:
    """True positive rates over false positive rates."""
    return _curves(source, "roc", "roc_auc", (0, 1))


def precision_recall(source: Evaluation | Predictions) -> list[Curve]:
    """Precision over recall."""
    return _curves(source, "precision_recall", "average_precision", (1, 0))


def _curves(source: Evaluation | Predictions, table: str, area: str, columns: tuple[int, int]) -> list[Curve]:
    if isinstance(source, Evaluation):
        if len(source.labels) != 2 or math.isnan(source.values.get(area, math.nan)):
            return []
        count = sum(source.confusion[1]) if source.confusion else 0
        return [_curve(source, source.labels[1], count, table, area, columns)]
    if source.task not in (LABELS, SETS):
        return []
    if source.task == LABELS and len(source.labels) == 2:
        count = sum(label == source.labels[1] for label in source.truth)
        found = [_curve(source.evaluation, source.labels[1], count, table, area, columns)]
        return [] if math.isnan(source.evaluation.values["roc_auc"]) else found
    marks = [source.column(label) for label in range(len(source.labels))]
    order = sorted(range(len(marks)), key=lambda label: -sum(marks[label][0]))[:SHOWN_LABELS]
    found = []
    for label in sorted(order):
        has, probabilities = marks[label]
        if 0 < sum(has) < len(has):
            own = measuring.scores(has, probabilities, label_names=[0, 1], probabilities=False)
            found.append(_curve(own, source.labels[label], sum(has), table, area, columns))
    return found


def _curve(own: Evaluation, name: str, count: int, table: str, area: str, columns: tuple[int, int]) -> Curve:
    x, y = columns
    points = [(row[x], row[y]) for row in own.table(table)]
    if table == "precision_recall":
        # The average precision is the area of steps: up to a recall, precision is the one there.
        corners = [(after[0], before[1]) for before, after in zip(points, points[1:])]
        points = [point for pair in zip(points, [*corners, points[-1]]) for point in pair][:-1]
    return Curve(name, thinned(points), own.values[area], count)


def reliability(predictions: Predictions) -> Reliability | None:
    """Of the labels or choices that rows were given (Guo et al. 2017), or where they may have
    several, of each label of each row. None where there are no probabilities."""
    if predictions.task in (LABELS, CHOICES):
        shares = (row[label] for row, label in zip(predictions.predicted, predictions.chosen()))
        pairs = list(zip(shares, predictions.rights()))
    elif predictions.task == SETS:
        pairs = [
            (probability, bool(mark))
            for row, marks in zip(predictions.predicted, predictions.marks())
            for probability, mark in zip(row, marks)
        ]
    else:
        return None
    if not all(0 <= probability <= 1 for probability, _ in pairs):
        return None
    counts, sums, right = [0] * BINS, [0.0] * BINS, [0] * BINS
    for probability, is_right in pairs:
        place = min(BINS - 1, int(probability * BINS))
        counts[place] += 1
        sums[place] += probability
        right[place] += is_right
    bins = [
        Bin(place / BINS, (place + 1) / BINS, count, sums[place] / count, right[place] / count)
        if count
        else Bin(place / BINS, (place + 1) / BINS, 0, math.nan, math.nan)
        for place, count in enumerate(counts)
    ]
    distances = [own.size * abs(own.confidence - own.accuracy) for own in bins if own.size]
    return Reliability(bins, math.fsum(distances) / len(pairs))
