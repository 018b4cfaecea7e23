"""Files of texts, with what is to be learned of them or without."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..data.batches import LEARNED
from ..data.formats import FORMATS, formats
from ..data.table import Table
from ..entities import TAGS
from ..errors import GraftError, Status, invalid
from .arguments import json_object

#: The task of what is learned from a column.
TASK_OF = {
    "tags": TAGS,
    "entities": TAGS,
    "labels": "multi_label_classification",
    "label": "sequence_classification",
    "target": "regression",
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


def read_labelled(path: Path, arguments: argparse.Namespace, task: str | None) -> tuple[Table, str]:
    """A file with what is to be learned, and the task that it is for."""
    table = Table.read(
        path, arguments.format, columns=arguments.columns, header=arguments.header, encoding=arguments.encoding
    )
    learned = next((name for name in LEARNED if name in table), None)
    if learned is None or not len(table):
        found = f"columns {', '.join(table.columns)}" if table.columns else "no rows"
        raise invalid(f"{path}: expected a column to learn, one of {', '.join(LEARNED)}; found {found}")
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
        raise GraftError(error.status, f"{path}: {error}") from None


class Part(NamedTuple):
    """Some texts of a file."""

    texts: list[str]
    pairs: list[str] | None


def read_texts(path: str, arguments: argparse.Namespace) -> Iterator[Part]:
    """Texts as they come: of a file of a format, or else a text on each line, or ``text TAB
    pair``; "-" is standard input."""
    endings = {ending for format in FORMATS for ending in format.endings}
    if path != "-" and (arguments.format is not None or os.path.splitext(path)[1].lower() in endings):
        yield from _of_tables(path, arguments)
        return
    try:
        with open(sys.stdin.fileno() if path == "-" else path, "rb", closefd=path != "-") as file:
            yield from _of_lines(file, path)
    except OSError as error:
        status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.IO
        raise GraftError(status, f"{os.fsdecode(path)}: {error.strerror}") from error


def _of_tables(path: str, arguments: argparse.Namespace) -> Iterator[Part]:
    reading: dict[str, Any] = {"columns": arguments.columns, "header": arguments.header, "encoding": arguments.encoding}
    for table in Table.stream(path, CHUNK, arguments.format, **reading):
        if "text" in table:
            yield Part(table["text"], table["pair"] if "pair" in table else None)
        elif "words" in table:
            yield Part([" ".join(words) for words in table["words"]], None)
        else:
            raise invalid(f"{path}: expected a column of texts; found {', '.join(table.columns)}")


def _of_lines(file: IO[bytes], path: str) -> Iterator[Part]:
    number, width = 0, 0
    while lines := list(islice(file, CHUNK)):
        rows = []
        for line in lines:
            number += 1
            try:
                row = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n").split("\t")
            except UnicodeDecodeError as error:
                message = f"{path}: byte {error.start} of line {number} is not UTF-8"
                raise GraftError(Status.CORRUPT_FILE, message) from None
            width = width or len(row)
            if len(row) != width or width > 2:
                expected = f"{width} columns, as in line 1" if width <= 2 else "a text, or text TAB pair"
                message = f"{path}: expected {expected}; found {len(row)} columns in line {number}"
                raise GraftError(Status.CORRUPT_FILE, message)
            rows.append(row)
        yield Part([row[0] for row in rows], [row[1] for row in rows] if width == 2 else None)
