"""Texts that are written of others: translations, summaries."""

from __future__ import annotations

from typing import Any

from .. import evaluation
from ..batch import Batch
from ..data.measuring import Texts
from ..data.table import Table
from ..errors import rows_named
from ..metrics import Evaluation
from ..session import Session
from ..tokenizer import Tokenizer
from .table_task import Adapted, Asking, Making, TableTask


class Written(TableTask):
    """``seq_2_seq_lm``."""

    name = task = "seq_2_seq_lm"
    columns = (("source", "output"),)
    renamed = {"text": "source", "label": "output"}

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        return Batch.of_sources(tokenizer, table["source"], table["output"], maximum_length=making.maximum_length), []

    def evaluate(self, adapted: Adapted, table: Table, asking: Asking) -> Evaluation:
        """The loss, and what the texts that it writes are worth."""
        with rows_named(table.place):
            written = adapted.session().generate(table["source"], **asking.generation)
        found = evaluation.texts(written, table["output"], tokenize=asking.tokenize)
        found.values = {**self.measured(adapted, table, asking).values, **found.values}
        return found

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        return [{"written": str(own)} for own in session.generate(texts.first, **asking.generation)]

    def line(self, row: dict[str, Any]) -> str:
        return " ".join(row["written"].split())
