"""What sections are made of: figures with their numbers, tables, keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .markup import Html, joined, quoted, tag


class Column(NamedTuple):
    """A column of a table. Numbers are set to the right, texts of others apart."""

    name: str
    kind: str = "number"


class Section(NamedTuple):
    """A part of the page."""

    #: In its address.
    key: str
    title: str
    content: Html


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Html:
    """A table whose first column names its rows."""
    head = [
        tag("th", column.name, scope="col", class_="number" if column.kind == "number" else None) for column in columns
    ]
    body = []
    for row in rows:
        cells = [
            tag("th" if place == 0 else "td", value, scope="row" if place == 0 else None, class_=column.kind or None)
            for place, (value, column) in enumerate(zip(row, columns))
        ]
        body.append(tag("tr", *cells))
    content = tag("table", tag("caption", tag("span", caption)), tag("thead", tag("tr", *head)), tag("tbody", *body))
    return scrolled(content, caption)


def scrolled(content: Html, label: str) -> Html:
    """What is wider than a narrow page is moved by itself, with the keyboard, too."""
    return tag("div", content, class_="scroll", role="region", aria_label=label, tabindex=0)


def figure(
    title: str, says: str, picture: Html, numbers: Html | None = None, keys: Html | None = None, wide: bool = False
) -> Html:
    """A picture, what it says, and the numbers behind it."""
    behind = [] if numbers is None else [tag("details", tag("summary", f"Numbers: {title}"), numbers)]
    caption = tag("figcaption", tag("strong", title), says, *([] if keys is None else [keys]))
    return tag("figure", caption, picture, *behind, class_="wide" if wide else None, aria_label=title)


def keys(*named: tuple[str, str]) -> Html:
    """What lines mean: their classes in the style, and names."""
    items = []
    for kind, name in named:
        line = tag("line", class_=f"curve {kind}", x1=0, y1=5, x2=22, y2=5)
        items.append(tag("li", tag("svg", line, viewBox="0 0 22 10", aria_hidden="true"), name))
    return tag("ul", *items, class_="keys")


def cell_text(share: float) -> str:
    """The class of what is written in a cell that is as full as this, so that it can be read."""
    return "in-cell" if share < 0.6 else "on-middle" if share < 0.78 else "on-fill"


def figures(*content: Html) -> Html:
    """Pictures side by side, where there is room."""
    return tag("div", *content, class_="figures")


def names(items: Iterable[str]) -> Html:
    """Names of others, with commas between them."""
    parts: list[str] = []
    for item in items:
        parts += [", ", quoted(item, 80)] if parts else [quoted(item, 80)]
    return joined(parts)
