"""Questions, and what is answered to them, written as SQuAD's and CMRC's JSON and the scripts that
measure it have them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..errors import invalid
from ..files import write_text
from ..values import as_list, require_length, shown
from .row_values import Answer

if TYPE_CHECKING:
    from .table import Table


def write_predictions(path: str | os.PathLike[str], ids: Iterable[str], values: Iterable[str | float]) -> None:
    """Writes what is predicted for questions by their ids, as the scripts of SQuAD and CMRC read
    it: the texts of answers, "" for none; or numbers by which questions have no answer, which SQuAD
    2.0's script takes as its ``--na-prob-file``.

    >>> graft.write_predictions("answers.json", table["id"], [own.text for own in found])
    >>> graft.write_predictions("scores.json", table["id"], [own.no_answer_score for own in found])

    :param ids: of the questions, each another.
    """
    names, given = as_list(ids, "ids", "strings"), as_list(values, "values", "texts or numbers")
    require_length(given, len(names), "values", "id")
    content = dict(zip(names, given))
    if len(content) != len(names):
        raise invalid(f"ids: expected {len(names)} different ones, found {len(content)}")
    write_text(path, _json(content))


def write_squad(path: str | os.PathLike[str], table: Table, form: Literal["squad", "cmrc"]) -> None:
    """The questions of a table; :meth:`graft.Table.write_squad` says how."""
    if not isinstance(form, str) or form not in _CONTENTS:
        raise invalid(f"form: expected one of {', '.join(_CONTENTS)}; found {shown(form)}")
    groups = table["group"] if "group" in table else [""] * len(table)
    ids = table["id"] if "id" in table else map(str, range(len(table)))
    rows = map(_Row, groups, table["context"], ids, table["question"], table["answers"])
    write_text(path, _json(_CONTENTS[form](list(rows))))


class _Row(NamedTuple):
    group: str
    context: str
    id: str
    question: str
    answers: list[Answer]


def _squad(rows: list[_Row]) -> object:
    """In the first version, or in the second where a question has no answer."""
    is_second = not all(row.answers for row in rows)

    def question(row: _Row) -> dict[str, object]:
        found = [{"text": answer.text, "answer_start": answer.start} for answer in row.answers]
        made: dict[str, object] = {"id": row.id, "question": row.question, "answers": found}
        return {**made, "is_impossible": not found} if is_second else made

    articles = [
        {
            "title": title,
            "paragraphs": [
                {"context": context, "qas": list(map(question, part))}
                for context, part in groupby(own, attrgetter("context"))
            ],
        }
        for title, own in groupby(rows, attrgetter("group"))
    ]
    return {"version": "v2.0" if is_second else "1.1", "data": articles}


def _cmrc(rows: list[_Row]) -> object:
    """As the list that CMRC 2018 first came as."""
    paragraphs = groupby(rows, attrgetter("group", "context"))
    return [
        {
            "context_id": str(number),
            "context_text": context,
            "title": title,
            "qas": [
                {"query_id": row.id, "query_text": row.question, "answers": [answer.text for answer in row.answers]}
                for row in part
            ],
        }
        for number, ((title, context), part) in enumerate(paragraphs)
    ]


_CONTENTS: dict[str, Callable[[list[_Row]], object]] = {"squad": _squad, "cmrc": _cmrc}


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False)
