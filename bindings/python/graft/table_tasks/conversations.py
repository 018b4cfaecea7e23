"""What an assistant answers, learned from conversations or from prompts and their completions."""

from __future__ import annotations

from typing import Any

from ..batch import Batch
from ..conversations import (
    answered_rows,
    batch_of,
    conversation_batch,
    conversation_of,
    has_chat_template,
    opening_of,
)
from ..data.measuring import Texts
from ..data.table import Table
from ..session import Session
from ..tokenizer import Tokenizer
from .table_task import Asking, Making, TableTask


class Conversations(TableTask):
    """``language_model``. Where the tokenizer has a chat template, a prompt is what a user says."""

    name = task = "language_model"
    columns: tuple[tuple[str, ...], ...] = (("messages",), ("prompt", "completion"))
    renamed = {"text": "prompt", "label": "completion"}

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        length = making.maximum_length
        if "messages" in table:
            return conversation_batch(tokenizer, table["messages"], length), []
        rows = answered_rows(tokenizer, table["prompt"], table["completion"], making.end_tokens)
        return batch_of(tokenizer, rows, length), []

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        prompts = openings_of(session.tokenizer, texts.first)
        return [{"written": own.strip()} for own in session.generate(prompts, **asking.generation)]

    def line(self, row: dict[str, Any]) -> str:
        return " ".join(row["written"].split())


def openings_of(tokenizer: Tokenizer, prompts: list[str]) -> list[str]:
    """What the model goes on with, of what a user says."""
    if not has_chat_template(tokenizer):
        return prompts
    return [opening_of(tokenizer, conversation_of(prompt, "")[:1]) for prompt in prompts]
