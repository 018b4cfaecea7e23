"""Candidates of each query in the order of their relevance."""

from __future__ import annotations

from typing import Any

from ..batch import Batch
from ..candidate_batches import ranking_batch
from ..data.measuring import Texts
from ..data.table import Table
from ..session import Session
from ..tokenizer import Tokenizer
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
        return ranking_batch(tokenizer, *groups_of(table), making.maximum_length), []

    def training(self, tokenizer: Tokenizer, table: Table) -> dict[str, Any]:
        return {"loss": self._loss}

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        if texts.candidates is None:
            return [{"scores": list(row)} for row in session.classify(texts.first, texts.second)]
        return [{"scores": scores} for scores in session.score(texts.first, texts.candidates)]

    def line(self, row: dict[str, Any]) -> str:
        return "\t".join(f"{score:.6g}" for score in row["scores"])


def groups_of(table: Table) -> tuple[list[str], list[list[str]], list[list[float]]]:
    """Queries, the candidates of each, and their relevance."""
    if "candidates" in table:
        return table["text"], table["candidates"], table["relevance"]
    candidates: dict[str, list[str]] = {}
    relevance: dict[str, list[float]] = {}
    for text, pair, target in zip(table["text"], table["pair"], table["target"]):
        candidates.setdefault(text, []).append(pair)
        relevance.setdefault(text, []).append(target)
    return list(candidates), list(candidates.values()), list(relevance.values())
