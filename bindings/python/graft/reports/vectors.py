"""Vectors of texts: what their cosines say of pairs that were judged, and what they find."""

from __future__ import annotations

from .kinds import VECTORS
from .markup import Html, joined
from .numbers import counted, shown, spelt
from .parts import Column, Section, figure, figures, keys, table
from .plot import Axis, Plot
from .predictions import Predictions
from .regression import MOST_POINTS, density

BINS = 40
SHOWN = ("ndcg_at_k", "mrr", "map", "recall_at_k", "precision_at_k")


def section_of(predictions: Predictions) -> Section | None:
    """None where there are no vectors."""
    if predictions.task != VECTORS:
        return None
    truth, given = ([row[0] for row in rows] for rows in (predictions.truth, predictions.predicted))
    parts: list[Html] = [figures(_scatter(truth, given), _histogram(truth, given))]
    if predictions.retrieval is not None:
        found = predictions.retrieval
        what = f"What is found: of {counted(found.row_count)} texts that have a pair which is alike, its place among all"
        rows = [[spelt(name).replace("at k", "at 10"), shown(found.values[name])] for name in SHOWN]
        parts.append(table(what, [Column("Measure", ""), Column("Value")], rows))
    return Section("vectors", "Vectors", joined(parts))


def _scatter(truth: list[float], given: list[float]) -> Html:
    plot = Plot(Axis.around("Judged", truth), Axis.around("Cosine", given), width=420, height=330)
    says = f"{counted(len(truth))} pairs. What counts is the order: the more alike two texts are, the higher."
    if len(truth) <= MOST_POINTS:
        for point in zip(truth, given):
            plot.dot(point, "point", 3, f"judged {shown(point[0])}, cosine {shown(point[1])}")
    else:
        says += " A square is as dark as it has pairs, on a logarithmic scale."
        density(plot, truth, given)
    return figure("Cosines and judgements", says, plot.svg(f"Scatter of cosines over judgements. {says}"))


def _histogram(truth: list[float], given: list[float]) -> Html:
    """Of pairs that were judged alike, and of the others."""
    middle = (min(truth) + max(truth)) / 2
    axis = Axis.around("Cosine", given)
    width = (axis.high - axis.low) / BINS
    counts = [[0] * BINS, [0] * BINS]
    for value, cosine in zip(truth, given):
        counts[value < middle][min(BINS - 1, int((cosine - axis.low) / width))] += 1
    plot = Plot(axis, Axis.around("Pairs", counts[0] + counts[1], from_zero=True), width=420, height=330)
    for kind, own in zip(("main", "other"), counts):
        points = [(axis.low + (place + side) * width, count) for place, count in enumerate(own) for side in (0, 1)]
        plot.curve(points, kind)
    alike, others = (sum(own) for own in counts)
    says = (
        f"{counted(alike)} pairs were judged {shown(middle)} or more, {counted(others)} less: the less both overlap, the "
        "better the vectors tell them apart."
    )
    rows = [
        [f"{shown(axis.low + place * width)} to {shown(axis.low + (place + 1) * width)}", counted(one), counted(other)]
        for place, (one, other) in enumerate(zip(*counts))
    ]
    numbers = table("Pairs by cosine", [Column("Cosine", ""), Column("Alike"), Column("Not alike")], rows)
    named = keys(("main", "alike"), ("other", "not alike"))
    return figure("Cosines", says, plot.svg(f"Histograms of cosines. {says}"), numbers, named)
