"""Questions, and what is answered to them, written as SQuAD's JSON and the scripts that measure it
have them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ..errors import invalid
from ..files import write_text
from ..values import as_list, require_length

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


def write_squad(path: str | os.PathLike[str], table: Table) -> None:
    """The questions of a table; :meth:`graft.Table.write_squad` says how."""
    groups = table["group"] if "group" in table else [""] * len(table)
    ids = table["id"] if "id" in table else map(str, range(len(table)))
    has_all = all(table["answers"])
    rows = zip(groups, table["context"], ids, table["question"], table["answers"])
    articles = []
    for title, own in groupby(rows, itemgetter(0)):
        paragraphs = [
            {"context": context, "qas": [_question(*row[2:], is_second=not has_all) for row in part]}
            for context, part in groupby(own, itemgetter(1))
        ]
        articles.append({"title": title, "paragraphs": paragraphs})
    write_text(path, _json({"version": "1.1" if has_all else "v2.0", "data": articles}))


def _question(name: str, text: str, answers: list[Any], *, is_second: bool) -> dict[str, Any]:
    """As the first version has it, or the second."""
    found = [{"text": answer.text, "answer_start": answer.start} for answer in answers]
    question = {"id": name, "question": text, "answers": found}
    return {**question, "is_impossible": not found} if is_second else question


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False)
