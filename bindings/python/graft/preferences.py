"""Prompts with two answers, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from .batch import Batch
from .conversations import answer_batch, prompt_batch
from .tokenizer import Tokenizer
from .values import as_list, require_length


def preference_batch(
    tokenizer: Tokenizer,
    prompts: Iterable[str] | Iterable[Iterable[Mapping[str, Any]]],
    chosen: Iterable[str],
    rejected: Iterable[str],
    end_tokens: Sequence[int],
    maximum_length: int,
) -> Batch:
    """Two rows for each prompt: with the answer that is preferred, and with the other."""
    given = as_list(prompts, "prompts", "strings or conversations")
    answers = [as_list(own, name, "strings") for own, name in ((chosen, "chosen"), (rejected, "rejected"))]
    for own, name in zip(answers, ("chosen", "rejected")):
        require_length(own, len(given), name, "prompt")
    twice = [prompt for prompt in given for _ in answers]
    both = list(chain.from_iterable(zip(*answers)))
    if all(isinstance(prompt, str) for prompt in given):
        batch = prompt_batch(tokenizer, twice, both, end_tokens, maximum_length)
    else:
        openings = [as_list(prompt, "prompts", "messages") for prompt in twice]
        batch = answer_batch(tokenizer, openings, both, maximum_length)
    batch.set_column("group_places", [0, 1] * len(given))
    return batch
