"""Which of two answers is better, learned by direct preference optimisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..batch import Batch
from ..conversations import Row, conversation_of, has_chat_template
from ..data.table import Table
from ..preferences import preference_batch, preference_rows
from ..tokenizer import Tokenizer
from .conversations import Conversations
from .table_task import Making


class Preferred(Conversations):
    """``preferences``: of a language model, which answers as after prompts with completions."""

    name = "preferences"
    columns = (("prompt", "chosen", "rejected"),)
    renamed = {"text": "prompt", "pair": "chosen", "label": "rejected"}

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        batch = preference_batch(tokenizer, *_sides(tokenizer, table), making.end_tokens, making.maximum_length)
        batch.origins = [row // 2 for row in range(len(batch))]
        return batch, []

    def training(self, tokenizer: Tokenizer, table: Table) -> dict[str, Any]:
        return {"loss": "dpo"}


def rows_of_pairs(tokenizer: Tokenizer, table: Table, end_tokens: Sequence[int]) -> list[tuple[Row, Row]]:
    """Of each prompt the rows with the answer that is preferred, and with the other, uncut."""
    rows = preference_rows(tokenizer, *_sides(tokenizer, table), end_tokens)
    return list(zip(rows[::2], rows[1::2]))


def _sides(tokenizer: Tokenizer, table: Table) -> tuple[list[Any], list[str], list[str]]:
    """Prompts, which are what users say where there is a chat template, and both answers."""
    prompts: list[Any] = table["prompt"]
    if has_chat_template(tokenizer):
        prompts = [conversation_of(prompt, "")[:1] for prompt in prompts]
    return prompts, table["chosen"], table["rejected"]
