"""Which labels are taken for which, and how each label does."""

from __future__ import annotations

import math

from ..errors import GraftError
from ..metrics import Evaluation
from .bars import Bar, bars
from .markup import Html, columns_of, joined, quoted, shortened, tag
from .numbers import counted, percent, shown
from .parts import Column, Section, cell_text, figure, names, scrolled, table

#: Labels of the matrix: of more, those with most mistakes.
SHOWN_LABELS = 24
#: Bars of labels: of more, those with the lowest F1.
SHOWN_BARS = 30
#: Labels of a table as wide as a page; of more it lists the most frequent mistakes.
TABLED_LABELS = 6
SHOWN_PAIRS = 60


def section_of(evaluation: Evaluation) -> Section | None:
    """None where there are no labels."""
    entities = _entities(evaluation)
    if entities is not None:
        return Section("labels", "Types of entities", entities)
    parts = [part for part in (_confusion(evaluation), _each(evaluation)) if part is not None]
    return Section("labels", "Labels", joined(parts)) if parts else None


def shown_labels(evaluation: Evaluation) -> list[int]:
    """Numbers of the labels that a picture has room for."""
    counts = evaluation.confusion
    if len(counts) <= SHOWN_LABELS:
        return list(range(len(counts)))
    wrong = [sum(row) + sum(own[label] for own in counts) - 2 * row[label] for label, row in enumerate(counts)]
    return sorted(sorted(range(len(counts)), key=lambda label: -wrong[label])[:SHOWN_LABELS])


def _confusion(evaluation: Evaluation) -> Html | None:
    counts, labels = evaluation.confusion, evaluation.labels
    if not counts:
        return None
    places = shown_labels(evaluation)
    size = 46 if len(places) <= 10 else 34
    width = 16 + 7 * max(columns_of(shortened(labels[label])) for label in places)
    is_turned = width - 16 > size - 6
    top = 20 + (width * 0.72 if is_turned else 14)
    parts = [tag("text", "Predicted", x=width, y=11)]
    for column, label in enumerate(places):
        x = width + size * (column + 0.5)
        turn = f"translate({x + 3:.1f} {top - 7:.1f}) rotate(-45)" if is_turned else None
        where: dict[str, object] = {"transform": turn} if turn else {"x": x, "y": top - 8, "text_anchor": "middle"}
        parts.append(tag("text", shortened(labels[label]), class_="name", **where))
    for row, true in enumerate(places):
        y, total = top + size * row, sum(counts[true])
        parts.append(
            tag("text", shortened(labels[true]), class_="name", x=width - 8, y=y + size / 2 + 4, text_anchor="end")
        )
        for column, label in enumerate(places):
            share = counts[true][label] / total if total else 0.0
            parts += _cell(
                width + size * column, y, size, share, counts[true][label], f"{labels[true]} taken for {labels[label]}"
            )
    full = (width + size * len(places) + 2 + (width * 0.5 if is_turned else 0), top + size * len(places) + 2)
    right = sum(row[label] for label, row in enumerate(counts))
    total = sum(map(sum, counts))
    says = (
        f"Rows: the true label; columns: the predicted one. {counted(right)} of {counted(total)} are right "
        f"({percent(right / total if total else math.nan)}). A cell is as dark as its part of the row is large."
    )
    if len(places) < len(labels):
        says += f" Of {len(labels)} labels those {len(places)} with most mistakes are shown."
    picture = tag(
        "svg",
        *parts,
        viewBox=f"0 0 {full[0]:.0f} {full[1]:.0f}",
        width=round(full[0]),
        height=round(full[1]),
        role="img",
        aria_label=f"Confusion matrix. {says}",
    )
    numbers = _matrix_table(evaluation) if len(labels) <= TABLED_LABELS else _pairs(evaluation)
    return figure("Confusion matrix", says, scrolled(picture, "Confusion matrix"), numbers, wide=True)


