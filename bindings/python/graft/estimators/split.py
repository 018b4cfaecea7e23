"""Rows that are held out from a training."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from random import Random

from ..errors import invalid


def held_out(strata: Iterable[Hashable], fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """The rows to train on, and a ``fraction`` of all to measure on, from each stratum alike.

    Each stratum keeps a row to train on. The same seed holds out the same rows on every machine.
    """
    if not 0 < fraction < 1:
        raise invalid(f"validation_fraction: expected a number between 0 and 1; found {fraction}")
    random = Random(seed)
    by_stratum: dict[Hashable, list[int]] = {}
    count = 0
    for row, stratum in enumerate(strata):
        by_stratum.setdefault(stratum, []).append(row)
        count += 1
    candidates: list[int] = []
    for rows in by_stratum.values():
        random.shuffle(rows)
        candidates += rows[1:]
    wanted = min(max(1, round(fraction * count)), len(candidates))
    if wanted == 0:
        raise invalid(f"early_stopping: none of {count} rows can be held out: no class has two")
    # Every so many of all, stratum by stratum, so that each gives its share.
    step = len(candidates) / wanted
    chosen = {candidates[int((place + 0.5) * step)] for place in range(wanted)}
    return [row for row in range(count) if row not in chosen], sorted(chosen)
