"""All measures of texts together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from . import bleu, chrf, rouge
from .tokens import tokenizers

#: In the order in which an evaluation has them.
NAMES = ("bleu", "chrf", *rouge.NAMES)


def measured(written: Sequence[str], references: Sequence[Sequence[str]], tokenize: str) -> dict[str, float]:
    """By their names. Each row has one reference or more."""
    for_bleu, for_rouge = tokenizers(tokenize)
    of_words, of_characters, of_rows = [], [], []
    for text, known in zip(written, references):
        of_words.append(bleu.statistics(for_bleu(text), [for_bleu(reference) for reference in known]))
        of_characters.append(chrf.statistics(text, known))
        own = rouge.RougeText(text, for_rouge)
        each = [rouge.scores(own, rouge.RougeText(reference, for_rouge)) for reference in known]
        of_rows.append([max(column) for column in zip(*each)])
    means = [math.fsum(column) / len(written) for column in zip(*of_rows)]
    return dict(zip(NAMES, [bleu.score(_sums(of_words)), chrf.score(_sums(of_characters)), *means]))


def _sums(rows: Iterable[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows)]
