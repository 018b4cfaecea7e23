"""Splits of rows by a seed: by arithmetic on integers and one hash, so that they are the same
everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from operator import index

from ..errors import invalid
from ..values import shown

Size = float | int


def split_rows(
    count: int, sizes: Sequence[Size], seed: int, keys: Sequence[str] | None = None, is_grouped: bool = False
) -> list[list[int]]:
    """Rows of each part, in order: those left, then those of each size.

    :param keys: of each row, what is stratified or, if ``is_grouped``, kept together.
    """
    wanted = [_row_count(size, count) for size in sizes]
    if not wanted or sum(wanted) >= count:
        raise invalid(
            f"split: {count} rows cannot be split in {len(wanted) + 1} parts of which the others have "
            f"{shown(sum(wanted))}"
        )
    seed = index(seed)
    left = sorted(range(count), key=lambda row: _hash(seed, f"row {row}"))
    parts = []
    for size in wanted:
        if keys is None:
            chosen = left[:size]
        elif is_grouped:
            chosen = _whole_groups(left, keys, size, seed)
        else:
            chosen = _same_shares(left, keys, size)
        taken = set(chosen)
        left = [row for row in left if row not in taken]
        parts.append(sorted(chosen))
    return [sorted(left), *parts]


def _row_count(size: Size, count: int) -> int:
    """Rows of a part of a size: half up, where it is a fraction."""
    if isinstance(size, bool) or not isinstance(size, (int, float)):
        try:
            size = index(size)
        except TypeError:
            raise TypeError(f"sizes: expected fractions or numbers of rows, found {size!r}") from None
    if isinstance(size, float) and not 0 < size < 1:
        raise invalid(f"sizes: expected a fraction between 0 and 1, or an integer; found {size}")
    rows = int(size * count + 0.5) if isinstance(size, float) else size
    if rows < 1:
        raise invalid(f"sizes: {size} of {count} rows are none")
    return rows


def _hash(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed} {name}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _whole_groups(left: Sequence[int], keys: Sequence[str], size: int, seed: int) -> list[int]:
    """Groups that fit, in an order that does not depend on that of the rows; but one stays."""
    groups: dict[str, list[int]] = {}
    for row in left:
        groups.setdefault(keys[row], []).append(row)
    chosen: list[int] = []
    taken = 0
    for key in sorted(groups, key=lambda key: _hash(seed, f"group {key}")):
        if len(chosen) + len(groups[key]) <= size and taken + 1 < len(groups):
            chosen += groups[key]
            taken += 1
    if not chosen:
        smallest = min(map(len, groups.values()))
        raise invalid(
            f"split: a part of {size} rows holds none of {len(groups)} groups, "
            f"the smallest of which has {smallest} rows"
        )
    return chosen


def _same_shares(left: Sequence[int], keys: Sequence[str], size: int) -> list[int]:
    """Of each value as much as its share of the rows, by largest remainders, and never its last
    row."""
    strata: dict[str, list[int]] = {}
    for row in left:
        strata.setdefault(keys[row], []).append(row)
    total = len(left)
    order = sorted(strata)
    counts = {key: min(size * len(strata[key]) // total, len(strata[key]) - 1) for key in order}
    remainders = sorted(order, key=lambda key: (-(size * len(strata[key]) % total), key))
    missing = size - sum(counts.values())
    while missing:
        open_ones = [key for key in remainders if counts[key] < len(strata[key]) - 1][:missing]
        if not open_ones:
            raise invalid(
                f"split: a part of {size} rows leaves fewer than one row for each of {len(strata)} values; "
                f"{total} rows are left"
            )
        for key in open_ones:
            counts[key] += 1
        missing -= len(open_ones)
    return [row for key in order for row in strata[key][: counts[key]]]
