"""Labels of tokens, from those of words or from named entities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from .entities import Sentence, byte_stretches, names_array, tag_names, token_rows
from .errors import GraftError, with_source
from .label_numbers import named_labels
from .lost_tokens import warn
from .tokenizer import Tokenizer
from .values import text_bytes


def labels_of_words(
    tokenizer: Tokenizer,
    sentences: Sequence[Sentence],
    given: Sequence[Sequence[str]],
    label_names: list[str] | None,
    all_pieces: bool,
) -> tuple[list[list[int]], list[str]]:
    """Labels of each sentence's tokens from a name for each word; and the names."""
    names, _ = named_labels(list(chain.from_iterable(given)), label_names)
    number = {name: index for index, name in enumerate(names)}
    array = names_array(names)
    with token_rows(tokenizer, sentences) as tokens:
        return [
            row.label_words([number[name] for name in own], array, all_pieces) for row, own in zip(tokens, given)
        ], names


def labels_of_entities(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    given: Sequence[Sequence[Any]],
    label_names: list[str] | None,
    scheme: str,
    all_pieces: bool,
    place: Callable[[int], str] = "row {}".format,
) -> tuple[list[list[int]], list[str]]:
    """The same from the entities of each text."""
    stretches = [byte_stretches(text, row, number) for number, (text, row) in enumerate(zip(texts, given))]
    names = (
        tag_names((kind.decode() for row in stretches for kind, _, _ in row), scheme)
        if label_names is None
        else label_names
    )
    array = names_array(names)
    labels: list[list[int]] = []
    lost: list[int] = []
    sentences = [Sentence(text_bytes(text, "texts"), None) for text in texts]
    with token_rows(tokenizer, sentences) as tokens:
        for number, (row, own) in enumerate(zip(tokens, stretches)):
            try:
                labels.append(row.label_entities(own, array, all_pieces))
            except GraftError as error:
                raise with_source(f"row {number}", error) from None
            if own:
                end = row.end_byte
                in_tokens = sum(first < end for _, first, _ in own)
                lost += [number] * (in_tokens - row.entity_count(labels[-1], array))
    if lost:
        warn(
            f"entities without a word of their own, which are not learned: {len(lost)}, the first in "
            f"{place(lost[0])}; to the tokenizer theirs is another's, or nothing"
        )
    return labels, names
