"""Tables to rows of tokens with what they are trained on."""

from __future__ import annotations

from ..answers import AnswerWindows
from ..batch import Batch
from ..entities import sentence_of
from ..errors import GraftError, invalid, with_source
from ..label_numbers import label_sets, named_labels
from ..token_labels import labels_of_entities, labels_of_words
from ..tokenizer import Tokenizer
from ..values import text_list
from .columns import LEARNED, holds_answers, learned_column
from .table import Table


def table_batch(
    tokenizer: Tokenizer,
    table: Table,
    label_names: list[str] | None,
    scheme: str,
    all_pieces: bool,
    maximum_length: int,
    stride: int,
) -> tuple[Batch, list[str]]:
    """The rows of a table, and the names of their labels."""
    if not len(table):
        raise invalid(f"{table.source}: it has no rows")
    learned = learned_column(table)
    if learned is None:
        if holds_answers(table):
            return _answered(tokenizer, table, maximum_length, stride), []
        raise invalid(
            f"{table.source}: nothing to learn: expected one of {', '.join(LEARNED)}, or question, context and answers; "
            f"found {', '.join(table.columns)}"
        )
    if label_names is None:
        _check_classes(table, learned)
    elif learned in ("tags", "labels", "label"):
        _check_names(table, learned, label_names)
    if learned in ("tags", "entities"):
        return _tagged(tokenizer, table, learned, label_names, scheme, all_pieces, maximum_length)
    pairs = table["pair"] if "pair" in table else None
    if learned == "target":
        return Batch(tokenizer, table["text"], pairs=pairs, targets=table["target"], maximum_length=maximum_length), []
    if learned == "labels":
        names, sets = label_sets(table["labels"], label_names)
        return Batch(tokenizer, table["text"], pairs=pairs, targets=sets, maximum_length=maximum_length), names
    names, numbers = named_labels(table["label"], label_names)
    return Batch(tokenizer, table["text"], pairs=pairs, labels=numbers, maximum_length=maximum_length), names


def _answered(tokenizer: Tokenizer, table: Table, maximum_length: int, stride: int) -> Batch:
    try:
        with AnswerWindows(tokenizer, table["question"], table["context"], maximum_length, stride) as windows:
            return windows.batch(table["answers"])
    except GraftError as error:
        raise with_source(table.source, error) from None


def _tagged(
    tokenizer: Tokenizer,
    table: Table,
    learned: str,
    label_names: list[str] | None,
    scheme: str,
    all_pieces: bool,
    maximum_length: int,
) -> tuple[Batch, list[str]]:
    if learned == "tags":
        sentences = [sentence_of(words, table.place(row)) for row, words in enumerate(table["words"])]
        texts = [sentence.text for sentence in sentences]
        labels, names = labels_of_words(tokenizer, sentences, table["tags"], label_names, all_pieces, maximum_length)
    else:
        texts = text_list(table["text"], "text")
        labels, names = labels_of_entities(
            tokenizer, table["text"], table["entities"], label_names, scheme, all_pieces, maximum_length, table.place
        )
    return Batch.of_token_labels(tokenizer, texts, labels, maximum_length), names


def _check_classes(table: Table, learned: str) -> None:
    names = table.label_names
    if learned == "label" and len(names) == 1:
        raise invalid(
            f"{table.source}: one class only, {names[0]!r}: there is nothing to tell apart; label_names names more"
        )
    if learned == "labels" and not names:
        raise invalid(f"{table.source}: no row has a label; label_names names some")


def _check_names(table: Table, learned: str, names: list[str]) -> None:
    """Labels that training did not see are named with their places."""
    known = set(names)
    for row, value in enumerate(table[learned]):
        for label in [value] if learned == "label" else value:
            if label not in known:
                some = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
                unseen = set(table.label_names) - known
                rest = "" if len(unseen) == 1 else f"; nor are {len(unseen) - 1} more labels of this table"
                raise invalid(f"{table.place(row)}: label {label!r} is not among {some}{rest}")
