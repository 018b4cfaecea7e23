"""Texts with candidates as rows of which the right one, or their order, is learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from .batch import Batch
from .candidates import candidate_rows, lists_of, places_of, repeated
from .errors import invalid, rows_named
from .tokenizer import Tokenizer
from .values import as_list, require_length, shown


def choice_batch(
    tokenizer: Tokenizer,
    questions: Iterable[str],
    choices: Iterable[Iterable[str]],
    right: Iterable[int],
    maximum_length: int,
) -> Batch:
    """As of :meth:`Dataset.from_choices`."""
    first, second, counts = candidate_rows(questions, choices, "choices")
    numbers = as_list(right, "right", "integers")
    require_length(numbers, len(counts), "right", "question")
    for row, (number, count) in enumerate(zip(numbers, counts)):
        if count < 2:
            raise invalid(f"row {row}: choices: expected 2 or more, found {count}")
        if number not in range(count):
            raise invalid(f"right[{row}]: expected 0 to {count - 1}, found {shown(number)}")
    labels = [int(place == number) for number, count in zip(numbers, counts) for place in range(count)]
    return grouped_batch(tokenizer, first, counts, pairs=second, labels=labels, maximum_length=maximum_length)


def ranking_batch(
    tokenizer: Tokenizer,
    queries: Iterable[str],
    candidates: Iterable[Iterable[str]],
    targets: Iterable[Iterable[float]],
    maximum_length: int,
) -> Batch:
    """As of :meth:`Dataset.from_rankings`."""
    first, second, counts = candidate_rows(queries, candidates, "candidates")
    values = lists_of(targets, "targets", "numbers")
    require_length(values, len(counts), "targets", "query")
    for row, (own, count) in enumerate(zip(values, counts)):
        require_length(own, count, f"targets[{row}]", "candidate")
    relevance = chain.from_iterable(values)
    return grouped_batch(tokenizer, first, counts, pairs=second, targets=relevance, maximum_length=maximum_length)


def grouped_batch(tokenizer: Tokenizer, texts: Iterable[str], counts: Sequence[int], **rows: Any) -> Batch:
    """Rows of which so many each belong together, made of one row of the caller's.

    :param rows: what else :class:`Batch` takes of them.
    """
    origins = repeated(range(len(counts)), counts)
    with rows_named(lambda row: f"row {origins[row]}"):
        batch = Batch(tokenizer, texts, **rows)
    batch.set_column("group_places", places_of(counts))
    batch.origins = origins
    return batch
