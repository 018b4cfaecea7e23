"""What a report says of one table, and of two."""

from __future__ import annotations

from dataclasses import dataclass, field

SHOWN_CLASSES = 20


@dataclass
class PartReport:
    """One table of a :class:`DataReport`."""

    source: str
    row_count: int
    columns: list[str]
    #: Rows, or words, of each label, the most frequent first.
    classes: dict[str, int] = field(default_factory=dict)
    #: Rows of the most frequent class for each of the rarest; None without classes.
    imbalance: float | None = None
    #: Least, mean and largest of the targets.
    targets: dict[str, float] | None = None
    #: Tokens of a row that is not cut, by percentiles: of the longest that a model reads or writes
    #: of it, such as a prompt with what is answered, or a text with one of its candidates.
    lengths: dict[int, int] = field(default_factory=dict)
    #: Of the texts, without answers and candidates.
    token_count: int = 0
    #: Most tokens of a row; None: no limit.
    maximum_length: int | None = None
    #: Rows with more, which are cut; or read in windows, where ``has_windows``.
    cut_row_count: int = 0
    #: Whether longer rows are cut into windows: texts with tags, and contexts of questions.
    has_windows: bool = False
    unknown_token_count: int = 0
    #: Rows of which more than a fifth is unknown.
    unknown_row_count: int = 0
    #: Rows that say what one before them says: to the character, and but for case and white space.
    duplicate_count: int = 0
    near_duplicate_count: int = 0
    #: Rows that say what one before them says, and have another label.
    conflict_count: int = 0
    #: Rows that were left out as the table was read.
    skipped_count: int = 0


@dataclass
class Overlap:
    """Rows of one part that another has as well."""

    part: str
    other: str
    row_count: int
    #: The same but for case and white space.
    near_row_count: int


def part_text(name: str, part: PartReport) -> str:
    """A part as text."""
    lines = [f"{name}: {part.row_count:,} rows of {', '.join(part.columns) or 'nothing'}, {part.source}"]
    if part.classes:
        total = sum(part.classes.values())
        lines.append(f"  classes     {len(part.classes)}, the most frequent {part.imbalance:.1f} times the rarest")
        shown = list(part.classes.items())[:SHOWN_CLASSES]
        width = max(len(label) for label, _ in shown)
        lines += [f"    {label:<{width}} {count:>8,} {100 * count / total:5.1f} %" for label, count in shown]
        if len(part.classes) > len(shown):
            lines.append(f"    and {len(part.classes) - len(shown)} more")
    if part.targets:
        lines.append("  targets     " + ", ".join(f"{what} {value:.4g}" for what, value in part.targets.items()))
    if part.lengths:
        lines += _tokens_text(part)
    if part.skipped_count:
        lines.append(f"  left out    {part.skipped_count:,} rows")
    return "\n".join(lines)


def _tokens_text(part: PartReport) -> list[str]:
    least, median, most_of_all, nearly_all, longest = (part.lengths[percent] for percent in (0, 50, 95, 99, 100))
    how = "in windows of" if part.has_windows else "cut at"
    cut = "no limit" if part.maximum_length is None else f"{part.cut_row_count:,} rows {how} {part.maximum_length}"
    unknown = f"{part.unknown_token_count:,} of {part.token_count:,} tokens; much of {part.unknown_row_count:,} rows"
    near, conflicts = (
        f"{part.near_duplicate_count:,} but for case and blanks",
        f"{part.conflict_count:,} with another label",
    )
    return [
        f"  tokens      {least} to {longest} a row, median {median}, 95 % up to {most_of_all}, 99 % up to {nearly_all}",
        f"  cut         {cut}",
        f"  unknown     {unknown}",
        f"  duplicates  {part.duplicate_count:,} rows, {near}; {conflicts}",
    ]
