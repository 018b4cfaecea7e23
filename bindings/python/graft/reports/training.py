"""How the training went: loss, measures, learning rate and gradient norm over the steps."""

from __future__ import annotations

from ..logs.history import History
from .markup import Html
from .numbers import counted, shown, spelt
from .parts import Column, Section, figure, figures, keys, table
from .plot import Axis, Plot
from .thinning import Point, thinned

#: Rows of a table of steps.
SHOWN_STEPS = 25
#: From so many steps on, the loss of single batches is drawn behind its running mean.
SMOOTHED = 40
#: Measures that are drawn, of those that the training has.
SHOWN_MEASURES = (
    "accuracy", "macro_f1", "entity_f1", "exact_match", "micro_f1", "mcc", "pearson", "spearman", "r2", "span_f1", "ndcg",
    "rewards_accuracies",
)  # fmt: skip
MOST_MEASURES, TABLED_MEASURES = 3, 7
KINDS = ("main", "other", "")


def section_of(history: History) -> Section | None:
    """None where nothing was kept."""
    if not history.steps and not history.evaluations:
        return None
    pictures = [
        _loss(history),
        _measures(history),
        _setting(history, "learning_rate"),
        _setting(history, "gradient_norm"),
    ]
    return Section("training", "Training", figures(*[picture for picture in pictures if picture is not None]))


def loss_curves(history: History) -> tuple[list[Point], list[Point], list[Point]]:
    """Of the steps, of their running mean, of the evaluations."""
    steps = _points(history.steps, "loss")
    return steps, smoothed(steps), _points(history.evaluations, "loss")


def measure_curves(history: History) -> dict[str, list[Point]]:
    """Up to three measures of the evaluations."""
    found = {name: _points(history.evaluations, name) for name in SHOWN_MEASURES}
    if found["accuracy"]:
        found["micro_f1"] = []  # where there is one label of each row it is the accuracy
    return dict([(name, points) for name, points in found.items() if points][:MOST_MEASURES])


def smoothed(points: list[Point]) -> list[Point]:
    """The running mean, of about a twentieth of all steps; none of few steps."""
    if len(points) < SMOOTHED:
        return []
    keep = 1 - 2 / (len(points) / 20 + 1)
    mean, weight, found = 0.0, 0.0, []
    for x, y in points:
        # Divided by the sum of the weights so far, it begins at the first loss and not at 0.
        mean, weight = keep * mean + (1 - keep) * y, keep * weight + 1 - keep
        found.append((x, mean / weight))
    return found


def setting_curve(history: History, name: str) -> list[Point]:
    """Of the steps, what they have by a name."""
    return _points(history.steps, name)


def _loss(history: History) -> Html | None:
    steps, mean, evaluations = loss_curves(history)
    if not steps and not evaluations:
        return None
    thin, shown_steps = thinned(mean or steps), thinned(steps)
    last = max(x for x, _ in steps + evaluations)
    plot = Plot(Axis.of_steps("Step", last), Axis.around("Loss", [y for _, y in steps + evaluations], from_zero=True))
    if mean:
        plot.curve(shown_steps, "pale")
    plot.curve(thin, "main", "training")
    plot.curve(evaluations, "other", "validation")
    for step, loss in evaluations if len(evaluations) <= 40 else []:
        plot.dot((step, loss), "ring", 3, f"step {counted(step)}: {shown(loss, 4)}")
    named = [("main", "training, running mean" if mean else "training")] if steps else []
    named += [("other", "validation")] if evaluations else []
    says = (
        f"Mean of the batches, from {shown(steps[0][1])} to {shown((mean or steps)[-1][1])}."
        if steps
        else "Of the evaluations."
    )
    if evaluations:
        best = min(evaluations, key=lambda point: point[1])
        says += f" Lowest on validation: {shown(best[1])} after step {counted(best[0])}."
    return figure("Loss", says, plot.svg(f"Loss over steps. {says}"), _steps_table(history), keys(*named))


def _measures(history: History) -> Html | None:
    curves = measure_curves(history)
    if not curves:
        return None
    points = [point for curve in curves.values() for point in curve]
    plot = Plot(Axis.of_steps("Step", max(x for x, _ in points)), Axis.around("", [y for _, y in points]))
    for kind, (name, curve) in zip(KINDS, curves.items()):
        plot.curve(thinned(curve), kind, spelt(name))
        for x, y in curve if len(curve) <= 40 else []:
            plot.dot((x, y), "dot" if kind == "main" else "ring", 3, f"step {counted(x)}: {spelt(name)} {shown(y)}")
    first = next(iter(curves))
    best = max(curves[first], key=lambda point: point[1])
    says = f"{spelt(first)} is highest after step {counted(best[0])}: {shown(best[1])}."
    first_ones = ("loss", *SHOWN_MEASURES, "roc_auc", "mse", "mae")
    evaluated = [name for name in first_ones if name in history.evaluations[0]][:TABLED_MEASURES]
    rows = [
        [counted(own["step"]), *(shown(own[name], 4) if name in own else "–" for name in evaluated)]
        for own in history.evaluations
    ]
    columns = [Column("Step"), *(Column(spelt(name)) for name in evaluated)]
    numbers = table("Measures of each evaluation", columns, _some(rows))
    named = keys(*((kind, spelt(name)) for kind, name in zip(KINDS, curves)))
    return figure("Measures on validation", says, plot.svg(f"Measures over steps. {says}"), numbers, named)


def _setting(history: History, name: str) -> Html | None:
    points = _points(history.steps, name)
    if not points:
        return None
    most = max(points, key=lambda point: point[1])
    plot = Plot(
        Axis.of_steps("Step", points[-1][0]),
        Axis.around(spelt(name), [y for _, y in points], from_zero=True),
        height=200,
    )
    plot.curve(thinned(points), "main")
    what = "Of each step" if name == "learning_rate" else "Of all parameters together, before it is clipped"
    says = f"{what}; at most {shown(most[1])}, at step {counted(most[0])}."
    return figure(spelt(name), says, plot.svg(f"{spelt(name)} over steps. {says}"))


def _steps_table(history: History) -> Html:
    names = [
        name
        for name in ("loss", "learning_rate", "gradient_norm", "tokens_per_second")
        if history.steps and name in history.steps[0]
    ]
    rows = [[counted(own["step"]), *(shown(own.get(name, float("nan")), 4) for name in names)] for own in history.steps]
    count = len(rows)
    caption = "Steps" if count <= SHOWN_STEPS else f"Some of the {counted(count)} steps"
    return table(caption, [Column("Step"), *(Column(spelt(name)) for name in names)], _some(rows))


def _some(rows: list[list[str]]) -> list[list[str]]:
    """Evenly spread, the first and the last among them."""
    if len(rows) <= SHOWN_STEPS:
        return rows
    return [rows[round(number * (len(rows) - 1) / (SHOWN_STEPS - 1))] for number in range(SHOWN_STEPS)]


def _points(records: list[dict[str, float]], name: str) -> list[Point]:
    return [(float(own["step"]), float(own[name])) for own in records if name in own]
