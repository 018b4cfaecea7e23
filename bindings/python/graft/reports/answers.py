"""Answers to questions: how many are right, and of what length."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..answers import ANSWERS
from .bars import Bar, bars
from .markup import Html
from .numbers import counted, percent, shown
from .parts import Column, Section, figure, figures, table
from .plot import Axis, Plot
from .predictions import Predictions

#: The shortest of the answers of a bin, whose longest is just below the next.
LENGTHS = (1, 2, 3, 4, 6, 9, 15, 30)
BINS = 10


def section_of(predictions: Predictions) -> Section | None:
    """None where no questions are answered."""
    if predictions.task != ANSWERS:
        return None
    worth = [(exact, f1) for exact, f1 in predictions.evaluation.table("rows")]
    return Section("answers", "Answers", figures(_by_length(predictions, worth), _histogram([f1 for _, f1 in worth])))


def bin_names(unit: str) -> list[str]:
    """Of questions without an answer, and of answers of each length."""
    ends = [after - 1 for after in LENGTHS[1:]]
    spelt = [str(start) if start == end else f"{start} to {end}" for start, end in zip(LENGTHS, ends)]
    names = [f"{name} {unit}" for name in spelt[1:]]
    return ["no answer", f"1 {unit.removesuffix('s')}", *names, f"{LENGTHS[-1]} {unit} or more"]


def bin_of(accepted: Sequence[str], length: Callable[[str], int]) -> int:
    """The bin of a question: of its shortest answer."""
    if not accepted:
        return 0
    shortest = max(1, min(map(length, accepted)))
    return sum(start <= shortest for start in LENGTHS)


def _by_length(predictions: Predictions, worth: Sequence[tuple[float, float]]) -> Html:
    of_characters = predictions.script == "cmrc"
    unit = "characters" if of_characters else "words"
    places = [bin_of(own, len if of_characters else _word_count) for own in predictions.truth]
    rows, numbers = [], []
    for place, name in enumerate(bin_names(unit)):
        own = [worth[row] for row, other in enumerate(places) if other == place]
        if own:
            exact, f1 = (math.fsum(column) / len(own) for column in zip(*own))
            rows.append(Bar(name, f1, f"{name}: F1 {shown(f1)}, exact match {shown(exact)}, {counted(len(own))} questions"))
            numbers.append([name, shown(f1), shown(exact), counted(len(own))])
    title, lowest = "F1 by the length of the answer", min(rows, key=lambda row: row.value)
    says = f"In {unit}, of the shortest answer that is accepted. Lowest: {lowest.name}, {shown(lowest.value)}."
    columns = [Column("Answer", ""), Column("F1"), Column("Exact match"), Column("Questions")]
    return figure(title, says, bars(rows, f"{title}. {says}"), table(title, columns, numbers), wide=True)


def _word_count(text: str) -> int:
    return len(text.split())


def _histogram(values: Sequence[float]) -> Html:
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int(value * BINS))] += 1
    plot = Plot(Axis.of_parts("F1"), Axis.around("Questions", counts, from_zero=True), width=420, height=330)
    rows = []
    for place, count in enumerate(counts):
        low, high = place / BINS, (place + 1) / BINS
        name = f"{low:g} to {high:g}"
        plot.bar(low, high, count, f"{name}: {counted(count)} questions")
        rows.append([name, counted(count)])
    nothing, all_right = (sum(value == part for value in values) / len(values) for part in (0.0, 1.0))
    says = f"{percent(all_right)} of the answers share all words with an accepted one, {percent(nothing)} none."
    numbers = table("Questions by F1", [Column("F1", ""), Column("Questions")], rows)
    return figure("F1 of the answers", says, plot.svg(f"Histogram of F1. {says}"), numbers)
