"""The texts: how long they are, and which of them went wrong."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..answers import ANSWERS
from ..entities import TAGS
from .kinds import HIDDEN, PREFERRED, TEXTS
from .markup import Html, quoted
from .mistakes import KINDS, worst
from .numbers import counted, percent, shown
from .parts import Column, Section, figure, figures, table
from .plot import Axis, Plot
from .predictions import Predictions

BINS = 30


class Lengths(NamedTuple):
    """How long the texts of one kind are."""

    title: str
    #: Of each row, or of each text in which words were hidden.
    values: list[int]
    unit: str


def lengths_of(predictions: Predictions) -> list[Lengths]:
    """Of what was read, and of what should be written of it; none without texts."""
    texts, is_written = predictions.texts, predictions.task in TEXTS
    wanted = [row[0] for row in predictions.truth] if is_written and texts is not None else None
    sides = [
        ("Length of the sources" if is_written else "Length", predictions.lengths, texts),
        ("Length of the references", predictions.target_lengths, wanted),
    ]
    return [
        Lengths(title, lengths or list(map(len, own or [])), "tokens" if lengths else "characters")
        for title, lengths, own in sides
        if lengths or own
    ]


def bins_of(lengths: list[int]) -> tuple[int, list[int]]:
    """The width of a bin, and how many rows each has, from length 0 on."""
    width = max(1, math.ceil((max(lengths) + 1) / BINS))
    counts = [0] * (max(lengths) // width + 1)
    for length in lengths:
        counts[length // width] += 1
    return width, counts


def section_of(predictions: Predictions) -> Section | None:
    """Lengths; None without texts."""
    found = [_lengths(predictions, *own) for own in lengths_of(predictions)]
    return Section("lengths", "Lengths of the texts", figures(*found)) if found else None


def _lengths(predictions: Predictions, title: str, lengths: list[int], unit: str) -> Html:
    limit, of = predictions.maximum_length, "texts" if predictions.task == HIDDEN else "rows"
    width, counts = bins_of(lengths)
    plot = Plot(
        Axis.around(unit.capitalize(), [0, width * len(counts)], from_zero=True),
        Axis.around(of.capitalize(), counts, from_zero=True),
    )
    for place, count in enumerate(counts):
        start, end = place * width, (place + 1) * width
        spelt = f"{start} to {end - 1}" if width > 1 else str(start)
        plot.bar(start, end, count, f"{spelt} {unit}: {counted(count)} {of}")
    ordered = sorted(lengths)
    middle, most = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    says = f"Median {counted(middle)} {unit}; 95 % of the {of} have up to {counted(most)}, "
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
    numbers = table(f"{title}: {of} by {unit}", [Column(unit.capitalize(), ""), Column(of.capitalize())], rows)
    return figure(title, says, plot.svg(f"{title}: histogram. {says}"), numbers)


def mistakes_of(predictions: Predictions) -> Section | None:
    """The worst mistakes; None where there is none, or none can be told."""
    found = worst(predictions)
    if not found:
        return None
    columns = [Column("Row"), *([Column("Text", "text")] if predictions.texts is not None else [])]
    kind, is_long = KINDS[predictions.task], predictions.task in (*TEXTS, PREFERRED)
    how, most = ("text", 400) if is_long else ("name", 200)
    columns += [Column(kind.expected, how), Column(kind.predicted, how), Column(kind.score)]
    rows = []
    for mistake in found:
        text = [quoted(mistake.text)] if predictions.texts is not None else []
        told = [quoted(own or "none", most) for own in (mistake.expected, mistake.predicted)]
        score = abs(mistake.score)
        written = counted(score) if float(score).is_integer() and score > 1 else shown(score)
        rows.append([counted(mistake.row + 1), *text, *told, written])
    caption = f"The {len(found)} worst, worst first. Rows are counted from 1."
    return Section("mistakes", "Worst mistakes", table(caption, columns, rows))
