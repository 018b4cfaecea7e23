"""Numbers of texts and of pairs of texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from .. import evaluation
from ..adapter import HeadPooling
from ..dataset import Dataset
from ..errors import invalid
from ..tokenizer import Tokenizer
from ..values import float_of, require_length, shown
from .arrays import ROW, Texts, array, row_weights, rows_of
from .parameters import scikit_learn_utils
from .trained import TrainedEstimator, check_call


@dataclass(repr=False, eq=False)
class Regressor(TrainedEstimator):
    """Learns a number, or several, of each text: an estimator as scikit-learn's, which it needs
    not.

    ``X`` is as of :class:`TextClassifier`; ``y`` is numbers, or an array with a column for each
    number of a text. They are learned as they are: where they are far from 0 to 1 or from each
    other, scikit-learn's TransformedTargetRegressor scales them.
    """

    _: KW_ONLY
    #: As of :class:`TextClassifier`.
    pooling: HeadPooling | None = "mean"

    def fit(self, X: Any, y: Any = None, **unsupported: Any) -> Regressor:
        """Trains an adapter on texts and their numbers."""
        check_call(y, unsupported)
        given = rows_of(y, "y", "numbers")
        texts, targets = Texts(X), _targets(given)
        require_length(targets, len(texts), "y", ROW)
        names = [] if len(targets[0]) == 1 else [f"LABEL_{column}" for column in range(len(targets[0]))]

        def dataset(tokenizer: Tokenizer, rows: Sequence[int]) -> Dataset:
            firsts, seconds = texts.chosen(rows)
            values = [targets[row] for row in rows]
            return Dataset(tokenizer, firsts, targets=values, pairs=seconds, maximum_length=self.maximum_length)

        self._fit(dataset, len(texts), "regression", names, pooling=self.pooling)
        self._is_flat = not isinstance(given[0], (list, tuple))
        return self

    def predict(self, X: Any) -> Any:
        """The number of each text, or the numbers, in the form that ``y`` had."""
        session, texts = self._session(), Texts(X)
        values = session.classify(texts.firsts, texts.seconds)
        return array([row[0] for row in values] if self._is_flat else values, float)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R²: the part of the variance of ``y`` that the predictions explain."""
        found, given = _targets(self.predict(X)), _targets(y)
        require_length(given, len(found), "y", ROW)
        weights = row_weights(sample_weight, len(given))
        if len(given) == 1:  # nothing varies
            return sum(own == other for own, other in zip(given[0], found[0])) / len(given[0])
        return evaluation.values(given, found, weights=weights).values["r2"]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "regressor"
        tags.regressor_tags = scikit_learn_utils().RegressorTags()
        tags.target_tags.multi_output = True
        return tags


def _targets(y: Any) -> list[list[float]]:
    """A list of numbers for each row."""
    rows = [list(row) if isinstance(row, (list, tuple)) else [row] for row in rows_of(y, "y", "numbers")]
    targets = []
    for place, row in enumerate(rows):
        try:
            numbers = [float_of(value) for value in row]
        except (TypeError, ValueError):
            raise invalid(f"y[{place}]: expected numbers; found {shown(row)}") from None
        if not all(map(math.isfinite, numbers)):
            found = "NaN" if any(map(math.isnan, numbers)) else "infinity"
            raise invalid(f"y[{place}]: expected finite numbers; Input y contains {found}")
        if len(numbers) != len(rows[0]) or not numbers:
            raise invalid(f"y[{place}]: expected {len(rows[0])} numbers, as y[0]; found {len(numbers)}")
        targets.append(numbers)
    return targets
