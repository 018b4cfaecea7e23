"""Conversations, and prompts with their completions, as rows of which the answers are learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .batch import Batch
from .declarations import UNLIMITED_LENGTH
from .errors import GraftError, Status, invalid, with_source
from .lost_tokens import warn_of_cuts
from .tokenizer import Tokenizer

#: Of tokens that are not learned.
NO_LABEL = -100


def conversation_of(prompt: str, completion: str) -> list[dict[str, str]]:
    """What a user says, and what is answered."""
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]


def has_chat_template(tokenizer: Tokenizer) -> bool:
    """Whether the tokenizer's folder has one."""
    try:
        tokenizer.apply_chat_template(conversation_of("a", "b"), tokenize=False)
    except GraftError as error:
        if error.status == Status.NOT_FOUND:
            return False
    return True


def opening_of(tokenizer: Tokenizer, messages: Sequence[Mapping[str, Any]]) -> str:
    """What a model goes on with after some messages: a conversation up to the answer, without the
    token that the tokenizer puts before any text."""
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text.removeprefix(tokenizer.decode(tokenizer.encode("").ids[:1], skip_special_tokens=False))


def conversation_batch(
    tokenizer: Tokenizer, conversations: Sequence[Sequence[Mapping[str, Any]]], maximum_length: int
) -> Batch:
    """Rows by the chat template of the tokenizer's folder; of each what the assistant says is
    learned."""
    rows, labels = [], []
    for row, messages in enumerate(conversations):
        try:
            found = tokenizer.apply_chat_template(messages, return_assistant_tokens_mask=True)
        except GraftError as error:
            raise with_source(f"row {row}", error) from None
        rows.append(found["input_ids"])
        labels.append(_learned(found["input_ids"], map(bool, found["assistant_masks"])))
    return _batch(tokenizer, rows, labels, maximum_length)


def prompt_batch(
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    completions: Sequence[str],
    end_tokens: Sequence[int],
    maximum_length: int,
) -> Batch:
    """Rows of a prompt, its completion and the tokens that end a text; all but the prompt is
    learned. A blank is put between both where there is none."""
    rows, labels = [], []
    for prompt, completion in zip(prompts, completions):
        blank = "" if prompt[-1:].isspace() or completion[:1].isspace() else " "
        encoding = tokenizer.encode(f"{prompt}{blank}{completion}", maximum_length=UNLIMITED_LENGTH)
        ids = [*encoding.ids, *end_tokens]
        # A token that reaches beyond the prompt is of the completion.
        ends = [last for _, last in encoding.offsets] + [len(prompt) + 1] * len(end_tokens)
        rows.append(ids)
        labels.append(_learned(ids, (last > len(prompt) for last in ends)))
    return _batch(tokenizer, rows, labels, maximum_length)


def answer_batch(
    tokenizer: Tokenizer, openings: Sequence[Sequence[Mapping[str, Any]]], answers: Sequence[str], maximum_length: int
) -> Batch:
    """Rows of a conversation and an answer that ends it, which alone is learned."""
    pairs = [answer_row(tokenizer, *pair, row) for row, pair in enumerate(zip(openings, answers))]
    return _batch(tokenizer, [ids for ids, _ in pairs], [labels for _, labels in pairs], maximum_length)


def answer_row(
    tokenizer: Tokenizer, opening: Sequence[Mapping[str, Any]], answer: str, row: int
) -> tuple[list[int], list[int]]:
    """The tokens of both by the chat template, and their labels."""
    before = tokenizer.apply_chat_template(opening, add_generation_prompt=True, return_dict=False)
    ids = tokenizer.apply_chat_template([*opening, {"role": "assistant", "content": answer}], return_dict=False)
    if ids[: len(before)] != before:
        raise invalid(f"row {row}: the chat template writes an answer otherwise than it begins one")
    return ids, _learned(ids, (place >= len(before) for place in range(len(ids))))


def _learned(ids: Sequence[int], is_learned: Any) -> list[int]:
    return [token if own else NO_LABEL for token, own in zip(ids, is_learned)]


def _batch(tokenizer: Tokenizer, rows: list[list[int]], labels: list[list[int]], maximum_length: int) -> Batch:
    if maximum_length < 0:
        raise invalid(f"maximum_length: expected at least 0, found {maximum_length}")
    limit = maximum_length or tokenizer.maximum_length
    cut = 0 if limit is None else sum(len(row) > limit for row in rows)
    batch = Batch.from_tokens([row[:limit] for row in rows])
    # The first token is never predicted.
    batch.set_column("token_labels", [[NO_LABEL, *row[1:limit]] for row in labels])
    warn_of_cuts(len(rows), cut, limit or 0)
    return batch
