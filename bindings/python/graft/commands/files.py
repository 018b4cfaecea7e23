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
from ..data.columns import LEARNED_ROLES
from ..data.formats import FORMATS
from ..data.lines import corrupt, encodings_of, lines_of
from ..data.reading import Reading
from ..data.table import Table, placed_table, table_of
from ..errors import GraftError, Status, invalid
from ..table_tasks.listed import TABLE_TASKS, task_of
from ..table_tasks.table_task import Asking, TableTask
from .options import READING

#: Rows that are worked on at a time.
CHUNK = 512
#: What errors call it.
STANDARD_INPUT = "standard input"


def reading_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """How a command's arguments say that files are read, as :meth:`Table.read` takes it."""
    return {option.name: getattr(arguments, option.name) for option in READING}


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
    settings = reading_of(arguments)
    bad_rows = settings.pop("bad_rows")
    if settings["format"] is None and any(own.reads_lines for own in named) and not has_format(path):
        settings["format"] = "lines"
    reading = Reading(path, **settings)
    # Columns without names are taken for a text and a label: here it is said what they are.
    known = [own.renamed for own in named if own.renamed]
    reading.rename(next((roles for roles in known if all(role in reading.roles for role in roles)), {}))
    table = table_of(reading, bad_rows)
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


def task_named(adapter: Adapter, arguments: argparse.Namespace) -> str:
    """What a file to measure an adapter on is for: what is said, where the adapter may be for it,
    else what it was trained for."""
    names = [own.name for own in tasks_for(adapter, arguments.adapter)]
    if arguments.task is not None and arguments.task not in names:
        raise invalid(f"task: expected {' or '.join(names)}, which {arguments.adapter} is for; found {arguments.task}")
    return str(arguments.task or adapter.task)


def has_format(path: str | Path) -> bool:
    """Whether a file's name says its format."""
    return any(os.path.splitext(path)[1].lower() in format.endings for format in FORMATS)


def read_texts(path: str, arguments: argparse.Namespace, width: int | None = 2) -> Iterator[Table]:
    """Texts as they come, in tables: of a file of a format, or else a text on each line, or ``text
    TAB pair``; "-" is standard input.

    :param width: most columns of a line; None: a text with any number of candidates.
    """
    settings = reading_of(arguments)
    if path != "-" and (settings["format"] is not None or has_format(path)):
        # What is learned is not looked at, unless a column is said to be it.
        settings["columns"] = {**dict.fromkeys(LEARNED_ROLES), **(settings["columns"] or {})}
        yield from Table.stream(path, CHUNK, **settings)
        return
    for option in READING:
        if settings[option.name] != option.default and option.name != "encoding":
            advice = "; /dev/stdin is a file that can be read so" if path == "-" else ": say --format"
            raise invalid(f"{option.flag}: means nothing for lines of texts{advice}")
    try:
        with open(sys.stdin.fileno() if path == "-" else path, "rb", closefd=path != "-") as file:
            name = STANDARD_INPUT if path == "-" else path
            yield from _of_lines(lines_of(file, name, encodings_of(arguments.encoding)), name, width)
    except OSError as error:
        status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.IO
        raise GraftError(status, f"{os.fsdecode(path)}: {error.strerror}") from error


def _of_lines(lines: Iterator[tuple[int, str]], name: str, most: int | None) -> Iterator[Table]:
    width = 0
    while part := list(islice(lines, CHUNK)):
        rows = []
        for number, line in part:
            row = line.rstrip("\r\n").split("\t")
            width = width or len(row)
            if most is None and len(row) < 2:
                raise corrupt(name, f"line {number}: expected text TAB candidate TAB …; found no TAB")
            if most is not None and (len(row) != width or width > most):
                expected = f"{width} columns, as in line 1" if width <= most else "a text, or text TAB pair"
                raise corrupt(name, f"line {number}: expected {expected}; found {len(row)} columns")
            rows.append(row)
        columns: dict[str, list[Any]] = {"text": [row[0] for row in rows]}
        if most is None:
            columns["candidates"] = [row[1:] for row in rows]
        elif width == 2:
            columns["pair"] = [row[1] for row in rows]
        yield placed_table(columns, name, [number for number, _ in part])
