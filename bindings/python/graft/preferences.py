"""Prompts with two answers, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from .batch import Batch
from .conversations import Row, answer_row, batch_of, prompt_rows
from .tokenizer import Tokenizer
from .values import as_list, require_length, text_list


def preference_batch(
    tokenizer: Tokenizer,
    prompts: Iterable[str] | Iterable[Iterable[Mapping[str, Any]]],
    chosen: Iterable[str],
    rejected: Iterable[str],
    end_tokens: Sequence[int],
    maximum_length: int,
) -> Batch:
    """Two rows for each prompt: with the answer that is preferred, and with the other."""
    rows = preference_rows(tokenizer, prompts, chosen, rejected, end_tokens)
    batch = batch_of(tokenizer, rows, maximum_length)
    batch.set_column("group_places", [0, 1] * (len(rows) // 2))
    return batch


def preference_rows(
    tokenizer: Tokenizer,
    prompts: Iterable[str] | Iterable[Iterable[Mapping[str, Any]]],
    chosen: Iterable[str],
    rejected: Iterable[str],
    end_tokens: Sequence[int],
) -> list[Row]:
    """The same before they are cut."""
    given = as_list(prompts, "prompts", "strings or conversations")
    answers = []
    for own, name in ((chosen, "chosen"), (rejected, "rejected")):
        answers.append([text.decode() for text in text_list(own, name)])
        require_length(answers[-1], len(given), name, "prompt")
    twice = [prompt for prompt in given for _ in answers]
    both = list(chain.from_iterable(zip(*answers)))
    if all(isinstance(prompt, str) for prompt in given):
        return prompt_rows(tokenizer, twice, both, end_tokens)
    openings = [as_list(prompt, "prompts", "messages") for prompt in twice]
    return [answer_row(tokenizer, *pair, row // len(answers)) for row, pair in enumerate(zip(openings, both))]
