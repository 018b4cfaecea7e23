"""Numbers that were predicted, beside the true ones."""

from __future__ import annotations

import math
from collections import Counter

from .kinds import VALUES
from .markup import Html
from .numbers import counted, shown
from .parts import Column, Section, figure, figures, table
from .plot import Axis, Plot
from .predictions import Predictions

#: From so many rows on their density is drawn, and not each of them.
MOST_POINTS = 1500
CELLS = 48
BINS = 31


def section_of(predictions: Predictions) -> Section | None:
    """None where no numbers are predicted."""
    if predictions.task != VALUES:
        return None
    parts = []
    names = predictions.labels
    for place in range(len(predictions.truth[0])):
        of = f" of {names[place]}" if len(predictions.truth[0]) > 1 and place < len(names) else ""
        truth = [row[place] for row in predictions.truth]
        given = [row[place] for row in predictions.predicted]
        parts += [_scatter(truth, given, of), _residuals(truth, given, of)]
    return Section("values", "Values", figures(*parts))


def _scatter(truth: list[float], given: list[float], of: str) -> Html:
    x, y = Axis.around("True", truth), Axis.around("Predicted", given)
    plot = Plot(x, y, width=420, height=330)
    says = f"{counted(len(truth))} rows; on the dotted line both are the same."
    if len(truth) <= MOST_POINTS:
        for point in zip(truth, given):
            plot.dot(point, "point", 3, f"true {shown(point[0])}, predicted {shown(point[1])}")
    else:
        says += " A square is as dark as it has rows, on a logarithmic scale."
        density(plot, truth, given)
    low, high = max(x.low, y.low), min(x.high, y.high)
    if low < high:
        plot.curve(((low, low), (high, high)), "guide")
    return figure(f"True and predicted{of}", says, plot.svg(f"Scatter of true and predicted values{of}. {says}"))


def density(plot: Plot, truth: list[float], given: list[float]) -> None:
    """Squares that are as dark as they have points."""
    x, y = plot.x_axis, plot.y_axis
    width, height = (x.high - x.low) / CELLS, (y.high - y.low) / CELLS
    counts = Counter(
        (min(CELLS - 1, int((one - x.low) / width)), min(CELLS - 1, int((other - y.low) / height)))
        for one, other in zip(truth, given)
        if math.isfinite(one) and math.isfinite(other)
    )
    most = max(counts.values(), default=1)
    for (column, row), count in sorted(counts.items()):
        left, bottom = x.low + column * width, y.low + row * height
        opacity = 0.12 + 0.88 * math.log1p(count) / math.log1p(most)
        plot.cell((left, left + width), (bottom, bottom + height), opacity, f"{counted(count)} rows")


def _residuals(truth: list[float], given: list[float], of: str) -> Html:
    errors = [other - one for one, other in zip(truth, given)]
    low, high, counts = histogram(errors, BINS)
    width = (high - low) / len(counts)
    plot = Plot(
        Axis.around("Predicted − true", [low, high]), Axis.around("Rows", counts, from_zero=True), width=420, height=330
    )
    for place, count in enumerate(counts):
        start = low + place * width
        plot.bar(start, start + width, count, f"{shown(start)} to {shown(start + width)}: {counted(count)} rows")
    mean = math.fsum(errors) / len(errors)
    spread = math.hypot(*(error - mean for error in errors)) / math.sqrt(len(errors))
    says = f"Mean {shown(mean)}, standard deviation {shown(spread)}."
    rows = [
        [f"{shown(low + place * width)} to {shown(low + (place + 1) * width)}", counted(count)]
        for place, count in enumerate(counts)
    ]
    numbers = table(f"Residuals{of}", [Column("Predicted − true", ""), Column("Rows")], rows)
    return figure(f"Residuals{of}", says, plot.svg(f"Histogram of residuals{of}. {says}"), numbers)


def histogram(values: list[float], count: int) -> tuple[float, float, list[int]]:
    """Where it begins and ends, and how many values each of equally wide bins has."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    if not high > low:
        low, high = low - 0.5, low + 0.5
    counts = [0] * count
    for value in known:
        counts[min(count - 1, int((value - low) / (high - low) * count))] += 1
    return low, high, counts
