"""Files of texts, with what is to be learned of them or without."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from .. import evaluation
from ..adapter import Adapter
from ..answers import ANSWERS
from ..data.columns import LEARNED, holds_answers, learned_column
from ..data.formats import FORMATS, formats
from ..data.lines import encodings_of, lines_of
from ..data.measuring import Texts, texts_of
from ..data.table import Table
from ..entities import TAGS
from ..batch import STRIDE
from ..errors import GraftError, Status, invalid, with_source
from ..metrics import Evaluation
from ..session import Session
from .arguments import json_object, not_negative

#: The task of what is learned from a column.
TASK_OF = {
    "tags": TAGS,
    "entities": TAGS,
    "labels": "multi_label_classification",
    "label": "sequence_classification",
    "target": "regression",
    "answers": ANSWERS,
}
TASKS = tuple(dict.fromkeys(TASK_OF.values()))
#: Between the labels of a text that has several.
SEPARATOR = ","
#: Rows that are worked on at a time.
CHUNK = 512


def add_reading(parser: argparse._ActionsContainer) -> None:
    """How files are read."""
    parser.add_argument("--format", choices=formats(), help="of files (default: as their names end)")
    parser.add_argument(
        "--columns",
        type=json_object,
        metavar="JSON",
        help='which column is what, as \'{"text": "v2", "label": "v1"}\' or by numbers from 0 (default: found out)',
    )
    parser.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the first line of csv and tsv names the columns (default: found out)",
    )
    parser.add_argument("--encoding", default="utf-8", help="of files without a mark (default: %(default)s)")


def add_stride(parser: argparse._ActionsContainer) -> None:
    """How contexts of questions are cut into windows."""
    parser.add_argument(
        "--stride",
        type=not_negative,
        default=STRIDE,
        metavar="N",
        help="tokens of a question's context that a window shares with the one before (default: %(default)s)",
    )


def add_script(parser: argparse._ActionsContainer) -> None:
    """How answers to questions are measured."""
    parser.add_argument(
        "--script",
        choices=["squad", "cmrc"],
        default="squad",
        help="whose exact match and F1 of answers; cmrc for Chinese (default: %(default)s)",
    )


def measure_answers(session: Session, table: Table, arguments: argparse.Namespace) -> Evaluation:
    """What the answers to the questions of a table are worth as texts."""
    found = session.answer(table["question"], table["context"], stride=arguments.stride)
    return evaluation.answers(
        [answer.text for answer in found],
        [[answer.text for answer in own] for own in table["answers"]],
        no_answer_scores=[answer.no_answer_score for answer in found],
        script=arguments.script,
    )


def read_labelled(path: Path, arguments: argparse.Namespace, task: str | None) -> tuple[Table, str]:
    """A file with what is to be learned, and the task that it is for."""
    table = Table.read(
        path, arguments.format, columns=arguments.columns, header=arguments.header, encoding=arguments.encoding
    )
    learned = learned_column(table) or ("answers" if holds_answers(table) else None)
    if learned is None or not len(table):
        found = f"columns {', '.join(table.columns)}" if table.columns else "no rows"
        raise invalid(f"{path}: expected a column to learn, one of {', '.join(LEARNED)}, or question, context and answers; found {found}")
    if task is None or TASK_OF[learned] == task:
        return table, TASK_OF[learned]
    role = {"multi_label_classification": "labels", "regression": "target"}.get(task)
    if learned != "label" or role is None:
        raise invalid(f"{path}: its column {learned!r} is for {TASK_OF[learned]}, not for {task}")
    # A last column without a name is taken for a label: here it is said what it is.
    columns = {name: table[name] for name in ("text", "pair") if name in table}
    try:
        return Table({**columns, role: table["label"]}), task
    except GraftError as error:
        raise with_source(str(path), error) from None


def require_task(adapter: Adapter, path: Path) -> str:
    """The task of an adapter; one that these commands do not do is refused."""
    if adapter.task not in TASKS:
        raise GraftError(
            Status.UNSUPPORTED,
            f"{path}: expected an adapter for {', '.join(TASKS)}; found one for {adapter.task or 'no task'}",
        )
    return adapter.task


def read_texts(path: str, arguments: argparse.Namespace) -> Iterator[Texts]:
    """Texts as they come: of a file of a format, or else a text on each line, or ``text TAB
    pair``; "-" is standard input."""
    endings = {ending for format in FORMATS for ending in format.endings}
    if path != "-" and (arguments.format is not None or os.path.splitext(path)[1].lower() in endings):
        yield from _of_tables(path, arguments)
        return
    try:
        with open(sys.stdin.fileno() if path == "-" else path, "rb", closefd=path != "-") as file:
            yield from _of_lines(lines_of(file, path, encodings_of(arguments.encoding)), path)
    except OSError as error:
        status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.IO
        raise GraftError(status, f"{os.fsdecode(path)}: {error.strerror}") from error


def _of_tables(path: str, arguments: argparse.Namespace) -> Iterator[Texts]:
    reading: dict[str, Any] = {"columns": arguments.columns, "header": arguments.header, "encoding": arguments.encoding}
    for table in Table.stream(path, CHUNK, arguments.format, **reading):
        if "text" not in table and "words" not in table and "question" not in table:
            raise invalid(f"{path}: expected a column of texts; found {', '.join(table.columns)}")
        yield texts_of(table)


def _of_lines(lines: Iterator[tuple[int, str]], path: str) -> Iterator[Texts]:
    width = 0
    while part := list(islice(lines, CHUNK)):
        rows = []
        for number, line in part:
            row = line.rstrip("\r\n").split("\t")
            width = width or len(row)
            if len(row) != width or width > 2:
                expected = f"{width} columns, as in line 1" if width <= 2 else "a text, or text TAB pair"
                message = f"{path}: expected {expected}; found {len(row)} columns in line {number}"
                raise GraftError(Status.CORRUPT_FILE, message)
            rows.append(row)
        yield Texts([row[0] for row in rows], [row[1] for row in rows] if width == 2 else None)
