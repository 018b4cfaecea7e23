"""chrF (Popović 2015): F2 of sequences of characters of all rows together, as sacrebleu computes
it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

ORDER = 6
#: Recall counts so much more than precision, squared.
FACTOR = 4


def statistics(written: str, references: Sequence[str]) -> list[int]:
    """Of one row, for each order the n-grams that were written, that the best of the references
    has, and that both have. Rows add up."""
    own = _ngrams(written)
    return max((_shared(own, _ngrams(reference)) for reference in references), key=score)


def score(sums: Sequence[int]) -> float:
    """From 0 to 100."""
    precision = recall = 0.0
    orders = 0
    for given, wanted, right in zip(sums[::3], sums[1::3], sums[2::3]):
        if given and wanted:
            precision += right / given
            recall += right / wanted
            orders += 1
    if not precision + recall:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return 100 * ((1 + FACTOR) * precision * recall / (FACTOR * precision + recall))


def _shared(own: list[Counter[str]], other: list[Counter[str]]) -> list[int]:
    found = []
    for mine, theirs in zip(own, other):
        wanted = sum(theirs.values())
        # Where the reference has none of an order, what was written does not count against it.
        given = sum(mine.values()) if wanted else 0
        found += [given, wanted, sum(min(count, theirs[ngram]) for ngram, count in mine.items() if ngram in theirs)]
    return found


def _ngrams(text: str) -> list[Counter[str]]:
    line = "".join(text.split())
    return [Counter(line[start : start + order] for start in range(len(line) - order + 1)) for order in range(1, ORDER + 1)]
