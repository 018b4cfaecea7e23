"""What predictions of each task are worth, as :mod:`graft.evaluation` measures it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import evaluation as measuring
from ..answers import ANSWERS
from ..entities import TAGS
from ..metrics import Evaluation
from .kinds import ANSWERED, CHOICES, HIDDEN, LABELS, PREFERRED, RANKINGS, SETS, VALUES, VECTORS, WRITTEN

if TYPE_CHECKING:
    from .predictions import Predictions


def evaluate(given: Predictions) -> Evaluation:
    """All that applies to its task."""
    return EVALUATIONS[given.task](given)


def _labels(given: Predictions) -> Evaluation:
    if len(given.labels) == 2:
        second = array("d", (row[1] for row in given.predicted))
        return measuring.scores(given.truth, second, label_names=given.labels, threshold=given.thresholds[1])
    return measuring.scores(given.truth, given.predicted, label_names=given.labels)


def _sets(given: Predictions) -> Evaluation:
    return measuring.label_sets(given.marks(), given.predicted, label_names=given.labels, threshold=given.thresholds)


def _values(given: Predictions) -> Evaluation:
    return measuring.values(given.truth, given.predicted)


def _vectors(given: Predictions) -> Evaluation:
    """Correlations alone, since cosines have a scale of their own."""
    return _only(_values(given), "spearman", "pearson", "kendall")


def _tags(given: Predictions) -> Evaluation:
    made = measuring.tags(given.truth, given.predicted)
    # Of characters, what single tags measure is of no use.
    return _only(made, *(name for name in made.values if "entity" in name)) if given.of_characters else made


def _answers(given: Predictions) -> Evaluation:
    return measuring.answers(given.predicted, given.truth, script=given.script)


def _rankings(given: Predictions) -> Evaluation:
    return measuring.rankings(given.truth, given.predicted, k=10)


def _accuracy(given: Predictions) -> Evaluation:
    """How many are right, of what has other labels in each row."""
    rights = list(map(int, given.rights()))
    made = _only(measuring.labels([1] * len(rights), rights, label_names=[0, 1]), "accuracy")
    made.labels, made.confusion = [], []
    return made


def _hidden(given: Predictions) -> Evaluation:
    made = _accuracy(given)
    losses = [-math.log(probability) if probability > 0 else math.inf for _, probability in given.predicted]
    mean = math.fsum(losses) / len(losses)
    made.values["perplexity"] = math.exp(mean) if mean < 700 else math.inf
    return made


def _written(given: Predictions) -> Evaluation:
    made = measuring.texts(given.predicted, given.truth, tokenize=given.tokenize)
    made.values = {**given.measured, **made.values}
    return made


def _preferred(given: Predictions) -> Evaluation:
    """What a trainer measures of rewards, of which nothing keeps the rows."""
    pairs = [(row[truth], row[1 - truth]) for truth, row in zip(given.truth, given.predicted)]
    chosen, rejected = (math.fsum(side) / len(pairs) for side in zip(*pairs))
    values = {
        "rewards_chosen": chosen,
        "rewards_rejected": rejected,
        "rewards_accuracies": sum(one > other for one, other in pairs) / len(pairs),
        "rewards_margins": chosen - rejected,
    }
    return Evaluation(values, len(pairs))


def _only(made: Evaluation, *names: str) -> Evaluation:
    made.values = {name: made.values[name] for name in names}
    return made


EVALUATIONS: dict[str, Callable[[Predictions], Evaluation]] = {
    LABELS: _labels,
    SETS: _sets,
    VALUES: _values,
    TAGS: _tags,
    ANSWERS: _answers,
    VECTORS: _vectors,
    CHOICES: _accuracy,
    RANKINGS: _rankings,
    HIDDEN: _hidden,
    WRITTEN: _written,
    ANSWERED: _written,
    PREFERRED: _preferred,
}
