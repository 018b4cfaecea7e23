"""Any number of several labels of each text."""

from __future__ import annotations

from typing import Any

from ..batch import Batch
from ..data.measuring import Texts
from ..data.table import Table
from ..label_numbers import label_sets
from ..session import Session
from ..tokenizer import Tokenizer
from .checks import check_labels, pairs_of
from .table_task import Asking, Making, TableTask

#: Between the labels of a text.
SEPARATOR = ","


class LabelSets(TableTask):
    """``multi_label_classification``."""

    name = task = "multi_label_classification"
    columns = (("text", "labels"),)
    renamed = {"label": "labels"}
    reads_rows = True

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        check_labels(table, "labels", making.label_names)
        names, sets = label_sets(table["labels"], making.label_names)
        length = making.maximum_length
        return Batch(tokenizer, table["text"], pairs=pairs_of(table), targets=sets, maximum_length=length), names

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        found = session.predict_labels(texts.first, texts.second, threshold=asking.threshold)
        return [{"labels": labels} for labels in found]

    def line(self, row: dict[str, Any]) -> str:
        return SEPARATOR.join(row["labels"])