def _cell(x: float, y: float, size: float, share: float, count: int, title: str) -> list[Html]:
    cell = tag(
        "rect",
        tag("title", f"{title}: {counted(count)} ({percent(share)} of the row)"),
        class_="cell fill",
        x=x,
        y=y,
        width=size,
        height=size,
        fill_opacity=round(share, 3),
    )
    if not count:
        return [cell]
    text = _short(count)
    return [cell, tag("text", text, class_=cell_text(share), x=x + size / 2, y=y + size / 2 + 4)]


def _short(count: int) -> str:
    """In so little room as a cell has."""
    if count < 10_000:
        return str(count)
    return f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1e6:.1f}M"


def _matrix_table(evaluation: Evaluation) -> Html:
    labels = evaluation.labels
    columns = [Column("True label", "name"), *(Column(shortened(label)) for label in labels)]
    rows = [[quoted(label, 80), *map(counted, counts)] for label, counts in zip(labels, evaluation.confusion)]
    return table("Rows of each pair of true and predicted label", columns, rows)


def _pairs(evaluation: Evaluation) -> Html:
    """Mistakes, since a table of many labels has no room for them all."""
    pairs = [
        (count, true, label)
        for true, row in enumerate(evaluation.confusion)
        for label, count in enumerate(row)
        if count and label != true
    ]
    rows = [
        [quoted(evaluation.labels[true], 80), quoted(evaluation.labels[label], 80), counted(count)]
        for count, true, label in sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:SHOWN_PAIRS]
    ]
    which = (
        "All mistakes"
        if len(pairs) <= SHOWN_PAIRS
        else f"The {SHOWN_PAIRS} most frequent of {counted(len(pairs))} mistakes"
    )
    return table(which, [Column("True label", "name"), Column("Predicted", "name"), Column("Rows")], rows)


def _each(evaluation: Evaluation) -> Html | None:
    found = _table(evaluation, "labels")
    if not found or len(found) != len(evaluation.labels):
        return None
    return _bars("F1 of each label", evaluation.labels, found, "label")


def _entities(evaluation: Evaluation) -> Html | None:
    found = _table(evaluation, "entities") if "entity_f1" in evaluation.values else []
    kinds = list(dict.fromkeys(tag.partition("-")[2] or tag for tag in evaluation.labels if tag != "O"))
    return _bars("F1 of each type of entity", kinds, found, "type") if found and len(found) == len(kinds) else None


def _bars(title: str, labels: list[str], found: list[list[float]], what: str) -> Html:
    """F1 as bars, with precision and recall in the table behind them."""
    places = list(range(len(labels)))
    if len(places) > SHOWN_BARS:
        places = sorted(sorted(places, key=lambda label: found[label][2])[:SHOWN_BARS])
    lowest = min(range(len(labels)), key=lambda label: found[label][2])
    rows = []
    for label in places:
        precision, recall, f1, _ = found[label]
        says = f"{labels[label]}: F1 {shown(f1)}, precision {shown(precision)}, recall {shown(recall)}"
        rows.append(Bar(labels[label], f1, says))
    picture = bars(rows, f"{title}. Lowest: {labels[lowest]}, {shown(found[lowest][2])}.")
    order = [Column(what.capitalize(), "name"), Column("Precision"), Column("Recall"), Column("F1"), Column("How many")]
    numbers = [[quoted(label, 80), *map(shown, own[:3]), counted(own[3])] for label, own in zip(labels, found)]
    says = joined(["Lowest: ", names([labels[lowest]]), f", {shown(found[lowest][2])}."])
    if len(places) < len(labels):
        says = joined([says, f" Of {len(labels)} those {len(places)} with the lowest are shown."])
    return figure(title, says, picture, table(title, order, numbers), wide=True)


def _table(evaluation: Evaluation, name: str) -> list[list[float]]:
    """Of an evaluation that has no such table, or that was copied: empty."""
    try:
        return evaluation.table(name)
    except GraftError:
        return []
