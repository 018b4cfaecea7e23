"""Questions about paragraphs of articles, as SQuAD's and CMRC's JSON has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .records import BadRow, Record, Records

#: Every row has these.
NAMES = ("question", "context", "answers", "id", "group")


def is_squad(content: Any) -> bool:
    """Whether this is such a file: SQuAD's object with its articles under "data", or CMRC's
    list."""
    articles = content.get("data") if isinstance(content, dict) else content
    first = articles[0] if isinstance(articles, list) and articles else None
    return isinstance(first, dict) and ("paragraphs" in first or "qas" in first)


def records_of(content: Any) -> Records:
    """A row for each question. Its group is its article: the title, or the number."""
    return Records(_questions(content), NAMES, keyed=True)


def _questions(content: Any) -> Iterator[Record | BadRow]:
    for number, article in enumerate(content["data"] if isinstance(content, dict) else content):
        place = f"article {number}"
        if not isinstance(article, dict):
            yield BadRow(place, f"expected an object, found {type(article).__name__}")
            continue
        # The list that CMRC first came as has one paragraph for each article, in its place.
        paragraphs = article.get("paragraphs", [article])
        if not isinstance(paragraphs, list):
            yield BadRow(place, f"paragraphs: expected a list, found {type(paragraphs).__name__}")
            continue
        for part, paragraph in enumerate(paragraphs):
            yield from _of_paragraph(f"{place}, paragraph {part}", paragraph, article.get("title") or place)


def _of_paragraph(place: str, paragraph: Any, group: str) -> Iterator[Record | BadRow]:
    questions = paragraph.get("qas") if isinstance(paragraph, dict) else None
    if not isinstance(questions, list):
        yield BadRow(place, "expected an object with a list of qas")
        return
    context = paragraph.get("context", paragraph.get("context_text"))
    for number, question in enumerate(questions):
        if not isinstance(question, dict):
            yield BadRow(f"{place}, question {number}", f"expected an object, found {type(question).__name__}")
            continue
        name = question.get("id", question.get("query_id"))
        own = f"question {name}" if name is not None else f"{place}, question {number}"
        answers = question.get("answers") or []
        if not answers and question.get("is_impossible") is False:
            yield BadRow(own, "answers: none, and is_impossible is false")
            continue
        text = question.get("question", question.get("query_text"))
        # Whatever answers it has, an impossible question has none.
        given = [] if question.get("is_impossible") else answers
        identity = own if name is None else name
        yield Record(own, {"question": text, "context": context, "answers": given, "id": identity, "group": group})
