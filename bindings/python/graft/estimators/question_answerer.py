"""Answers to questions, found in contexts."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

from .. import evaluation
from ..answers import MAXIMUM_TOKENS, FoundAnswer
from ..batch import STRIDE
from ..data.table import Table
from ..errors import invalid
from ..metrics import Evaluation
from ..table_tasks.answers import Answers
from ..values import require_length
from .arrays import ROW, Texts, rows_of
from .trained import TrainedEstimator, check_call


@dataclass(repr=False, eq=False)
class QuestionAnswerer(TrainedEstimator):
    """Finds answers to questions in contexts: an estimator as scikit-learn's, which it needs not.

    ``X`` is pairs of a question and its context, or a table with a column of each, and ``y`` the
    answers to each: as :class:`Answer`, as SQuAD's files have them, as texts, or none.
    """

    _: KW_ONLY
    #: Tokens of a context that a window shares with the one before it.
    stride: int = STRIDE
    #: Most tokens of an answer.
    maximum_answer_tokens: int = MAXIMUM_TOKENS
    #: Of ``no_answer_score``, above which a question has no answer; None: every one has.
    threshold: float | None = None
    #: Whose exact match and F1 the score is: SQuAD's, or CMRC's for Chinese.
    script: Literal["squad", "cmrc"] = "squad"

    def fit(self, X: Any, y: Any = None, **unsupported: Any) -> QuestionAnswerer:
        """Trains an adapter on questions with contexts and the answers there. Of several
        answers to a question the first is learned."""
        check_call(y, unsupported)
        self._fit_table(_table(X, y), Answers(), stride=self.stride)
        return self

    def predict(self, X: Any) -> list[str]:
        """The text of the best answer to each question; "" for none."""
        return [answer.text for answer in self.predict_answers(X)]

    def predict_answers(self, X: Any) -> list[FoundAnswer]:
        """The same with their places and scores."""
        session, (questions, contexts) = self._session(), _pairs(X)
        return session.answer(
            questions,
            contexts,
            threshold=self.threshold,
            maximum_tokens=self.maximum_answer_tokens,
            stride=self.stride,
        )

    def score(self, X: Any, y: Any) -> float:
        """The F1 of the texts, from 0 to 1, as the script has it."""
        return evaluation.answers(self.predict(X), _accepted(X, y), script=self.script).values["f1"]

    def evaluate(self, X: Any, y: Any) -> Evaluation:
        """All that :func:`evaluation.answers` measures of the texts."""
        found = self.predict_answers(X)
        return evaluation.answers(
            [answer.text for answer in found],
            _accepted(X, y),
            no_answer_scores=[answer.no_answer_score for answer in found],
            script=self.script,
        )


def _pairs(X: Any) -> tuple[list[str], list[str]]:
    texts = Texts(X)
    if texts.seconds is None:
        raise invalid("X: expected pairs of a question and a context; found single texts")
    return texts.firsts, texts.seconds


def _accepted(X: Any, y: Any) -> list[list[str]]:
    return [[answer.text for answer in own] for own in _table(X, y)["answers"]]


def _table(X: Any, y: Any) -> Table:
    (questions, contexts), given = _pairs(X), rows_of(y, "y", "answers")
    require_length(given, len(questions), "y", ROW)
    return Table({"question": questions, "context": contexts, "answers": given})
