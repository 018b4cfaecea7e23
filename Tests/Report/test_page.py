"""Reports as a browser shows them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy
import pytest
from browser import Browser
from conftest import HOSTILE, TITLE
from matplotlib import image

NAMES = (
    "whole", "hostile", "values", "entities", "answers", "vectors", "choices", "rankings", "words", "written",
    "preferences", "many",
)  # fmt: skip
WIDTHS = {"narrow": 380, "wide": 1280}
#: What is written and drawn outside its picture, or under another thing that is written.
CUT_WORDS = """[...document.querySelectorAll('svg text')].filter(text => {
    const word = text.getBoundingClientRect(), all = text.closest('svg').getBoundingClientRect()
    return word.left < all.left - 1 || word.right > all.right + 14 || word.top < all.top - 1 || word.bottom > all.bottom + 1
}).map(text => text.textContent)"""
OVERLAPPING = """[...document.querySelectorAll('svg')].flatMap(svg => {
    const words = [...svg.querySelectorAll('text')].filter(text => !text.getAttribute('transform')?.includes('-45'))
    const boxes = words.map(word => word.getBoundingClientRect())
    return words.filter((word, i) => boxes.some((box, j) => j < i && box.left < boxes[i].right - 1 &&
        boxes[i].left < box.right - 1 && box.top < boxes[i].bottom - 2 && boxes[i].top < box.bottom - 2))
        .map(word => word.textContent)
})"""


@pytest.mark.parametrize(("width", "scheme"), [("narrow", "light"), ("wide", "light"), ("wide", "dark")])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_shown_as_it_should(
    chromium: Browser, pages: dict[str, Path], folder: Path, name: str, width: str, scheme: str
) -> None:
    chromium.open(pages[name], WIDTHS[width], scheme=scheme)
    picture = chromium.picture()
    (folder / f"{name}-{width}-{scheme}.png").write_bytes(picture)
    assert chromium.complaints() == []
    assert chromium.requests() == [pages[name].as_uri()]
    assert chromium.evaluate("document.title") == TITLE
    assert chromium.evaluate("document.scripts.length") == 0
    assert chromium.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
    assert chromium.evaluate(CUT_WORDS) == []
    assert chromium.evaluate(OVERLAPPING) == []
    brightness = image.imread(io.BytesIO(picture))[..., :3].mean()
    assert brightness > 0.85 if scheme == "light" else brightness < 0.3


def test_texts_of_others_stay_texts(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["hostile"])
    shown = chromium.evaluate("document.getElementById('mistakes').innerText")
    for text in (HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[3], "U+202E", "U+0000", "U+D800", "1,000 characters more"):
        assert text in shown
    assert chromium.evaluate("document.querySelectorAll('img, a[href^=http], form').length") == 0
    assert chromium.evaluate("getComputedStyle(document.body).display") == "block"


def test_what_goes_wrong_on_a_page_is_seen(chromium: Browser, tmp_path: Path) -> None:
    """Else the tests above would show nothing."""
    (tmp_path / "bad.html").write_text(
        "<title>x</title><script>console.error('said'); undefined.x</script><img src='http://example.org/a.png'>"
    )
    chromium.open(tmp_path / "bad.html")
    complaints = " ".join(chromium.complaints())
    assert "said" in complaints and "TypeError" in complaints and "ERR_NAME_NOT_RESOLVED" in complaints
    assert "http://example.org/a.png" in chromium.requests()


def test_the_policy_refuses_scripts_and_addresses(chromium: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    """Were a text to become markup all the same."""
    evil = "<script>document.title = 'taken'</script><img src='http://example.org/a.png'></main>"
    (tmp_path / "page.html").write_text(pages["values"].read_text("utf-8").replace("</main>", evil))
    chromium.open(tmp_path / "page.html")
    assert chromium.evaluate("document.title") == TITLE
    assert "Content Security Policy" in " ".join(chromium.complaints())


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("choices", "Row Text Right one Taken instead Probability of the one that was taken"),
        ("rankings", "Row Text Right one Taken instead Place of the right one"),
        ("words", "Row Text Hidden Guessed Probability of the hidden one"),
        ("written", "Row Text Reference Written chrF"),
        ("preferences", "Row Text Preferred Other answer Reward of the other above it"),
    ],
)
def test_mistakes_are_a_table_that_says_what_it_has(chromium: Browser, pages: dict[str, Path], name: str, columns: str) -> None:
    chromium.open(pages[name])
    table = "document.querySelector('#mistakes table')"
    heads = chromium.evaluate(f"[...{table}.querySelectorAll('thead th[scope=col]')].map(own => own.innerText).join(' ')")
    assert heads == columns
    assert chromium.evaluate(f"{table}.querySelectorAll('tbody th[scope=row]').length") == 20
    assert chromium.evaluate(f"{table}.caption.innerText") == "The 20 worst, worst first. Rows are counted from 1."
    lengths = chromium.evaluate("[...document.querySelectorAll('#lengths figcaption strong')].map(own => own.innerText)")
    assert lengths == (["Length of the sources", "Length of the references"] if name == "written" else ["Length"])


def test_who_does_not_see_it_is_told(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["whole"])
    nodes = chromium.ask("Accessibility.getFullAXTree")["nodes"]

    def named(role: str) -> list[str]:
        found: list[dict[str, Any]] = [node for node in nodes if node.get("role", {}).get("value") == role]
        return [node.get("name", {}).get("value", "") for node in found if not node["ignored"]]

    pictures = named("image")
    assert len(pictures) > 8 and all(len(name) > 20 for name in pictures)
    assert named("heading")[0] == TITLE and "Worst mistakes" in named("heading")
    assert all(named("table")) and all(named("region")) and all(named("figure") or ["none"])
    assert len(named("main")) == len(named("contentinfo")) == len(named("banner")) == 1
    assert chromium.evaluate("document.documentElement.lang") == "en"


def test_the_keyboard_is_enough(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["whole"])
    focused = "document.activeElement.tagName + ' ' + document.activeElement.innerText"
    chromium.key("Tab")
    assert chromium.evaluate(focused) == "A Skip to the report"
    assert chromium.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    for _ in range(40):
        chromium.key("Tab")
        if chromium.evaluate(focused).startswith("SUMMARY Numbers: Confusion matrix"):
            break
    assert not chromium.evaluate("document.activeElement.parentElement.open")
    chromium.key("Enter")
    assert chromium.evaluate("document.activeElement.parentElement.open")


def test_it_can_be_printed(chromium: Browser, pages: dict[str, Path], folder: Path) -> None:
    chromium.open(pages["whole"], scheme="dark")
    paper = chromium.print()
    (folder / "whole.pdf").write_bytes(paper)
    assert paper.startswith(b"%PDF") and len(paper) > 20_000
    chromium.ask(
        "Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    assert chromium.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    heights = chromium.evaluate(
        "[...document.querySelectorAll('details table')].map(table => table.getBoundingClientRect().height)"
    )
    assert len(heights) > 6 and min(heights) > 40
    # A sheet of paper without its margins: nothing is beyond it.
    chromium.ask("Emulation.setDeviceMetricsOverride", width=700, height=1000, deviceScaleFactor=1, mobile=False)
    wide = "[...document.querySelectorAll('.scroll')].filter(own => own.scrollWidth > 700).map(own => own.ariaLabel)"
    assert chromium.evaluate(wide) == []
    chromium.ask("Emulation.setEmulatedMedia", media="")


def test_pictures_are_drawn_in_the_accent(chromium: Browser, pages: dict[str, Path]) -> None:
    for scheme, color in (("light", (11, 92, 143)), ("dark", (108, 184, 234))):
        chromium.open(pages["whole"], scheme=scheme)
        pixels = image.imread(io.BytesIO(chromium.picture()))[..., :3] * 255
        near = (numpy.abs(pixels - color) < 3).all(axis=-1)
        assert near.sum() > 5000, scheme
