"""What to know of data before training on it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any

from ..errors import invalid
from ..lost_tokens import UNKNOWN_SHARE
from ..tokenizer import Tokenizer
from .columns import has_windows, is_number, learned_column
from .measuring import Texts, row_lengths, texts_of, token_counts
from .repeats import Key, conflicts, exact_keys, normal_keys, repeated
from .report_parts import Overlap, PartReport, part_text
from .table import Table

QUANTILES = (0, 5, 25, 50, 75, 95, 99, 100)
#: A row of more unknown tokens says little to the model.
MUCH_UNKNOWN = 0.2
#: From here on classes are called uneven, and a class rare.
UNEVEN, RARE = 10.0, 5
SHOWN_PLACES = 3


class DataReport:
    """What :func:`data_report` found. As text it is to be read, :meth:`to_dict` is for machines."""

    def __init__(self, parts: dict[str, PartReport], overlaps: list[Overlap], problems: list[str]) -> None:
        #: By the names of the tables.
        self.parts = parts
        #: Rows that two of them have.
        self.overlaps = overlaps
        #: What to look at before training, in sentences.
        self.problems = problems

    def to_dict(self) -> dict[str, Any]:
        """All of it as dictionaries, lists, numbers and strings, which JSON takes."""
        parts = {name: asdict(part) for name, part in self.parts.items()}
        for part in parts.values():
            part["lengths"] = {str(percentile): length for percentile, length in part["lengths"].items()}
        return {
            "parts": parts,
            "overlaps": [asdict(overlap) for overlap in self.overlaps],
            "problems": list(self.problems),
        }

    def __str__(self) -> str:
        blocks = [part_text(name, part) for name, part in self.parts.items()]
        if len(self.parts) > 1:
            shared = [
                f"  {own.part} has {own.row_count} rows of {own.other}, {own.near_row_count} but for case and blanks"
                for own in self.overlaps
            ]
            blocks.append("\n".join(["shared", *(shared or ["  nothing"])]))
        blocks.append("\n".join(["problems", *([f"  - {problem}" for problem in self.problems] or ["  none found"])]))
        return "\n\n".join(blocks)

    def __repr__(self) -> str:
        rows = ", ".join(f"{name}: {part.row_count} rows" for name, part in self.parts.items())
        return f"<graft.DataReport, {rows}, {len(self.problems)} problems>"


def data_report(tokenizer: Tokenizer, tables: Table | Mapping[str, Table], *, maximum_length: int = 0) -> DataReport:
    """Looks at data before training: classes, lengths in tokens, what will be cut, what the
    tokenizer does not know, texts that occur twice or in two parts, labels that contradict each
    other or that training would not see.

    >>> print(graft.data_report(tokenizer, {"train": train, "test": test}))

    :param tables: one, or several by names such as ``"train"`` and ``"test"``: the first is the one
        that is trained on.
    :param maximum_length: where rows will be cut; 0: the tokenizer's ``maximum_length``.
    """
    given = {"data": tables} if isinstance(tables, Table) else dict(tables)
    if not given or not all(isinstance(table, Table) for table in given.values()):
        raise invalid("tables: expected a graft.Table, or some by their names")
    limit = maximum_length or tokenizer.maximum_length
    parts, keys, near, problems = {}, {}, {}, []
    for name, table in given.items():
        texts = texts_of(table) if len(table) else Texts([], None)
        keys[name] = exact_keys(texts)
        near[name] = normal_keys(keys[name])
        parts[name], own = _part(tokenizer, table, texts, keys[name], near[name], limit)
        problems += [f"{name}: {problem}" for problem in own]
    overlaps = list(_overlaps(keys, near))
    trained = next(iter(given))
    problems += [f"{trained}: {problem}" for problem in _class_problems(given[trained], parts[trained])]
    problems += _unseen(given, parts, trained)
    for overlap in overlaps:
        count = overlap.near_row_count
        problems.append(f"{overlap.part}: {count} of its rows are in {overlap.other} as well, but for case and blanks")
    return DataReport(parts, overlaps, problems)


def _part(
    tokenizer: Tokenizer, table: Table, texts: Texts, keys: Sequence[Key], near: Sequence[Key], limit: int | None
) -> tuple[PartReport, list[str]]:
    part = PartReport(table.source, len(table), table.columns, maximum_length=limit, skipped_count=len(table.skipped))
    if not len(table):
        return part, ["it has no rows"]
    problems = []
    counts, unknown = token_counts(tokenizer, texts)
    lengths = row_lengths(tokenizer, table)
    ordered = sorted(lengths)
    part.lengths = {percent: ordered[max(0, math.ceil(percent * len(ordered) / 100) - 1)] for percent in QUANTILES}
    part.token_count, part.unknown_token_count = sum(counts), sum(unknown)
    if table.skipped:
        problems.append(f"{len(table.skipped)} rows were left out: {_some(table.skipped)}")
    if limit is not None:
        cut = [row for row, length in enumerate(lengths) if length > limit]
        part.cut_row_count, part.has_windows = len(cut), has_windows(table)
        if cut and not part.has_windows:
            problems.append(
                f"{len(cut)} of {len(table)} rows are longer than {limit} tokens and will be cut: {_places(table, cut)}"
            )
    strange = [row for row, (own, length) in enumerate(zip(unknown, counts)) if own > MUCH_UNKNOWN * length]
    part.unknown_row_count = len(strange)
    if part.unknown_token_count > UNKNOWN_SHARE * part.token_count:
        share = 100 * part.unknown_token_count / part.token_count
        problems.append(f"{share:.0f} % of the tokens are unknown to this tokenizer: it was made for other texts")
    elif strange:
        problems.append(
            f"{len(strange)} rows are unknown to the tokenizer for more than a fifth: {_places(table, strange)}"
        )
    problems += _of_written(tokenizer, table)
    part.duplicate_count, part.near_duplicate_count = repeated(keys), repeated(near)
    learned = learned_column(table)
    if learned is not None:
        found = conflicts(near, table[learned])
        part.conflict_count = len(found)
        if found:
            first = found[0]
            problems.append(
                f"{len(found)} rows say what another says and have another {learned}: {_places(table, first)}"
            )
        _describe(part, table, learned)
    return part, problems


def _of_written(tokenizer: Tokenizer, table: Table) -> list[str]:
    """What the tokenizer does not know of the texts that are to be written."""
    problems = []
    for column in ("output", "completion", "chosen", "rejected"):
        if column in table:
            lengths, unknown = token_counts(tokenizer, Texts(table[column]))
            if sum(unknown) > UNKNOWN_SHARE * sum(lengths):
                share = 100 * sum(unknown) / sum(lengths)
                problems.append(f"{share:.0f} % of the tokens of {column} are unknown to this tokenizer: it cannot write them")
    return problems


def _describe(part: PartReport, table: Table, learned: str) -> None:
    """Its classes or its targets."""
    values = table[learned]
    if learned == "target":
        numbers = list(chain.from_iterable(value if isinstance(value, list) else [value] for value in values))
        if numbers:
            part.targets = {"least": min(numbers), "mean": math.fsum(numbers) / len(numbers), "largest": max(numbers)}
        return
    counts = Counter(chain.from_iterable(_classes(learned, value) for value in values))
    part.classes = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if counts:
        part.imbalance = max(counts.values()) / min(counts.values())


def _classes(learned: str, value: Any) -> list[str]:
    """Those that a row has, each as often as it has it."""
    if learned == "label":
        return [value]
    return [entity.type for entity in value] if learned == "entities" else value


def _class_problems(table: Table, part: PartReport) -> list[str]:
    """What makes the classes of the part that is trained on hard to learn."""
    if part.row_count == 1:
        return ["it has one row: there is nothing to learn from it but itself"]
    if part.targets is not None and part.targets["least"] == part.targets["largest"]:
        return [f"all targets are {part.targets['least']}"]
    learned = learned_column(table)
    if not part.row_count or learned is None or learned == "target":
        return []
    if not part.classes:
        return [f"no row has {'an entity' if learned == 'entities' else 'a label'}: there is nothing to learn"]
    problems = []
    # An entity is told from other words, and a label that a row may have from those without.
    has_others = learned == "entities" or (learned == "labels" and not all(table[learned]))
    if len(part.classes) == 1 and not has_others:
        problems.append(f"one class only, {next(iter(part.classes))!r}: there is nothing to tell apart")
    if learned != "label":  # whose classes are counted by rows, and can be weighted
        return problems
    rare = [name for name, count in part.classes.items() if count < RARE]
    if rare:
        problems.append(f"{len(rare)} of {len(part.classes)} classes have fewer than {RARE} rows: {_some(rare)}")
    if part.imbalance is not None and part.imbalance >= UNEVEN:
        problems.append(
            f"the most frequent class has {part.imbalance:.0f} rows for each of the rarest: graft.class_weights evens that "
            "out, and macro F1 measures it"
        )
    if (
        len(part.classes) > 20
        and all(is_number(name) for name in part.classes)
        and any("." in name for name in part.classes)
    ):
        problems.append(f"the labels are {len(part.classes)} numbers: columns={{'target': …}} learns them as numbers")
    return problems


def _unseen(tables: Mapping[str, Table], parts: Mapping[str, PartReport], trained: str) -> list[str]:
    """Labels of other parts that training does not see."""
    problems = []
    for part, table in tables.items():
        learned = learned_column(table)
        unseen = parts[part].classes.keys() - parts[trained].classes.keys()
        if learned is None or not unseen:
            continue
        rows = [row for row, value in enumerate(table[learned]) if unseen & set(_classes(learned, value))]
        problems.append(
            f"{part}: {len(unseen)} labels do not occur in {trained}: {_some(sorted(unseen))}; {_places(table, rows)}"
        )
    return problems


def _overlaps(keys: Mapping[str, Sequence[Key]], near: Mapping[str, Sequence[Key]]) -> list[Overlap]:
    names = list(keys)
    found = []
    for number, other in enumerate(names):
        exact_rows, near_rows = set(keys[other]), set(near[other])
        for part in names[number + 1 :]:
            count = sum(key in near_rows for key in near[part])
            if count:
                found.append(Overlap(part, other, sum(key in exact_rows for key in keys[part]), count))
    return found


def _some(items: Sequence[str]) -> str:
    return ", ".join(items[:SHOWN_PLACES]) + (", …" if len(items) > SHOWN_PLACES else "")


def _places(table: Table, rows: Sequence[int]) -> str:
    start = f"{table.source}: "
    return start + _some([table.place(row).removeprefix(start) for row in rows[: SHOWN_PLACES + 1]])
