"""BLEU (Papineni et al. 2002) of all rows together, as sacrebleu computes it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

ORDER = 4


def statistics(written: Sequence[str], references: Sequence[Sequence[str]]) -> list[int]:
    """Of one row: its length, that of the reference nearest to it, the n-grams of each order that a
    reference has as well, and all of them. Rows add up."""
    own = _ngrams(written)
    known = _ngrams(references[0])
    for reference in references[1:]:
        known |= _ngrams(reference)
    length = len(written)
    nearest = min(map(len, references), key=lambda other: (abs(other - length), other))
    right, all_ngrams = [0] * ORDER, [max(0, length - order) for order in range(ORDER)]
    for ngram, count in own.items():
        right[len(ngram) - 1] += min(count, known[ngram])
    return [length, nearest, *right, *all_ngrams]


def score(sums: Sequence[int]) -> float:
    """From 0 to 100: the geometric mean of the precisions of 1 to 4 words, less where what was
    written is shorter. A precision of 0 is smoothed by halving (NIST)."""
    length, wanted, right, all_ngrams = sums[0], sums[1], sums[2 : 2 + ORDER], sums[2 + ORDER :]
    if not any(right) or 0 in all_ngrams:
        return 0.0
    smoothed, logarithms = 1.0, 0.0
    for own, count in zip(right, all_ngrams):
        if own == 0:
            smoothed *= 2
        logarithms += math.log(100.0 * own / count if own else 100.0 / (smoothed * count))
    brevity = math.exp(1 - wanted / length) if length < wanted else 1.0
    return brevity * math.exp(logarithms / ORDER)


def _ngrams(tokens: Sequence[str]) -> Counter[tuple[str, ...]]:
    counts: Counter[tuple[str, ...]] = Counter()
    for order in range(ORDER):
        counts.update(zip(*(tokens[start:] for start in range(order + 1))))
    return counts
