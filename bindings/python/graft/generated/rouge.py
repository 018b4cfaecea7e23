"""ROUGE (Lin 2004) of a row, as rouge-score computes it: F1 of single words, of pairs of words, and
of the longest common subsequence of a text, or of its lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .tokens import Cut

NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")


class RougeText:
    """A text, cut into words and into lines of words."""

    def __init__(self, text: str, cut: Cut) -> None:
        self.tokens = cut(text)
        self.lines = [cut(line) for line in text.split("\n") if line]


def scores(written: RougeText, reference: RougeText) -> list[float]:
    """In the order of the names."""
    common = longest_common(written.tokens, reference.tokens)
    return [
        _of_ngrams(written.tokens, reference.tokens, 1),
        _of_ngrams(written.tokens, reference.tokens, 2),
        _f1(common, len(written.tokens), len(reference.tokens)),
        _of_lines(written.lines, reference.lines),
    ]


def longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    rows = _rows(first, second)
    return len(second) - rows[-1].bit_count() if rows else 0


def _of_ngrams(written: Sequence[str], reference: Sequence[str], order: int) -> float:
    own, other = (Counter(zip(*(tokens[start:] for start in range(order)))) for tokens in (written, reference))
    return _f1((own & other).total(), own.total(), other.total())


def _of_lines(written: list[list[str]], reference: list[list[str]]) -> float:
    """The words of a reference's line that are in the longest common subsequence with any line that
    was written; each word as often as both texts have it."""
    own = Counter(token for line in written for token in line)
    other = Counter(token for line in reference for token in line)
    totals, right = (own.total(), other.total()), 0
    for line in reference:
        for place in sorted({place for given in written for place in _common_places(line, given)}):
            token = line[place]
            if own[token] > 0 and other[token] > 0:
                right += 1
                own[token] -= 1
                other[token] -= 1
    return _f1(right, *totals)


def _common_places(line: Sequence[str], given: Sequence[str]) -> list[int]:
    """The places in a line of one of its longest common subsequences with another: of several the
    one that rouge-score finds."""
    rows = [(1 << len(given)) - 1, *_rows(line, given)]

    def length(row: int, column: int) -> int:
        return column - (rows[row] & ((1 << column) - 1)).bit_count()

    places = []
    row, column = len(line), len(given)
    while row > 0 and column > 0:
        if line[row - 1] == given[column - 1]:
            places.append(row - 1)
            row, column = row - 1, column - 1
        elif length(row, column - 1) > length(row - 1, column):
            column -= 1
        else:
            row -= 1
    return places


def _rows(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """Each row of the table of lengths of common subsequences as bits: 0 where a column's length is
    one more than that of the column before it. A row takes a few operations on long integers (Hyyrö
    2004)."""
    masks: dict[str, int] = {}
    for place, token in enumerate(second):
        masks[token] = masks.get(token, 0) | 1 << place
    all_bits = row = (1 << len(second)) - 1
    rows = []
    for token in first:
        both = row & masks.get(token, 0)
        row = ((row + both) | (row - both)) & all_bits
        rows.append(row)
    return rows


def _f1(right: int, given: int, wanted: int) -> float:
    if not right:
        return 0.0
    precision, recall = right / given, right / wanted
    return 2 * precision * recall / (precision + recall)
