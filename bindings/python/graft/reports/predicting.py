"""What an adapter makes of the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable
from operator import mul
from typing import Any, NamedTuple

from .. import evaluation as measuring
from ..answers import ANSWERS
from ..data.columns import learned_column
from ..data.measuring import Texts, texts_of
from ..data.table import Table
from ..errors import invalid
from ..metrics import Evaluation
from ..session import Session
from ..table_tasks.vectors import Vectors

#: Rows that are predicted at a time.
CHUNK = 512
#: Texts that are looked for, and among how many: they bound the time.
SOUGHT, SEARCHED = 200, 1000
#: A pair is alike from here on, as a part of the way from the lowest judgement to the highest.
ALIKE = 0.75


class Found(NamedTuple):
    """Of each row what is and what was predicted."""

    truth: list[Any]
    predicted: list[Any]
    #: Whether entities are tags of characters rather than of words.
    of_characters: bool = False
    #: What vectors find.
    retrieval: Evaluation | None = None


def found_by(session: Session, table: Table, task: str | None) -> Found:
    """What is predicted of the rows of a table, by an adapter for a task."""
    if task == ANSWERS:
        answers = session.answer(table["question"], table["context"])
        accepted = [[answer.text for answer in own] for own in table["answers"]]
        return Found(accepted, [answer.text for answer in answers])
    if task == Vectors.task:
        return _of_vectors(session, table)
    column = learned_column(table)
    if column is None:
        raise invalid(f"table: expected a column to compare with, found {', '.join(table.columns)}")
    texts, truth = texts_of(table), table[column]
    if column == "tags":
        return Found(truth, session.tag_words(table["words"]))
    if column == "entities":
        tags = [list(map(_characters, texts.first, rows)) for rows in (truth, session.tag(texts.first))]
        return Found(tags[0], tags[1], of_characters=True)
    return Found(truth, _numbers(session, texts, column == "target"))


def _numbers(session: Session, texts: Texts, are_values: bool) -> list[list[float]]:
    rows: list[list[float]] = []
    predict = session.classify if are_values else session.predict_proba
    for start in range(0, len(texts.first), CHUNK):
        second = None if texts.second is None else texts.second[start : start + CHUNK]
        rows += predict(texts.first[start : start + CHUNK], second).tolist()
    return rows


def _characters(text: str, entities: Iterable[Any]) -> list[str]:
    """Entities as tags of a text's characters, of which those that begin one are B."""
    tags = ["O"] * len(text)
    for entity in entities:
        tags[entity.start : entity.end] = [f"I-{entity.type}"] * (entity.end - entity.start)
        tags[entity.start] = f"B-{entity.type}"
    return tags


def _of_vectors(session: Session, table: Table) -> Found:
    truth: list[float] = table["target"]
    first, second = (session.embed(table[name], normalize=True).tolist() for name in ("text", "pair"))
    found = [_product(own, other) for own, other in zip(first, second)]
    least = min(truth) + ALIKE * (max(truth) - min(truth))
    rows = list(range(min(len(truth), SEARCHED)))
    sought = [row for row in rows if truth[row] >= least][:SOUGHT]
    if len(rows) < 2 or not sought:
        return Found(truth, found)
    relevance = [[float(other == row or table["pair"][other] == table["pair"][row]) for other in rows] for row in sought]
    scores = [[_product(first[row], second[other]) for other in rows] for row in sought]
    return Found(truth, found, retrieval=measuring.rankings(relevance, scores, k=10))


def _product(one: list[float], other: list[float]) -> float:
    return float(sum(map(mul, one, other)))
