"""How many tokens the rows of a table are, and how many of them are unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..batch import Batch
from ..candidates import repeated, slices_of
from ..conversations import answered_rows, conversation_rows, has_chat_template
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


def row_lengths(tokenizer: Tokenizer, table: Table) -> list[int]:
    """Tokens, without a limit, of the longest of what a model reads and writes of each row: of a
    prompt with what is answered, of a text with one of its candidates, of a source and of its
    output."""
    if "candidates" in table:
        return candidate_lengths(tokenizer, table["text"], table["candidates"])
    answers = [table[name] for name in ("completion", "chosen", "rejected") if name in table]
    if "prompt" in table and answers:
        sides = [answered_rows(tokenizer, table["prompt"], own, []) for own in answers]
        return [max(len(row.ids) for row in rows) for rows in zip(*sides)]
    if "messages" in table and has_chat_template(tokenizer):
        return [len(row.ids) for row in conversation_rows(tokenizer, table["messages"])]
    lengths = token_counts(tokenizer, texts_of(table))[0]
    if "source" in table and "output" in table:
        return list(map(max, lengths, token_counts(tokenizer.of_targets, Texts(table["output"]))[0]))
    return lengths


def candidate_lengths(tokenizer: Tokenizer, texts: Sequence[str], candidates: Sequence[Sequence[str]]) -> list[int]:
    """Of each text the tokens of the longest row that it has with one of its candidates."""
    counts = list(map(len, candidates))
    lengths = token_counts(tokenizer, Texts(repeated(texts, counts), [own for row in candidates for own in row]))[0]
    return [max(lengths[rows]) for rows in slices_of(counts)]


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
