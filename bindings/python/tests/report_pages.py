"""The pages of reports, read as a browser reads them."""

from __future__ import annotations

from html.parser import HTMLParser

import graft

VOID = {"meta", "hr", "br"}


class Page(HTMLParser):
    """The elements of a page, which must be nested as they should."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert not self.open, f"{self.open} are not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append((self.open[-1] if self.open else "", data))

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    @property
    def text(self) -> str:
        return "".join(word for tag, word in self.words if tag not in ("style", "title"))

    @property
    def sections(self) -> list[str | None]:
        return [attributes["id"] for attributes in self.all("section")]


def checked(report: graft.Report) -> Page:
    """A page that is whole: without scripts and addresses, with names for all that is a picture."""
    page = Page(report.html)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "img", "link", "iframe", "object", "form"})
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "srcset", "action") for name in attributes)
    assert all((link["href"] or "").startswith("#") for link in page.all("a"))
    identities = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(identities)) == len(identities)
    assert {link["href"] for link in page.all("a")} <= {f"#{name}" for name in identities}
    assert all(picture.get("aria-label") or picture.get("aria-hidden") for picture in page.all("svg"))
    assert len(page.all("figcaption")) == len(page.all("figure"))
    assert len(page.all("h1")) == 1 and len(page.all("main")) == 1
    assert "nan" not in report.html.lower().replace("finance", "")
    (policy,) = [meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in (policy["content"] or "")
    return page
