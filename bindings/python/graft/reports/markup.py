"""HTML and SVG in which no text can become markup: what is not :class:`Html` already is escaped."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from html import escape

#: Characters that change the order of those around them, which a page about texts must not obey.
DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Joins letters and pictures of several scripts: not to be seen, and needed.
JOINERS = "\u200c\u200d"
VOID = frozenset({"meta", "hr", "br"})


class Html(str):
    """Markup, as it stands."""


def tag(name: str, /, *content: str, **attributes: object) -> Html:
    """An element. An attribute that is None is left out, ``class_`` is spelt ``class``, and other
    underscores are hyphens, but where SVG has none."""
    words = [name]
    for key, value in attributes.items():
        if value is not None:
            spelt = key if key in ("viewBox", "preserveAspectRatio") else key.rstrip("_").replace("_", "-")
            words.append(f'{spelt}="{escape(_plain(_written(value)))}"')
    opened = f"<{' '.join(words)}>"
    return Html(opened if name in VOID else f"{opened}{joined(content)}</{name}>")


def joined(parts: Iterable[str]) -> Html:
    """Parts one after the other."""
    return Html("".join(part if isinstance(part, Html) else escape(_plain(part)) for part in parts))


def quoted(text: str, longest: int = 400) -> Html:
    """A text of somebody else's: set apart from what is around it, in its own direction, with the
    characters that cannot be seen named, and cut where it is very long."""
    parts: list[str] = []
    for character in text[:longest]:
        if _is_hidden(character):
            parts.append(tag("span", f"U+{ord(character):04X}", class_="hidden-character"))
        else:
            parts.append(character)
    if len(text) > longest:
        rest = f" … {len(text) - longest:,} characters more"
        return joined([tag("bdi", *parts, dir="auto"), tag("span", rest, class_="note")])
    return tag("bdi", *parts, dir="auto")


def shortened(text: str, width: int = 22) -> str:
    """A name that fits beside a picture, without its middle where it is long: so many columns, of
    which wide characters take two."""
    characters = list(_plain(text))
    if columns_of(text) <= width:
        return "".join(characters)
    start, end = _fitting(characters, width * 3 // 5), _fitting(characters[::-1], width * 2 // 5 - 1)
    return f"{''.join(characters[:start]).rstrip()}…{''.join(characters[len(characters) - end :]).lstrip()}"


def _fitting(characters: list[str], width: int) -> int:
    """How many of them fit."""
    taken = 0
    for count, character in enumerate(characters):
        taken += columns_of(character)
        if taken > width:
            return count
    return len(characters)


def columns_of(text: str) -> int:
    """How wide a text is, in letters."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _is_hidden(character: str) -> bool:
    if character in "\n\t" or character in JOINERS:
        return False
    return character in DIRECTIONS or unicodedata.category(character) in ("Cc", "Cs", "Cf", "Co", "Cn")


def _plain(text: str) -> str:
    """Without what no page may hold or would obey."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("\ufffd" if _is_unsafe(character) else character for character in text)


def _is_unsafe(character: str) -> bool:
    is_control = unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"
    return is_control or character in DIRECTIONS


def _written(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
    return str(value)
