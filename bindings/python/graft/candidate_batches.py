"""Texts with candidates as rows of which the right one, or their order, is learned."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from .batch import Batch
from .candidates import candidate_rows, lists_of, places_of
from .errors import invalid
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
        if number not in range(count):
            raise invalid(f"right[{row}]: expected 0 to {count - 1}, found {shown(number)}")
    labels = [int(place == number) for number, count in zip(numbers, counts) for place in range(count)]
    batch = Batch(tokenizer, first, pairs=second, labels=labels, maximum_length=maximum_length)
    batch.set_column("group_places", places_of(counts))
    return batch


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
    batch = Batch(tokenizer, first, pairs=second, targets=relevance, maximum_length=maximum_length)
    batch.set_column("group_places", places_of(counts))
    return batch
