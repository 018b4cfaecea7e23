"""How many tokens the rows of a table are, and how many of them are unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..batch import Batch
from ..declarations import UNLIMITED_LENGTH
from ..tokenizer import Tokenizer
from .table import Table

#: Rows that are encoded at a time.
CHUNK = 1000


class Texts(NamedTuple):
    """What of a table's rows is encoded."""

    first: list[str]
    second: list[str] | None = None
    #: Of each text those that a score is wanted for.
    candidates: list[list[str]] | None = None


def texts_of(table: Table) -> Texts:
    """Words have blanks between them; a question is before its context. Of what is written of
    others, those others."""
    if "text" in table:
        second = table["pair"] if "pair" in table else None
        return Texts(table["text"], second, table["candidates"] if "candidates" in table else None)
    if "words" in table:
        return Texts([" ".join(words) for words in table["words"]])
    if "question" in table:
        return Texts(table["question"], table["context"])
    if "messages" in table:
        return Texts(["\n".join(message["content"] for message in row) for row in table["messages"]])
    return Texts(table["source" if "source" in table else "prompt"])


def token_counts(tokenizer: Tokenizer, texts: Texts) -> tuple[list[int], list[int]]:
    """Of each row, its tokens without a limit, with those that the model expects around a text; and
    how many of them are the unknown one."""
    lengths: list[int] = []
    unknown = [0] * len(texts.first)
    first = [text.encode() for text in texts.first]
    second = None if texts.second is None else [text.encode() for text in texts.second]

    def count(start: int, end: int) -> tuple[Sequence[int], int]:
        pairs = None if second is None else second[start:end]
        with Batch.from_utf8(tokenizer, first[start:end], pairs, UNLIMITED_LENGTH) as batch:
            return batch.row_starts, batch.unknown_token_count

    def divide(start: int, end: int, own: int) -> None:
        """Finds the few rows that have unknown tokens."""
        if own == 0 or end - start == 1:
            unknown[start:end] = [own] * (end - start)
            return
        if 4 * own >= end - start:  # not so few
            unknown[start:end] = [count(row, row + 1)[1] for row in range(start, end)]
            return
        middle = (start + end) // 2
        _, left = count(start, middle)
        divide(start, middle, left)
        divide(middle, end, own - left)

    for start in range(0, len(first), CHUNK):
        end = min(start + CHUNK, len(first))
        starts, own = count(start, end)
        lengths += [after - before for before, after in zip(starts, starts[1:])]
        divide(start, end, own)
    return lengths, unknown
