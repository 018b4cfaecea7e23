"""Any number of several labels of each text."""

from __future__ import annotations

from typing import Any

from .. import evaluation
from ..batch import Batch
from ..data.measuring import Texts
from ..data.table import Table
from ..errors import rows_named
from ..label_numbers import label_sets
from ..metrics import Evaluation
from ..session import Session
from ..tokenizer import Tokenizer
from .checks import check_labels, pairs_of
from .table_task import Adapted, Asking, Making, TableTask

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

    def evaluate(self, adapted: Adapted, table: Table, asking: Asking) -> Evaluation:
        """The loss, and what the labels chosen by the thresholds are worth."""
        measured = self.measured(adapted, table, asking)
        if asking.threshold == Asking.threshold:  # by which a trainer chooses, too
            return measured
        names = adapted.adapter.labels
        marks = [[int(name in own) for name in names] for own in map(set, table["labels"])]
        with rows_named(table.place), adapted.session() as session:
            shares = session.predict_proba(table["text"], pairs_of(table))
        found = evaluation.label_sets(marks, shares, label_names=names, threshold=asking.threshold)
        found.values = {**measured.values, **found.values}
        return found

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        found = session.predict_labels(texts.first, texts.second, threshold=asking.threshold)
        return [{"labels": labels} for labels in found]

    def line(self, row: dict[str, Any]) -> str:
        return SEPARATOR.join(row["labels"])
