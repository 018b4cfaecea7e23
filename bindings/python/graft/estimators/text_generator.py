"""Texts that are written of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

from .. import evaluation
from ..adapter import Adapter
from ..data.measuring import Texts as Given
from ..data.table import Table
from ..errors import GraftError, Status, invalid
from ..generated.measures import NAMES
from ..metrics import Evaluation
from ..model import Model
from ..table_tasks.conversations import Conversations
from ..table_tasks.table_task import Asking, TableTask
from ..table_tasks.written import Written
from ..values import require_length
from .arrays import ROW, Texts, column_of
from .base import opened
from .trained import TrainedEstimator, check_call


@dataclass(repr=False, eq=False)
class TextGenerator(TrainedEstimator):
    """Writes a text for each text: translations and summaries with a model of an encoder and a
    decoder, answers to prompts with any other language model. An estimator as scikit-learn's, which
    it needs not.

    ``X`` is texts, and ``y`` what should be written for each. Where the model's folder has a chat
    template, the texts are what a user says.
    """

    _: KW_ONLY
    #: Most tokens of a text that is written.
    maximum_tokens: int = 128
    #: Other settings of :meth:`Session.generate`, such as ``{"beams": 4}``.
    generation: Mapping[str, Any] | None = None
    #: What the score is: a measure of :func:`evaluation.texts`.
    measure: str = "chrf"
    #: As there: ``"zh"`` for Chinese.
    tokenize: Literal["13a", "zh", "char"] = "13a"

    def fit(self, X: Any, y: Any = None, **unsupported: Any) -> TextGenerator:
        """Trains an adapter on texts and what should be written for each."""
        check_call(y, unsupported)
        texts, wanted = _single(X), column_of(y, "y", "texts")
        require_length(wanted, len(texts), "y", ROW)
        task = self._task(opened(self.model, self.precision).model)
        first, second = task.columns[-1]
        self._fit_table(Table({first: texts, second: wanted}), task)
        return self

    def predict(self, X: Any) -> list[str]:
        """What is written for each text."""
        session, texts = self._session(), _single(X)
        settings = {"maximum_tokens": self.maximum_tokens, **(self.generation or {})}
        task = self._task(self._opened()[0].model)
        return [row["written"] for row in task.predict(session, Given(texts), Asking(generation=settings))]

    def score(self, X: Any, y: Any) -> float:
        """What ``measure`` names: of BLEU and chrF from 0 to 100, of the others from 0 to 1."""
        if self.measure not in NAMES:
            raise invalid(f"measure: expected one of {', '.join(NAMES)}; found {self.measure!r}")
        return self.evaluate(X, y).values[self.measure]

    def evaluate(self, X: Any, y: Any) -> Evaluation:
        """All that :func:`evaluation.texts` measures."""
        return evaluation.texts(self.predict(X), column_of(y, "y", "texts"), tokenize=self.tokenize)

    def _task(self, model: Model) -> TableTask:
        """What models of this kind learn."""
        with Adapter.create(model) as adapter:
            try:
                adapter.set_head(Written.task)
            except GraftError as error:
                if error.status != Status.UNSUPPORTED:
                    raise
                return Conversations()
        return Written()


def _single(X: Any) -> list[str]:
    texts = Texts(X)
    if texts.seconds is not None:
        raise invalid("X: expected texts; found pairs")
    return texts.firsts
