"""Answers to questions, found in contexts."""

from __future__ import annotations

from typing import Any

from .. import evaluation
from ..answers import ANSWERS, AnswerWindows, FoundAnswer
from ..batch import Batch
from ..data.measuring import Texts
from ..data.table import Table
from ..errors import invalid, rows_named
from ..metrics import Evaluation
from ..session import Session
from ..tokenizer import Tokenizer
from .table_task import Adapted, Asking, Making, TableTask


class Answers(TableTask):
    """``question_answering``."""

    name = task = ANSWERS
    columns = (("question", "context", "answers"),)

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        length, stride = making.maximum_length, making.stride
        with AnswerWindows(tokenizer, table["question"], table["context"], length, stride) as windows:
            return windows.answered(table["answers"]), []

    def evaluate(self, adapted: Adapted, table: Table, asking: Asking) -> Evaluation:
        """What the answers are worth as texts."""
        session = adapted.session()
        with rows_named(table.place):
            found = _found(session, table["question"], table["context"], asking)
        return evaluation.answers(
            [answer.text for answer in found],
            [[answer.text for answer in own] for own in table["answers"]],
            no_answer_scores=[answer.no_answer_score for answer in found],
            script=asking.script,
        )

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        if texts.second is None:
            raise invalid("expected a context for each question: a column of them, or question TAB context")
        return [
            {"answer": answer.text, **{name: value for name, value in answer._asdict().items() if name != "text"}}
            for answer in _found(session, texts.first, texts.second, asking)
        ]

    def line(self, row: dict[str, Any]) -> str:
        return " ".join(row["answer"].split())


def _found(session: Session, questions: list[str], contexts: list[str], asking: Asking) -> list[FoundAnswer]:
    return session.answer(
        questions,
        contexts,
        threshold=asking.no_answer_threshold,
        maximum_tokens=asking.maximum_answer_tokens,
        stride=asking.stride,
    )
