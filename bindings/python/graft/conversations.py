"""Conversations, and prompts with their completions, as rows of which the answers are learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .batch import Batch
from .declarations import UNLIMITED_LENGTH
from .errors import GraftError, Status, invalid, with_source
from .lost_tokens import warn_of_cuts
from .tokenizer import Tokenizer

#: Of tokens that are not learned.
NO_LABEL = -100


class Row(NamedTuple):
    """Tokens, and of each what is learned in its place."""

    ids: list[int]
    labels: list[int]

    def counted(self, limit: int | None) -> list[int]:
        """The labels of the tokens up to a limit; the first token is never predicted."""
        return [NO_LABEL, *self.labels[1:limit]]


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
    return batch_of(tokenizer, conversation_rows(tokenizer, conversations), maximum_length)


def conversation_rows(tokenizer: Tokenizer, conversations: Sequence[Sequence[Mapping[str, Any]]]) -> list[Row]:
    """The same before they are cut."""
    rows = []
    for row, messages in enumerate(conversations):
        try:
            found = tokenizer.apply_chat_template(messages, return_assistant_tokens_mask=True)
        except GraftError as error:
            raise with_source(f"row {row}", error) from None
        ids = found["input_ids"]
        rows.append(Row(ids, _learned(ids, map(bool, found["assistant_masks"]))))
    return rows


def answered_rows(
    tokenizer: Tokenizer, prompts: Sequence[str], completions: Sequence[str], end_tokens: Sequence[int]
) -> list[Row]:
    """Prompts and their completions before they are cut: by the chat template, where there is one,
    what a user says and what is answered."""
    if has_chat_template(tokenizer):
        return conversation_rows(tokenizer, list(map(conversation_of, prompts, completions)))
    return prompt_rows(tokenizer, prompts, completions, end_tokens)


def prompt_batch(
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    completions: Sequence[str],
    end_tokens: Sequence[int],
    maximum_length: int,
) -> Batch:
    """Rows of a prompt, its completion and the tokens that end a text; all but the prompt is
    learned."""
    return batch_of(tokenizer, prompt_rows(tokenizer, prompts, completions, end_tokens), maximum_length)


def prompt_rows(
    tokenizer: Tokenizer, prompts: Sequence[str], completions: Sequence[str], end_tokens: Sequence[int]
) -> list[Row]:
    """The same before they are cut. A blank is put between both texts where there is none."""
    rows = []
    for prompt, completion in zip(prompts, completions):
        blank = "" if prompt[-1:].isspace() or completion[:1].isspace() else " "
        encoding = tokenizer.encode(f"{prompt}{blank}{completion}", maximum_length=UNLIMITED_LENGTH)
        ids = [*encoding.ids, *end_tokens]
        # A token that reaches beyond the prompt is of the completion.
        ends = [last for _, last in encoding.offsets] + [len(prompt) + 1] * len(end_tokens)
        rows.append(Row(ids, _learned(ids, (last > len(prompt) for last in ends))))
    return rows


def answer_row(tokenizer: Tokenizer, opening: Sequence[Mapping[str, Any]], answer: str, row: int) -> Row:
    """A conversation and an answer that ends it, which alone is learned, by the chat template."""
    before = tokenizer.apply_chat_template(opening, add_generation_prompt=True, return_dict=False)
    ids = tokenizer.apply_chat_template([*opening, {"role": "assistant", "content": answer}], return_dict=False)
    if ids[: len(before)] != before:
        raise invalid(f"row {row}: the chat template writes an answer otherwise than it begins one")
    return Row(ids, _learned(ids, (place >= len(before) for place in range(len(ids)))))


def _learned(ids: Sequence[int], is_learned: Any) -> list[int]:
    return [token if own else NO_LABEL for token, own in zip(ids, is_learned)]


def batch_of(tokenizer: Tokenizer, rows: Sequence[Row], maximum_length: int) -> Batch:
    """Rows where they are cut: at the tokenizer's ``maximum_length`` where that is 0."""
    if maximum_length < 0:
        raise invalid(f"maximum_length: expected at least 0, found {maximum_length}")
    limit = maximum_length or tokenizer.maximum_length
    cut = 0 if limit is None else sum(len(row.ids) > limit for row in rows)
    batch = Batch.from_tokens([row.ids[:limit] for row in rows])
    batch.set_column("token_labels", [row.counted(limit) for row in rows])
    warn_of_cuts(len(rows), cut, limit or 0)
    return batch
