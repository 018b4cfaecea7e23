"""Words that are masked, learned from texts alone."""

from __future__ import annotations

from typing import Any

from ..batch import Batch
from ..data.measuring import Texts
from ..data.table import Table
from ..errors import invalid
from ..session import Session
from ..tokenizer import Tokenizer
from .table_task import Asking, Making, TableTask


class MaskedWords(TableTask):
    """``masked_language_model``. Each token of held-out texts is masked in turn, so that their
    perplexity is that of all of them."""

    name = task = "masked_language_model"
    columns_when_said = (("text",),)
    reads_lines = True

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        rows = Batch.of_words(tokenizer, table["text"], maximum_length=making.maximum_length)
        if not making.mask_each:
            return rows, []
        with rows:
            return rows.mask_each(mask_token(tokenizer)), []

    def training(self, tokenizer: Tokenizer, table: Table) -> dict[str, Any]:
        return {"masking": {"mask_token": mask_token(tokenizer), "whole_word_mask": True}}

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        return [
            {"masks": [[list(filled) for filled in mask] for mask in masks]}
            for masks in session.fill_masks(texts.first, asking.top)
        ]

    def line(self, row: dict[str, Any]) -> str:
        return " ".join("|".join(f"{text}:{share:.4f}" for _, text, share in mask) for mask in row["masks"])


def mask_token(tokenizer: Tokenizer) -> int:
    """The tokenizer's, which it needs."""
    token = tokenizer.mask_token
    if token is None:
        raise invalid("the tokenizer has no token that masks")
    return token
