"""Figures for notebooks, of the same things as the pages of :func:`graft.report`.

>>> figure = graft.figures.roc(predictions)
>>> figure.savefig("roc.svg")

Each is a ``matplotlib.figure.Figure``, which notebooks show; it belongs to no window and need not
be closed. The status of an error is UNSUPPORTED where matplotlib is not installed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .errors import invalid
from .metrics import Evaluation

if TYPE_CHECKING:
    from .adapter import Adapter
    from .logs.history import History
    from .reports.curves import Curve
    from .reports.predictions import Predictions

__all__ = [
    "confusion", "learning_curves", "lengths", "precision_recall", "reliability", "roc", "values", "weights"
]  # fmt: skip

ACCENT, INK, QUIET, RULE = "#0b5c8f", "#1b1f23", "#5a636d", "#dfe3e7"
#: The font of a figure that is 3.4 inches high, in points.
SIZE = 9


def learning_curves(history: History) -> Any:
    """Loss, measures of the evaluations, learning rate and gradient norm over the steps."""
    from .reports import training
    from .reports.numbers import spelt

    steps, mean, evaluations = training.loss_curves(history)
    if not steps and not evaluations:
        raise invalid("history: expected steps or evaluations, found none")
    figure, ((loss, measures), (rate, norm)) = _figure(2, 2, (9, 6))
    if mean:
        loss.plot(*zip(*steps), color=ACCENT, alpha=0.3, linewidth=0.8)
    if steps:
        loss.plot(*zip(*(mean or steps)), color=ACCENT, label="training, running mean" if mean else "training")
    if evaluations:
        loss.plot(*zip(*evaluations), color=INK, linestyle="--", marker="o", markersize=3, label="validation")
    loss.legend(frameon=False, fontsize=SIZE - 1)
    _names(loss, "Loss", "Step", "")
    styles = ((ACCENT, "-"), (INK, "--"), (QUIET, ":"))
    for (color, style), (name, points) in zip(styles, training.measure_curves(history).items()):
        measures.plot(*zip(*points), color=color, linestyle=style, marker="o", markersize=3, label=spelt(name))
        measures.legend(frameon=False, fontsize=SIZE - 1)
    _names(measures, "Measures on validation", "Step", "")
    for axes, name in ((rate, "learning_rate"), (norm, "gradient_norm")):
        if points := training.setting_curve(history, name):
            axes.plot(*zip(*points), color=ACCENT)
            axes.set_ylim(bottom=0)
        _names(axes, spelt(name), "Step", "")
    return figure


def confusion(evaluation: Evaluation) -> Any:
    """The confusion matrix, a row for each true label, as dark as its part of the row. Of many
    labels it has the 24 with most mistakes."""
    from .reports.labels import shown_labels
    from .reports.markup import shortened

    if not evaluation.confusion:
        raise invalid("evaluation: expected one with a confusion matrix")
    places = shown_labels(evaluation)
    side = 2.2 + 0.38 * len(places)
    figure, axes = _figure(1, 1, (side + 0.6, side))
    shares = [
        [evaluation.confusion[true][label] / (sum(evaluation.confusion[true]) or 1) for label in places]
        for true in places
    ]
    axes.imshow(shares, cmap=_shades(), vmin=0, vmax=1)
    axes.grid(False)
    names = [shortened(evaluation.labels[label]).replace("$", r"\$") for label in places]
    axes.set_xticks(range(len(places)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(places)), names)
    for row, true in enumerate(places):
        for column, label in enumerate(places):
            if count := evaluation.confusion[true][label]:
                color = "white" if shares[row][column] > 0.6 else INK
                axes.text(column, row, f"{count}", ha="center", va="center", color=color, fontsize=SIZE - 1)
    _names(axes, "Confusion matrix", "Predicted", "True")
    return figure


def roc(source: Evaluation | Predictions) -> Any:
    """ROC curves: of the second of two labels, or of each label against the others."""
    from .reports import curves

    figure = _curves(curves.roc(source), "ROC", "AUC", ("False positive rate", "True positive rate"))
    figure.axes[0].plot((0, 1), (0, 1), color=QUIET, linestyle=":", linewidth=1)
    return figure


def precision_recall(source: Evaluation | Predictions) -> Any:
    """Precision over recall: of the second of two labels, or of each label against the others."""
    from .reports import curves

    return _curves(
        curves.precision_recall(source), "Precision and recall", "average precision", ("Recall", "Precision")
    )


def reliability(predictions: Predictions) -> Any:
    """How often predictions of a probability are right, in 15 bins, and how many there are."""
    from .reports import curves

    found = curves.reliability(predictions)
    if found is None:
        raise invalid("predictions: expected probabilities of labels")
    figure, (axes, counts) = _figure(2, 1, (4.2, 5), height_ratios=(3, 1), sharex=True)
    known = [own for own in found.bins if own.size]
    axes.plot((0, 1), (0, 1), color=QUIET, linestyle=":", linewidth=1)
    axes.plot(
        [own.confidence for own in known], [own.accuracy for own in known], color=ACCENT, marker="o", markersize=4
    )
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    _names(axes, f"Reliability, expected calibration error {found.error:.3f}", "", "Part that is right")
    width = found.bins[0].high - found.bins[0].low
    counts.bar([own.low for own in found.bins], [own.size for own in found.bins], width, align="edge", color=ACCENT)
    _names(counts, "", "Probability", "Predictions")
    return figure


def lengths(predictions: Predictions) -> Any:
    """How many rows have which length, in tokens, or else in characters; of texts that are to be
    written beside those that they are written of."""
    from .reports import texts

    found = texts.lengths_of(predictions)
    if not found:
        raise invalid("predictions: expected texts or lengths")
    figure, (row,) = _figure(1, len(found), (5 * len(found), 3.2), squeeze=False)
    for axes, (title, own, unit) in zip(row, found):
        width, counts = texts.bins_of(own)
        axes.bar([place * width for place in range(len(counts))], counts, width, align="edge", color=ACCENT)
        if predictions.maximum_length is not None and unit == "tokens" and predictions.maximum_length <= max(own):
            axes.axvline(predictions.maximum_length, color=INK, linestyle="--", linewidth=1)
        _names(axes, title, unit.capitalize(), "Rows")
    return figure


def values(predictions: Predictions) -> Any:
    """Predicted values over true ones, and a histogram of what they differ by; of several values a
    row for each."""
    from .reports.kinds import VALUES

    if predictions.task != VALUES:
        raise invalid(f"predictions: expected those of regression, found {predictions.task}")
    count = len(predictions.truth[0])
    figure, rows = _figure(count, 2, (9, 3.6 * count), squeeze=False)
    for place, (scatter, residuals) in enumerate(rows):
        truth = [row[place] for row in predictions.truth]
        given = [row[place] for row in predictions.predicted]
        scatter.scatter(truth, given, s=9, color=ACCENT, alpha=0.5, linewidths=0, rasterized=len(truth) > 5000)
        scatter.axline((0, 0), slope=1, color=INK, linestyle=":", linewidth=1)
        scatter.set(xlim=_around(truth), ylim=_around(given))
        name = f" of {predictions.labels[place]}" if count > 1 and place < len(predictions.labels) else ""
        _names(scatter, f"True and predicted{name}", "True", "Predicted")
        residuals.hist([one - other for one, other in zip(given, truth)], bins=31, color=ACCENT, rwidth=0.95)
        _names(residuals, f"Residuals{name}", "Predicted − true", "Rows")
    return figure


def weights(adapter: Adapter | str | os.PathLike[str]) -> Any:
    """Norms of an adapter's parameters, a map of layers and modules for each kind of them.

    :param adapter: itself, or its folder.
    """
    import math

    from .adapter import Adapter
    from .reports.weights import files_of, norms

    found = norms(files_of(adapter if isinstance(adapter, Adapter) else os.fsdecode(adapter)))
    inside = [own for own in found if own.layer is not None]
    if not inside:
        raise invalid("adapter: expected parameters in layers, found none")
    kinds = list(dict.fromkeys(own.kind for own in inside))
    layers = sorted({own.layer for own in inside if own.layer is not None})
    modules = [list(dict.fromkeys(own.module for own in inside if own.kind == kind)) for kind in kinds]
    height = 0.9 * len(kinds) + 0.28 * sum(map(len, modules))
    heights = [len(own) + 1 for own in modules]
    figure, rows = _figure(len(kinds), 1, (3.4 + 0.42 * len(layers), height), height_ratios=heights, squeeze=False)
    for kind, names, (axes,) in zip(kinds, modules, rows):
        by_place = {(own.module, own.layer): own.norm for own in inside if own.kind == kind}
        grid = [[by_place.get((module, layer), math.nan) for layer in layers] for module in names]
        shown = axes.imshow(grid, cmap=_shades(), vmin=0, aspect="auto")
        axes.grid(False)
        axes.set_xticks(range(len(layers)), [str(layer) for layer in layers])
        axes.set_yticks(range(len(names)), names)
        figure.colorbar(shown, ax=axes)
        _names(axes, kind, "Layer", "")
    return figure


def _curves(found: list[Curve], title: str, area: str, names: tuple[str, str]) -> Any:
    if not found:
        raise invalid("source: expected probabilities of labels, each true of some rows and not of all")
    figure, axes = _figure(1, 1, (4.4, 4))
    lowest = min(found, key=lambda curve: curve.area)
    for curve in found:
        style = {"color": ACCENT, "linewidth": 1.8, "zorder": 3} if curve is lowest else {"color": QUIET, "alpha": 0.6}
        label = f"{curve.name}: {area} {curve.area:.3f}".replace("$", r"\$")
        axes.plot(*zip(*curve.points), label=label if curve is lowest or len(found) <= 6 else None, **style)
    axes.legend(frameon=False, fontsize=SIZE - 1)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    _names(axes, title, *names)
    return figure


def _figure(rows: int, columns: int, size: tuple[float, float], **settings: Any) -> tuple[Any, Any]:
    """A figure of no window, and its axes."""
    from .logs.needed import needed

    figure = needed("matplotlib.figure", "matplotlib", "graft.figures").Figure(size, layout="constrained")
    sharing = {name: settings.pop(name) for name in ("sharex", "squeeze") if name in settings}
    axes = figure.subplots(rows, columns, gridspec_kw=settings or None, **sharing)
    for own in figure.axes:
        own.spines[["top", "right"]].set_visible(False)
        own.spines[["left", "bottom"]].set_color(QUIET)
        own.tick_params(colors=QUIET, labelsize=SIZE - 1)
        own.grid(axis="y", color=RULE, linewidth=0.8)
        own.set_axisbelow(True)
    return figure, axes


def _shades() -> Any:
    """From nothing to all, as a map of colours."""
    from .logs.needed import needed

    colors = needed("matplotlib.colors", "matplotlib", "graft.figures")
    return colors.LinearSegmentedColormap.from_list("accent", ["white", ACCENT])


def _around(numbers: list[float]) -> tuple[float, float]:
    """All of them, and somewhat more."""
    low, high = min(numbers), max(numbers)
    more = 0.05 * (high - low) or 0.5
    return low - more, high + more


def _names(axes: Any, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=SIZE + 1, fontweight="semibold", color=INK)
    axes.set_xlabel(x, fontsize=SIZE, color=QUIET)
    axes.set_ylabel(y, fontsize=SIZE, color=QUIET)
