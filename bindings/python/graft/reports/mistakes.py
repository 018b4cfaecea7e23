"""The rows that an adapter is most wrong about."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from heapq import nlargest
from typing import Any, NamedTuple

from .. import evaluation as measuring
from ..answers import ANSWERS
from ..entities import TAGS
from .kinds import ANSWERED, CHOICES, HIDDEN, LABELS, PREFERRED, RANKINGS, SETS, VALUES, VECTORS, WRITTEN
from .numbers import shown
from .predictions import Predictions

SHOWN = 20


class Mistake(NamedTuple):
    """A row that was got wrong."""

    #: From 0.
    row: int
    text: str
    expected: str
    predicted: str
    #: How wrong, see :class:`Kind`: the more, the worse; of what should be large, its negative.
    score: float


class Kind(NamedTuple):
    """How the mistakes of a task are found and named."""

    find: Callable[[Predictions], Iterator[Mistake]]
    #: What makes a mistake bad.
    score: str
    expected: str = "Expected"
    predicted: str = "Predicted"


def worst(predictions: Predictions, count: int = SHOWN) -> list[Mistake]:
    """The worst first."""
    found = KINDS[predictions.task].find(predictions)
    return nlargest(count, found, key=lambda mistake: (mistake.score, -mistake.row))


def _labels(given: Predictions) -> Iterator[Mistake]:
    for row, (truth, chosen) in enumerate(zip(given.truth, given.chosen())):
        if given.labels[chosen] != truth:
            yield Mistake(row, _text(given, row), str(truth), given.labels[chosen], given.predicted[row][chosen])


def _sets(given: Predictions) -> Iterator[Mistake]:
    for row, marks in enumerate(given.marks()):
        probabilities = given.predicted[row]
        chosen = [probability >= least for probability, least in zip(probabilities, given.thresholds)]
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


def _choices(given: Predictions) -> Iterator[Mistake]:
    for row, (truth, chosen) in enumerate(zip(given.truth, given.chosen())):
        if chosen != truth:
            right, taken = (_candidate(given, row, place) for place in (truth, chosen))
            yield Mistake(row, _text(given, row), right, taken, given.predicted[row][chosen])


def _rankings(given: Predictions) -> Iterator[Mistake]:
    """Rows whose most relevant candidate is not the first; of equally relevant ones the best placed
    counts."""
    for row, (relevance, scores) in enumerate(zip(given.truth, given.predicted)):
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        most = max(relevance)
        number = next(number for number, place in enumerate(order) if relevance[place] == most)
        if number > 0:
            right, taken = (_candidate(given, row, place) for place in (order[number], order[0]))
            yield Mistake(row, _text(given, row), right, taken, number + 1)


def _hidden(given: Predictions) -> Iterator[Mistake]:
    for row, (truth, (guess, probability)) in enumerate(zip(given.truth, given.predicted)):
        if truth != guess:
            yield Mistake(row, _text(given, row), truth, guess, -probability)


def _written(given: Predictions) -> Iterator[Mistake]:
    for row, (wanted, written) in enumerate(zip(given.truth, given.predicted)):
        if written not in wanted:
            # Of characters, so that no words need to be told from each other.
            chrf = measuring.texts([written], [wanted], tokenize="char").values["chrf"]
            yield Mistake(row, _text(given, row), " / ".join(wanted), written, -chrf)


def _preferred(given: Predictions) -> Iterator[Mistake]:
    """Pairs of which the other answer gained as much as the preferred one, or more."""
    for row, (truth, rewards) in enumerate(zip(given.truth, given.predicted)):
        margin = rewards[truth] - rewards[1 - truth]
        if not margin > 0:
            right, other = (_candidate(given, row, place) for place in (truth, 1 - truth))
            yield Mistake(row, _text(given, row), right, other, -margin)


def _candidate(given: Predictions, row: int, place: int) -> str:
    return f"candidate {place + 1}" if given.candidates is None else given.candidates[row][place]


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


OF_CANDIDATES = ("Right one", "Taken instead")
OF_WRITTEN = Kind(_written, "chrF", "Reference", "Written")
KINDS = {
    LABELS: Kind(_labels, "Probability of the predicted label"),
    SETS: Kind(_sets, "Largest error of a probability"),
    VALUES: Kind(_values, "Error"),
    TAGS: Kind(_tags, "Entities that are wrong or missing"),
    ANSWERS: Kind(_answers, "1 − F1"),
    VECTORS: Kind(_vectors, "Places that it is off, as a part of all"),
    CHOICES: Kind(_choices, "Probability of the one that was taken", *OF_CANDIDATES),
    RANKINGS: Kind(_rankings, "Place of the right one", *OF_CANDIDATES),
    HIDDEN: Kind(_hidden, "Probability of the hidden one", "Hidden", "Guessed"),
    WRITTEN: OF_WRITTEN,
    ANSWERED: OF_WRITTEN,
    PREFERRED: Kind(_preferred, "Reward of the other above it", "Preferred", "Other answer"),
}
