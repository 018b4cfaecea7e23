"""The right one of several choices of each question."""

from __future__ import annotations

import math
from typing import Any

from ..batch import Batch
from ..candidate_batches import choice_batch
from ..data.measuring import Texts
from ..data.table import Table
from ..errors import invalid
from ..session import Session
from ..tokenizer import Tokenizer
from .table_task import Asking, Making, TableTask


class Choices(TableTask):
    """``multiple_choice``."""

    name = task = "multiple_choice"
    columns = (("text", "candidates", "right"),)
    reads_rows = True
    scores_candidates = True
    line_width = None

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        columns = table["text"], table["candidates"], table["right"]
        return choice_batch(tokenizer, *columns, making.maximum_length), []

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        if texts.candidates is None:
            raise invalid("expected candidates for each text: a column of them, or text TAB choice TAB choice …")
        return [
            {"right": shares.index(max(shares)), "choice": own[shares.index(max(shares))], "probabilities": shares}
            for own, scores in zip(texts.candidates, session.score(texts.first, texts.candidates))
            for shares in [softmax(scores)]
        ]

    def line(self, row: dict[str, Any]) -> str:
        return f"{row['choice']}\t{row['probabilities'][row['right']]:.4f}"


def softmax(scores: list[float]) -> list[float]:
    """How likely each is the right one."""
    most = max(scores)
    powers = [math.exp(score - most) for score in scores]
    return [power / math.fsum(powers) for power in powers]
