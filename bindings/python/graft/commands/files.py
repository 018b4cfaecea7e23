"""Files of texts, with what is to be learned of them or without."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from ..dataset import Dataset
from ..errors import GraftError, Status
from ..table import read_table
from ..tokenizer import Tokenizer

#: Tasks that a file of columns can teach.
TASKS = ("sequence_classification", "multi_label_classification", "regression")
#: Between the labels of a text that has several.
SEPARATOR = ","
#: Lines that are worked on at a time.
CHUNK = 512


class Labelled(NamedTuple):
    """Rows of a file."""

    path: Path
    texts: list[str]
    pairs: list[str] | None
    values: list[str]

    def label_names(self, task: str) -> list[str]:
        """The labels that occur, sorted."""
        if task == "regression":
            return []
        if task == "multi_label_classification":
            return sorted({label for row in self.values for label in _set(row)})
        return sorted(set(self.values))

    def dataset(self, tokenizer: Tokenizer, task: str, label_names: list[str], maximum_length: int = 0) -> Dataset:
        """The rows as what is trained on."""
        try:
            if task == "regression":
                targets = [self._number(row) for row in range(len(self.values))]
                return Dataset(tokenizer, self.texts, targets=targets, pairs=self.pairs, maximum_length=maximum_length)
            several = task == "multi_label_classification"
            labels = [_set(row) for row in self.values] if several else self.values
            return Dataset(
                tokenizer, self.texts, labels, pairs=self.pairs, label_names=label_names, maximum_length=maximum_length
            )
        except GraftError as error:
            raise GraftError(error.status, f"{self.path}: {error}") from None

    def _number(self, row: int) -> float:
        try:
            return float(self.values[row])
        except ValueError:
            message = f"row {row + 1}: expected a number in the last column, found {self.values[row]!r}"
            raise GraftError(Status.CORRUPT_FILE, message) from None


def read_labelled(path: Path, header: bool | None, label_names: Collection[str] | None = None) -> Labelled:
    """A file of ``text TAB label`` or ``text TAB pair TAB label`` lines."""
    try:
        rows = read_table(path, header, label_names)
    except GraftError as error:
        raise GraftError(error.status, f"{path}: {error}") from None
    if not rows:
        raise GraftError(Status.CORRUPT_FILE, f"{path}: no rows")
    pairs = [row[1] for row in rows] if len(rows[0]) == 3 else None
    return Labelled(path, [row[0] for row in rows], pairs, [row[-1] for row in rows])


def _set(text: str) -> list[str]:
    return [label for part in text.split(SEPARATOR) if (label := part.strip())]


class Part(NamedTuple):
    """Some texts of a file."""

    texts: list[str]
    pairs: list[str] | None


def read_texts(path: str) -> Iterator[Part]:
    """A file of a text on each line, or ``text TAB pair``, as it comes; "-" is standard input."""
    try:
        with open(sys.stdin.fileno() if path == "-" else path, "rb", closefd=path != "-") as file:
            yield from _parts(file, path)
    except OSError as error:
        status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.IO
        raise GraftError(status, f"{os.fsdecode(path)}: {error.strerror}") from error


def _parts(file: IO[bytes], path: str) -> Iterator[Part]:
    number, width = 0, 0
    while lines := list(islice(file, CHUNK)):
        rows = []
        for line in lines:
            number += 1
            try:
                row = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n").split("\t")
            except UnicodeDecodeError as error:
                raise GraftError(
                    Status.CORRUPT_FILE, f"{path}: byte {error.start} of line {number} is not UTF-8"
                ) from None
            width = width or len(row)
            if len(row) != width or width > 2:
                expected = f"{width} columns, as in line 1" if width <= 2 else "a text, or text TAB pair"
                raise GraftError(
                    Status.CORRUPT_FILE, f"{path}: expected {expected}; found {len(row)} columns in line {number}"
                )
            rows.append(row)
        yield Part([row[0] for row in rows], [row[1] for row in rows] if width == 2 else None)
