"""The right one of several choices."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

from ..adapter import HeadPooling
from ..data.table import Table
from ..table_tasks.choices import Choices, softmax
from ..values import require_length
from .arrays import ROW, array, candidates_of, column_of
from .parameters import scikit_learn_utils
from .trained import TrainedEstimator, check_call


@dataclass(repr=False, eq=False)
class ChoiceClassifier(TrainedEstimator):
    """Picks the right one of the choices of each question: an estimator as scikit-learn's, which it
    needs not.

    ``X`` is pairs of a question and a list of choices, of which there may be any number, and ``y``
    the right one of each: its number from 0, its letter from A, or its text.
    """

    _: KW_ONLY
    #: As of :class:`TextClassifier`.
    pooling: HeadPooling | None = "mean"

    def fit(self, X: Any, y: Any = None, **unsupported: Any) -> ChoiceClassifier:
        """Trains an adapter on questions, their choices and the right ones."""
        check_call(y, unsupported)
        self._fit_table(_table(X, y), Choices(), self.pooling)
        return self

    def predict(self, X: Any) -> Any:
        """The number of the choice of each question that is likeliest the right one."""
        return array([shares.index(max(shares)) for shares in self.predict_proba(X)])

    def predict_proba(self, X: Any) -> list[list[float]]:
        """How likely each choice of each question is the right one."""
        session, (questions, choices) = self._session(), candidates_of(X)
        return [softmax(scores) for scores in session.score(questions, choices)]

    def score(self, X: Any, y: Any) -> float:
        """The accuracy."""
        right = _table(X, y)["right"]
        return sum(int(own == other) for own, other in zip(right, self.predict(X))) / len(right)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        tags.classifier_tags = scikit_learn_utils().ClassifierTags()
        return tags


def _table(X: Any, y: Any) -> Table:
    (questions, choices), given = candidates_of(X), column_of(y, "y", "numbers")
    require_length(given, len(questions), "y", ROW)
    return Table({"text": questions, "candidates": choices, "right": given})
