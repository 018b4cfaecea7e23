"""A number of each text, or several."""

from __future__ import annotations

from typing import Any

from ..batch import Batch
from ..data.measuring import Texts
from ..data.table import Table
from ..session import Session
from ..tokenizer import Tokenizer
from .checks import pairs_of
from .table_task import Asking, Making, TableTask


class Numbers(TableTask):
    """``regression``."""

    name = task = "regression"
    columns = (("text", "target"),)
    renamed = {"label": "target"}
    reads_rows = True

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        targets, length = table["target"], making.maximum_length
        return Batch(tokenizer, table["text"], pairs=pairs_of(table), targets=targets, maximum_length=length), []

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        return [{"values": list(row)} for row in session.classify(texts.first, texts.second)]

    def line(self, row: dict[str, Any]) -> str:
        return "\t".join(f"{value:.6g}" for value in row["values"])
