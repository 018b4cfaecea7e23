"""Candidates of queries in their order."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

from .. import evaluation
from ..adapter import HeadPooling
from ..data.table import Table
from ..metrics import Evaluation
from ..table_tasks.rankings import Rankings
from ..values import require_length
from .arrays import ROW, candidates_of, rows_of
from .trained import TrainedEstimator, check_call


@dataclass(repr=False, eq=False)
class Ranker(TrainedEstimator):
    """Scores the candidates of each query, of which the order counts, by reading both together: an
    estimator as scikit-learn's, which it needs not.

    ``X`` is pairs of a query and a list of candidates, and ``y`` a list of numbers for each query:
    how relevant each candidate is.
    """

    _: KW_ONLY
    #: As of :class:`TextClassifier`.
    pooling: HeadPooling | None = "mean"
    #: ``"list_net"`` or ``"rank_net"``, as of :class:`Trainer`.
    loss: str = "list_net"

    def fit(self, X: Any, y: Any = None, **unsupported: Any) -> Ranker:
        """Trains an adapter on queries, their candidates and the relevance of these."""
        check_call(y, unsupported)
        self._fit_table(_table(X, y), Rankings(self.loss), self.pooling)
        return self

    def predict(self, X: Any) -> list[list[float]]:
        """The score of each candidate of each query: the larger, the further ahead."""
        session, (queries, candidates) = self._session(), candidates_of(X)
        return session.score(queries, candidates)

    def score(self, X: Any, y: Any) -> float:
        """The nDCG of all candidates, mean over the queries."""
        return self.evaluate(X, y).values["ndcg"]

    def evaluate(self, X: Any, y: Any, k: int = 10) -> Evaluation:
        """All that :func:`evaluation.rankings` measures."""
        return evaluation.rankings(_table(X, y)["relevance"], self.predict(X), k=k)


def _table(X: Any, y: Any) -> Table:
    (queries, candidates), given = candidates_of(X), rows_of(y, "y", "lists of numbers")
    require_length(given, len(queries), "y", ROW)
    return Table({"text": queries, "candidates": candidates, "relevance": given})
