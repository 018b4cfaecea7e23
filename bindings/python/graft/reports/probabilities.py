"""What the probabilities are worth: ROC, precision and recall, reliability."""

from __future__ import annotations

import math

from ..errors import GraftError
from ..metrics import Evaluation
from .curves import Curve, Reliability, precision_recall, reliability, roc
from .kinds import CHOICES, SETS
from .markup import Html, joined, quoted
from .numbers import counted, percent, shown
from .parts import Column, Section, figure, figures, table
from .plot import Axis, Plot
from .predictions import Predictions


def section_of(evaluation: Evaluation | None, predictions: Predictions | None) -> Section | None:
    """None where there are no probabilities."""
    source = predictions if predictions is not None else evaluation
    if source is None:
        return None
    try:
        curves, precisions = roc(source), precision_recall(source)
    except GraftError:  # the evaluation was copied, and its rows are not there
        curves, precisions = [], []
    found = None if predictions is None else reliability(predictions)
    parts = []
    if curves:
        parts.append(_areas(curves, "ROC", "AUC", ("False positive rate", "True positive rate"), ((0, 0), (1, 1))))
    if precisions:
        parts.append(_areas(precisions, "Precision and recall", "Average precision", ("Recall", "Precision"), None))
    if found is not None and predictions is not None:
        parts += [_reliability(found, predictions), _confidence(found)]
    return Section("probabilities", "Probabilities", figures(*parts)) if parts else None


def _areas(
    curves: list[Curve],
    title: str,
    area: str,
    axes: tuple[str, str],
    guide: tuple[tuple[float, float], tuple[float, float]] | None,
) -> Html:
    plot = Plot(Axis.of_parts(axes[0]), Axis.of_parts(axes[1]), width=420, height=330)
    if guide is not None:
        plot.curve(guide, "guide")
    lowest = min(curves, key=lambda curve: curve.area)
    for curve in sorted(curves, key=lambda curve: curve is lowest):
        plot.curve(curve.points, "main" if curve is lowest else "", f"{curve.name}: {area} {shown(curve.area)}")
    rows = [[quoted(curve.name, 80), shown(curve.area, 4), counted(curve.row_count)] for curve in curves]
    numbers = table(f"{area} of each label", [Column("Label", "name"), Column(area), Column("Rows that have it")], rows)
    if len(curves) == 1:
        says: Html = joined(["Of ", quoted(lowest.name, 80), f": {area} {shown(lowest.area)}."])
    else:
        mean = math.fsum(curve.area for curve in curves) / len(curves)
        says = joined(
            [
                f"Each label against the others; {area} {shown(mean)} in the mean. In colour: the lowest, ",
                quoted(lowest.name, 80),
                f", {shown(lowest.area)}.",
            ]
        )
    label = f"{title}, {len(curves)} {'curve' if len(curves) == 1 else 'curves'}. Lowest {area} {shown(lowest.area)}."
    return figure(title, says, plot.svg(label), numbers)


def _reliability(found: Reliability, predictions: Predictions) -> Html:
    plot = Plot(Axis.of_parts("Probability"), Axis.of_parts("Part that is right"), width=420, height=330)
    plot.curve(((0, 0), (1, 1)), "guide")
    known = [own for own in found.bins if own.size]
    most = max(own.size for own in known)
    plot.curve([(own.confidence, own.accuracy) for own in known], "main")
    for own in known:
        title = f"probability {shown(own.confidence)}: {percent(own.accuracy)} of {counted(own.size)} right"
        plot.dot((own.confidence, own.accuracy), "dot", 2.5 + 5 * math.sqrt(own.size / most), title)
    of = {SETS: "Each probability", CHOICES: "The probability of the choice that is taken"}.get(
        predictions.task, "The probability of the predicted label"
    )
    says = (
        f"{of}, in {len(found.bins)} bins, and how often it is right. Expected calibration error: "
        f"{shown(found.error)}. A larger dot has more predictions."
    )
    columns = [
        Column("Probability", ""),
        Column("Predictions"),
        Column("Mean probability"),
        Column("Part that is right"),
    ]
    rows = [
        [
            f"{shown(own.low, 2)} to {shown(own.high, 2)}",
            counted(own.size),
            shown(own.confidence),
            percent(own.accuracy),
        ]
        for own in found.bins
    ]
    return figure(
        "Reliability", says, plot.svg(f"Reliability diagram. {says}"), table("Reliability by bins", columns, rows)
    )


def _confidence(found: Reliability) -> Html:
    most = max(own.size for own in found.bins)
    plot = Plot(
        Axis.of_parts("Probability"), Axis.around("Predictions", [0, most], from_zero=True), width=420, height=330
    )
    for own in found.bins:
        plot.bar(own.low, own.high, own.size, f"{shown(own.low, 2)} to {shown(own.high, 2)}: {counted(own.size)}")
    total = sum(own.size for own in found.bins)
    sure = sum(own.size for own in found.bins if own.low >= 0.8 - 1e-9)
    says = f"{percent(sure / total)} of the {counted(total)} predictions have a probability of at least 0.8."
    return figure("How sure the predictions are", says, plot.svg(f"Histogram of probabilities. {says}"), None)
