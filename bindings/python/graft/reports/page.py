"""Sections as one page, which needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .markup import Html, joined, quoted, tag
from .parts import Section, names

#: Nothing is loaded, sent or run, whatever a text says.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(title: str, lede: str, sections: Sequence[Section], footer: str) -> str:
    """The page. It has no scripts, so that nothing in it can be one."""
    style = Html(Path(__file__).with_name("style.css").read_text("utf-8"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", style),
    )
    links = [tag("li", tag("a", section.title, href=f"#{section.key}")) for section in sections]
    top = tag(
        "header",
        tag("h1", quoted(title)),
        tag("p", lede, class_="lede"),
        tag("nav", tag("ul", *links), aria_label="Sections"),
    )
    skip = tag("a", "Skip to the report", href="#content", class_="skip")
    bottom = tag("footer", tag("p", footer))
    body = tag("body", skip, top, tag("main", *map(_section, sections), id="content"), bottom)
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def recipe_section(recipe: dict[str, Any]) -> Section | None:
    """Every setting, a table for each part."""
    parts = []
    plain = {name: value for name, value in recipe.items() if not isinstance(value, dict)}
    grouped = {name: own for name, own in recipe.items() if isinstance(own, dict)}
    for name, settings in {**grouped, "more": plain}.items():
        if not settings:
            continue
        rows = [tag("tr", tag("th", key, scope="row"), tag("td", _setting(value))) for key, value in settings.items()]
        parts.append(tag("div", tag("h3", name.capitalize()), tag("table", tag("tbody", *rows), aria_label=name)))
    return Section("recipe", "Recipe", tag("div", *parts, class_="settings")) if parts else None


def _setting(value: Any) -> Html:
    if value is None:
        return tag("span", "none", class_="note")
    if isinstance(value, bool):
        return joined(["yes" if value else "no"])
    if isinstance(value, dict):
        return (
            joined([", ".join(f"{name}: {own}" for name, own in value.items())])
            if value
            else tag("span", "none", class_="note")
        )
    if isinstance(value, (list, tuple)):
        return names(map(str, value)) if value else tag("span", "none", class_="note")
    if isinstance(value, int):
        return joined([f"{value:,}"])
    return joined([f"{value:g}"]) if isinstance(value, float) else quoted(str(value))


def _section(section: Section) -> Html:
    heading = tag("h2", section.title, id=f"{section.key}-title")
    return tag("section", heading, section.content, id=section.key, aria_labelledby=f"{section.key}-title")
