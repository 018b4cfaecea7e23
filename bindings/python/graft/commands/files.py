"""Files of texts, with what is to be learned of them or without."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

from ..adapter import Adapter
from ..batch import STRIDE
from ..data.columns import LEARNED_ROLES
from ..data.formats import FORMATS, formats
from ..data.lines import corrupt, encodings_of, lines_of
from ..data.measuring import Texts, texts_of
from ..data.reading import Reading
from ..data.table import Table, table_of
from ..errors import GraftError, Status, invalid
from ..generated.measures import TOKENIZERS
from ..table_tasks.listed import TABLE_TASKS, task_of
from ..table_tasks.table_task import Asking, TableTask
from .arguments import columns_object, encoding_names, not_negative, positive

#: Rows that are worked on at a time.
CHUNK = 512


def add_reading(parser: argparse._ActionsContainer) -> None:
    """How files are read."""
    parser.add_argument("--format", choices=formats(), help="of files (default: as their names end)")
    parser.add_argument(
        "--columns",
        type=columns_object,
        metavar="JSON",
        help='which column is what, as \'{"text": "v2", "label": "v1"}\' or by numbers from 0 (default: found out)',
    )
    parser.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the first line of csv and tsv names the columns (default: found out)",
    )
    parser.add_argument(
        "--encoding",
        type=encoding_names,
        default="utf-8",
        metavar="NAMES",
        help="of files without a mark; of several, as utf-8,latin-1, each line is read in the first that fits "
        "(default: %(default)s)",
    )


def add_stride(parser: argparse._ActionsContainer) -> None:
    """How texts with tags, and contexts of questions, are cut into windows."""
    parser.add_argument(
        "--stride",
        type=not_negative,
        default=STRIDE,
        metavar="N",
        help="tokens that a window of a text with tags, or of a question's context, shares with the one before "
        "(default: %(default)s)",
    )


def add_script(parser: argparse._ActionsContainer) -> None:
    """How answers are measured."""
    parser.add_argument(
        "--script",
        choices=["squad", "cmrc"],
        default="squad",
        help="whose exact match and F1 of answers; cmrc for Chinese (default: %(default)s)",
    )


def add_measuring(parser: argparse._ActionsContainer) -> None:
    """How what is answered and what is written is measured."""
    add_script(parser)
    parser.add_argument(
        "--tokenize",
        choices=list(TOKENIZERS),
        default="13a",
        help="what BLEU and ROUGE count, by sacrebleu's names; zh for Chinese (default: %(default)s)",
    )
    add_writing(parser)


def add_writing(parser: argparse._ActionsContainer) -> None:
    """How texts are written."""
    parser.add_argument(
        "--maximum-tokens", type=positive, default=128, metavar="N", help="of a text that is written (default: %(default)s)"
    )
    parser.add_argument(
        "--beams", type=positive, default=1, metavar="N", help="texts that are followed at a time (default: %(default)s)"
    )


def asking_of(arguments: argparse.Namespace) -> Asking:
    """What a command's arguments ask of an adapter."""
    names = {own.name for own in fields(Asking)}
    given = {name: value for name, value in vars(arguments).items() if name in names}
    return Asking(**given, generation={"maximum_tokens": arguments.maximum_tokens, "beams": arguments.beams})


def read_labelled(path: Path, arguments: argparse.Namespace, name: str | None) -> tuple[Table, TableTask]:
    """A file with what is to be learned, and the task that it is for.

    :param name: of the task, or of the head of an adapter that is for it; None: as the columns say.
    """
    named = [own for own in TABLE_TASKS if name in (own.name, own.task)]
    format = arguments.format
    if format is None and any(own.reads_lines for own in named) and not has_format(path):
        format = "lines"
    reading = Reading(path, format, arguments.columns, arguments.encoding, header=arguments.header)
    # Columns without names are taken for a text and a label: here it is said what they are.
    known = [own.renamed for own in named if own.renamed]
    reading.rename(next((roles for roles in known if all(role in reading.roles for role in roles)), {}))
    table = table_of(reading)
    if not len(table):
        raise invalid(f"{path}: expected rows, found none")
    return table, task_of(table, name)


def tasks_for(adapter: Adapter, path: Path) -> list[TableTask]:
    """What an adapter may be for; one that these commands do not do is refused."""
    found = [own for own in TABLE_TASKS if own.task == adapter.task]
    if not found:
        known = ", ".join(dict.fromkeys(own.task for own in TABLE_TASKS))
        raise GraftError(
            Status.UNSUPPORTED, f"{path}: expected an adapter for {known}; found one for {adapter.task or 'no task'}"
        )
    return found


def has_format(path: str | Path) -> bool:
    """Whether a file's name says its format."""
    return any(os.path.splitext(path)[1].lower() in format.endings for format in FORMATS)


def read_texts(path: str, arguments: argparse.Namespace, width: int | None = 2) -> Iterator[Texts]:
    """Texts as they come: of a file of a format, or else a text on each line, or ``text TAB pair``;
    "-" is standard input.

    :param width: most columns of a line; None: a text with any number of candidates.
    """
    if path != "-" and (arguments.format is not None or has_format(path)):
        yield from _of_tables(path, arguments)
        return
    try:
        with open(sys.stdin.fileno() if path == "-" else path, "rb", closefd=path != "-") as file:
            yield from _of_lines(lines_of(file, path, encodings_of(arguments.encoding)), path, width)
    except OSError as error:
        status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.IO
        raise GraftError(status, f"{os.fsdecode(path)}: {error.strerror}") from error


def _of_tables(path: str, arguments: argparse.Namespace) -> Iterator[Texts]:
    # What is learned is not looked at, unless a column is said to be it.
    columns = {**dict.fromkeys(LEARNED_ROLES), **(arguments.columns or {})}
    reading: dict[str, Any] = {"columns": columns, "header": arguments.header, "encoding": arguments.encoding}
    for table in Table.stream(path, CHUNK, arguments.format, **reading):
        yield texts_of(table)._replace(ids=table["id"] if "id" in table else None)


def _of_lines(lines: Iterator[tuple[int, str]], path: str, most: int | None) -> Iterator[Texts]:
    width = 0
    while part := list(islice(lines, CHUNK)):
        rows = []
        for number, line in part:
            row = line.rstrip("\r\n").split("\t")
            width = width or len(row)
            if most is None and len(row) < 2:
                raise corrupt(path, f"expected text TAB candidate TAB …; found no TAB in line {number}")
            if most is not None and (len(row) != width or width > most):
                expected = f"{width} columns, as in line 1" if width <= most else "a text, or text TAB pair"
                raise corrupt(path, f"expected {expected}; found {len(row)} columns in line {number}")
            rows.append(row)
        first = [row[0] for row in rows]
        if most is None:
            yield Texts(first, None, [row[1:] for row in rows])
        else:
            yield Texts(first, [row[1] for row in rows] if width == 2 else None)
