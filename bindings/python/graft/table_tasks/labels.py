"""One of several labels of each text."""

from __future__ import annotations

from typing import Any

from ..batch import Batch
from ..data.measuring import Texts
from ..data.table import Table
from ..label_numbers import named_labels
from ..session import Session
from ..tokenizer import Tokenizer
from .checks import check_labels, pairs_of
from .table_task import Asking, Making, TableTask


class Labels(TableTask):
    """``sequence_classification``."""

    name = task = "sequence_classification"
    columns = (("text", "label"),)
    #: A column that may hold one label or several, as "labels", holds one.
    renamed = {"label": "label"}
    reads_rows = True

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        check_labels(table, "label", making.label_names)
        names, numbers = named_labels(table["label"], making.label_names)
        length = making.maximum_length
        return Batch(tokenizer, table["text"], pairs=pairs_of(table), labels=numbers, maximum_length=length), names

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        return [
            {"label": best[0][0], "probability": best[0][1], "best": [list(pair) for pair in best]}
            for best in session.predict_best(texts.first, texts.second, asking.top)
        ]

    def line(self, row: dict[str, Any]) -> str:
        return "\t".join(f"{label}\t{probability:.4f}" for label, probability in row["best"])
