"""Candidates of each query in the order of their relevance."""

from __future__ import annotations

from itertools import chain
from typing import Any

from ..batch import Batch
from ..candidate_batches import ranking_batch
from ..data.measuring import Texts
from ..data.table import Table
from ..errors import rows_named
from ..session import Session
from ..tokenizer import Tokenizer
from .checks import check_numbers
from .table_task import Asking, Making, TableTask


class Rankings(TableTask):
    """``ranking``: a number of each candidate, of which the order counts. Rows have a query with
    its candidates, or a pair and its relevance; then those of one query are together."""

    name = "ranking"
    task = "regression"
    columns = (("text", "candidates", "relevance"),)
    columns_when_said = (("text", "pair", "target"),)
    renamed = {"label": "target"}
    reads_rows = True
    scores_candidates = True

    def __init__(self, loss: str = "list_net") -> None:
        self._loss = loss

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        texts, candidates, relevance = groups_of(table)
        if "candidates" in table:
            return ranking_batch(tokenizer, texts, candidates, relevance, making.maximum_length), []
        rows = rows_of_texts(table)
        with rows_named(lambda query: f"row {rows[query][0]}"):
            batch = ranking_batch(tokenizer, texts, candidates, relevance, making.maximum_length)
        batch.origins = list(chain.from_iterable(rows))
        return batch, []

    def training(self, tokenizer: Tokenizer, table: Table) -> dict[str, Any]:
        return {"loss": self._loss}

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        if texts.candidates is None:
            return [{"scores": list(row)} for row in session.classify(texts.first, texts.second)]
        return [{"scores": scores} for scores in session.score(texts.first, texts.candidates)]

    def line(self, row: dict[str, Any]) -> str:
        return "\t".join(f"{score:.6g}" for score in row["scores"])


def rows_of_texts(table: Table) -> list[list[int]]:
    """Of each text, in the order of the first, the rows that have it."""
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(table["text"]):
        rows.setdefault(text, []).append(row)
    return list(rows.values())


def groups_of(table: Table) -> tuple[list[str], list[list[str]], list[list[float]]]:
    """Queries, the candidates of each, and their relevance."""
    if "candidates" in table:
        return table["text"], table["candidates"], table["relevance"]
    texts, pairs, targets = table["text"], table["pair"], check_numbers(table)
    groups = rows_of_texts(table)
    return (
        [texts[own[0]] for own in groups],
        [[pairs[row] for row in own] for own in groups],
        [[targets[row] for row in own] for own in groups],
    )
