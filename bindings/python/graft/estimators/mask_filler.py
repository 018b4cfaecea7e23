"""Words that are masked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..data.table import Table
from ..errors import invalid
from ..mask_filling import FilledMask
from ..table_tasks.masked_words import MaskedWords
from ..table_tasks.table_task import Adapted, Asking
from .arrays import Texts
from .trained import TrainedEstimator


@dataclass(repr=False, eq=False)
class MaskFiller(TrainedEstimator):
    """Adapts a model to a domain, on texts that nobody labelled: words are masked and told. An
    estimator as scikit-learn's, which it needs not.

    ``X`` is texts. The model is one of a class as BertForMaskedLM.
    """

    def fit(self, X: Any, y: Any = None) -> MaskFiller:
        """Trains an adapter on texts; ``y`` is not looked at. What is held out is measured
        with each token masked in turn."""
        self._fit_table(_table(X), MaskedWords())
        return self

    def predict(self, X: Any) -> list[list[str]]:
        """The likeliest token for each mask of each text."""
        return [[mask[0].text for mask in masks] for masks in self.predict_best(X, 1)]

    def predict_best(self, X: Any, count: int = 5) -> list[list[list[FilledMask]]]:
        """The ``count`` likeliest, as of :meth:`Session.fill_masks`."""
        return self._session().fill_masks(Texts(X).firsts, count)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean logarithm of the probabilities of all tokens, each masked in turn: less the
        logarithm of the pseudo-perplexity."""
        base, adapter = self._opened()
        assert adapter is not None
        adapted = Adapted(base.model, base.tokenizer, adapter, self.threads, self.maximum_length)
        return -math.log(MaskedWords().evaluate(adapted, _table(X), Asking()).values["perplexity"])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags


def _table(X: Any) -> Table:
    texts = Texts(X)
    if texts.seconds is not None:
        raise invalid("X: expected texts; found pairs")
    return Table({"text": texts.firsts})
