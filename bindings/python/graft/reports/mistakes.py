"""The rows that an adapter is most wrong about."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from heapq import nlargest
from typing import Any, NamedTuple

from ..answers import ANSWERS
from ..entities import TAGS
from .numbers import shown
from .predictions import LABELS, SETS, VALUES, VECTORS, Predictions

SHOWN = 20


class Mistake(NamedTuple):
    """A row that was got wrong."""

    #: From 0.
    row: int
    text: str
    expected: str
    predicted: str
    #: How wrong: see :func:`score_name`.
    score: float


def worst(predictions: Predictions, count: int = SHOWN) -> list[Mistake]:
    """The worst first."""
    find = {LABELS: _labels, SETS: _sets, VALUES: _values, TAGS: _tags, ANSWERS: _answers, VECTORS: _vectors}[predictions.task]
    return nlargest(count, find(predictions), key=lambda mistake: (mistake.score, -mistake.row))


def score_name(task: str) -> str:
    """What makes a mistake bad."""
    return {
        LABELS: "Probability of the predicted label",
        SETS: "Largest error of a probability",
        VALUES: "Error",
        TAGS: "Entities that are wrong or missing",
        ANSWERS: "1 − F1",
        VECTORS: "Places that it is off, as a part of all",
    }[task]


def _labels(given: Predictions) -> Iterator[Mistake]:
    for row, (truth, chosen) in enumerate(zip(given.truth, given.chosen())):
        if given.labels[chosen] != truth:
            yield Mistake(row, _text(given, row), str(truth), given.labels[chosen], given.predicted[row][chosen])


def _sets(given: Predictions) -> Iterator[Mistake]:
    for row, marks in enumerate(given.marks()):
        probabilities = given.predicted[row]
        chosen = [probability >= given.threshold for probability in probabilities]
        if any(own != bool(mark) for own, mark in zip(chosen, marks)):
            error = max(abs(mark - probability) for mark, probability in zip(marks, probabilities))
            names = [label for label, own in zip(given.labels, chosen) if own]
            expected = [label for label, mark in zip(given.labels, marks) if mark]
            yield Mistake(row, _text(given, row), ", ".join(expected), ", ".join(names), error)


def _values(given: Predictions) -> Iterator[Mistake]:
    for row, (truth, predicted) in enumerate(zip(given.truth, given.predicted)):
        error = max(abs(one - other) for one, other in zip(truth, predicted))
        if error > 0:
            yield Mistake(row, _text(given, row), ", ".join(map(shown, truth)), ", ".join(map(shown, predicted)), error)


def _tags(given: Predictions) -> Iterator[Mistake]:
    for row, (truth, predicted) in enumerate(zip(given.truth, given.predicted)):
        if list(truth) != list(predicted):
            text = _text(given, row)
            words: Any = text if len(text) == len(truth) else text.split(" ")
            if len(words) != len(truth):
                words = [f"word {place}" for place in range(1, len(truth) + 1)]
            expected, found = set(_entities(truth, words)), set(_entities(predicted, words))
            names = [
                "; ".join(f"{own[0]}: {own[3]}" for own in sorted(one, key=lambda own: own[1]))
                for one in (expected, found)
            ]
            if expected != found:
                yield Mistake(row, text, names[0], names[1], len(expected ^ found))


def _answers(given: Predictions) -> Iterator[Mistake]:
    for row, (_, f1) in enumerate(given.evaluation.table("rows")):
        if f1 < 1:
            yield Mistake(row, _text(given, row), " / ".join(dict.fromkeys(given.truth[row])), given.predicted[row], 1 - f1)


def _vectors(given: Predictions) -> Iterator[Mistake]:
    """Pairs whose place in the order of the cosines is far from that in the order of the
    judgements."""
    places = [_places([row[0] for row in rows]) for rows in (given.truth, given.predicted)]
    for row, (one, other) in enumerate(zip(*places)):
        if one != other:
            truth, cosine = given.truth[row][0], given.predicted[row][0]
            yield Mistake(row, _text(given, row), shown(truth), shown(cosine), abs(one - other))


def _places(values: list[float]) -> list[float]:
    """Where each is in the order of all, from 0 to 1; equal ones are at the middle of theirs."""
    order = sorted(values)
    return [(bisect_left(order, value) + bisect_right(order, value) - 1) / 2 / max(1, len(order) - 1) for value in values]


def _entities(tags: Any, words: Any) -> Iterator[tuple[str, int, int, str]]:
    """Type, first word, the one past the last, and the words."""
    blank = "" if isinstance(words, str) else " "
    start, kind = 0, ""
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, own = tag.partition("-")
        if kind and (prefix in "BSO" or own != kind):
            yield kind, start, place, blank.join(words[start:place])
            kind = ""
        if prefix != "O" and not kind:
            start, kind = place, own
    return


def _text(given: Predictions, row: int) -> str:
    return "" if given.texts is None else given.texts[row]
