"""Vectors of texts that say how alike these are."""

from __future__ import annotations

from itertools import chain
from typing import Any

from ..batch import Batch
from ..candidate_batches import grouped_batch
from ..candidates import repeated
from ..data.measuring import Texts
from ..data.table import Table
from ..errors import invalid
from ..session import Session
from ..tokenizer import Tokenizer
from .checks import check_numbers
from .table_task import Asking, Making, TableTask


class Vectors(TableTask):
    """``sentence_embedding``: pairs that were judged, or pairs of what is alike."""

    name = task = "sentence_embedding"
    columns_when_said = (("text", "pair", "target"), ("text", "pair"))
    renamed = {"label": "target"}

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        counts = [2] * len(table)
        targets = repeated(check_numbers(table), counts) if "target" in table else None
        texts = chain.from_iterable(zip(table["text"], table["pair"]))
        return grouped_batch(tokenizer, texts, counts, targets=targets, maximum_length=making.maximum_length), []

    def training(self, tokenizer: Tokenizer, table: Table) -> dict[str, Any]:
        return {"loss": "cosent" if "target" in table else "in_batch_negatives"}

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        if texts.second is None:
            raise invalid("expected pairs of texts, whose likeness is predicted: `graft embed` makes vectors")
        return [{"similarity": own} for own in cosines(session, texts.first, texts.second)]

    def line(self, row: dict[str, Any]) -> str:
        return f"{row['similarity']:.4f}"


def cosines(session: Session, first: list[str], second: list[str]) -> list[float]:
    """Of the vectors of each pair of texts."""
    vectors = (session.embed(texts, normalize=True) for texts in (first, second))
    return [sum(x * y for x, y in zip(own, other)) for own, other in zip(*vectors)]
