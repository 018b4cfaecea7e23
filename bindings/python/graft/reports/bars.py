"""Parts of 1 as bars beside their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .markup import Html, columns_of, shortened, tag
from .numbers import shown

LENGTH, STEP = 300.0, 24.0


class Bar(NamedTuple):
    """One of them."""

    name: str
    #: From 0 to 1.
    value: float
    #: What it says to those who point at it.
    says: str


def bars(rows: Sequence[Bar], label: str) -> Html:
    """The picture; ``label`` says to those who do not see it what it shows."""
    width = 16 + 7 * max(columns_of(shortened(row.name)) for row in rows)
    parts: list[Html] = []
    bottom = 4 + STEP * len(rows)
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = width + part * LENGTH
        parts.append(tag("line", class_="rule", x1=x, y1=0, x2=x, y2=bottom))
        parts.append(tag("text", f"{part:g}", x=x, y=bottom + 15, text_anchor="middle"))
    for number, row in enumerate(rows):
        y = 4 + STEP * number
        parts.append(tag("text", shortened(row.name), class_="name", x=width - 8, y=y + 14, text_anchor="end"))
        says = tag("title", row.says)
        parts.append(tag("rect", says, class_="fill", x=width, y=y + 3, width=row.value * LENGTH, height=14))
        parts.append(tag("text", shown(row.value), class_="name", x=width + LENGTH + 10, y=y + 14))
    full = (width + LENGTH + 50, bottom + 22)
    return tag(
        "svg",
        *parts,
        viewBox=f"0 0 {full[0]:.0f} {full[1]:.0f}",
        style=f"max-width:{full[0]:.0f}px",
        role="img",
        aria_label=label,
    )
