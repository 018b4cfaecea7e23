"""The texts: how long they are, and which of them went wrong."""

from __future__ import annotations

import math

from ..answers import ANSWERS
from ..entities import TAGS
from .markup import Html, quoted
from .mistakes import score_name, worst
from .numbers import counted, percent, shown
from .parts import Column, Section, figure, figures, table
from .plot import Axis, Plot
from .predictions import Predictions

BINS = 30


def lengths_of(predictions: Predictions) -> tuple[list[int], str]:
    """Of each row, and what is counted; empty without texts."""
    if predictions.lengths is not None:
        return predictions.lengths, "tokens"
    return [] if predictions.texts is None else list(map(len, predictions.texts)), "characters"


def bins_of(lengths: list[int]) -> tuple[int, list[int]]:
    """The width of a bin, and how many rows each has, from length 0 on."""
    width = max(1, math.ceil((max(lengths) + 1) / BINS))
    counts = [0] * (max(lengths) // width + 1)
    for length in lengths:
        counts[length // width] += 1
    return width, counts


def section_of(predictions: Predictions) -> Section | None:
    """Lengths; None without texts."""
    lengths, unit = lengths_of(predictions)
    return (
        Section("lengths", "Lengths of the texts", figures(_lengths(predictions, lengths, unit)))
        if lengths
        else None
    )


def _lengths(predictions: Predictions, lengths: list[int], unit: str) -> Html:
    limit = predictions.maximum_length
    width, counts = bins_of(lengths)
    plot = Plot(
        Axis.around(unit.capitalize(), [0, width * len(counts)], from_zero=True),
        Axis.around("Rows", counts, from_zero=True),
    )
    for place, count in enumerate(counts):
        start, end = place * width, (place + 1) * width
        spelt = f"{start} to {end - 1}" if width > 1 else str(start)
        plot.bar(start, end, count, f"{spelt} {unit}: {counted(count)} rows")
    ordered = sorted(lengths)
    middle, most = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    says = f"Median {counted(middle)} {unit}; 95 % of the rows have up to {counted(most)}, "
    says += f"the longest {counted(ordered[-1])}."
    if limit is not None and unit == "tokens":
        cut = sum(length > limit for length in lengths)
        said = f"{counted(cut)} ({percent(cut / len(lengths))}) are" if cut else "None is"
        has_windows = predictions.task in (TAGS, ANSWERS)
        says += f" {said} longer than {counted(limit)}, {'of which windows have' if has_windows else 'where texts are cut'}."
        if limit < plot.x_axis.high:
            name = f"a window's {limit}" if has_windows else f"cut at {limit}"
            plot.curve([(limit, 0), (limit, plot.y_axis.high)], "other", name)
    rows = [[f"{place * width} to {(place + 1) * width - 1}", counted(count)] for place, count in enumerate(counts)]
    numbers = table("Rows by length", [Column(unit.capitalize(), ""), Column("Rows")], rows)
    return figure("Length", says, plot.svg(f"Histogram of lengths. {says}"), numbers)


def mistakes_of(predictions: Predictions) -> Section | None:
    """The worst mistakes; None where there is none, or none can be told."""
    found = worst(predictions)
    if not found:
        return None
    columns = [Column("Row"), *([Column("Text", "text")] if predictions.texts is not None else [])]
    columns += [Column("Expected", "name"), Column("Predicted", "name"), Column(score_name(predictions.task))]
    rows = []
    for mistake in found:
        text = [quoted(mistake.text)] if predictions.texts is not None else []
        told = [quoted(mistake.expected or "none", 200), quoted(mistake.predicted or "none", 200)]
        score = (
            counted(mistake.score) if float(mistake.score).is_integer() and mistake.score > 1 else shown(mistake.score)
        )
        rows.append([counted(mistake.row + 1), *text, *told, score])
    caption = f"The {len(found)} worst, worst first. Rows are counted from 1."
    return Section("mistakes", "Worst mistakes", table(caption, columns, rows))
