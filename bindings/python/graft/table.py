"""Files of labelled texts: a line a row, columns between tabs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection

from .errors import GraftError, Status, invalid
from .values import path_bytes

#: Words that name a column of labels. Where one stands in a file's first line and in no other, that
#: line is a header.
LABEL_COLUMNS = frozenset(
    "answer answers category categories class classes gold gold_label intent intents is_duplicate label labels label_desc "
    "label_name label_text polarity rating score sentiment stars tag target topic y".split()
)


def read_table(
    path: str | os.PathLike[str], header: bool | None, label_names: Collection[str] | None
) -> list[list[str]]:
    """Rows of two or three columns, the same number on every line, without the header."""
    rows: list[list[str]] = []
    for number, line in enumerate(_content(path).split("\n"), 1):
        if not (line := line.removesuffix("\r")):
            continue
        rows.append(line.split("\t"))
        if len(rows[-1]) not in (2, 3) or len(rows[-1]) != len(rows[0]):
            raise GraftError(
                Status.CORRUPT_FILE,
                "expected text TAB label or text TAB pair TAB label, the same on every line; "
                f"found {len(rows[-1])} columns in line {number}",
            )
    return rows[1:] if rows and _has_header(rows, header, label_names) else rows


def _content(path: str | os.PathLike[str]) -> str:
    try:
        with open(path_bytes(path), "rb") as file:
            return file.read().decode("utf-8").removeprefix("\ufeff")
    except OSError as error:
        status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.IO
        raise GraftError(status, f"{error.strerror}") from error
    except UnicodeDecodeError as error:
        raise GraftError(Status.CORRUPT_FILE, f"byte {error.start} is not UTF-8") from error


def _has_header(rows: list[list[str]], header: bool | None, label_names: Collection[str] | None) -> bool:
    if header is not None:
        return header
    first, others = rows[0][-1], Counter(row[-1] for row in rows[1:])
    if first in others or (label_names is not None and first in label_names):
        return False
    if first.strip().casefold() in LABEL_COLUMNS:
        return True
    if others and not _is_number(first) and all(map(_is_number, others)):
        return True
    if 0 < 2 * len(others) <= others.total() or (label_names is not None and others):
        raise invalid(
            f"the first line ends in {first!r}, which ends no other line: pass header=True if it names the columns, "
            "header=False if it is a row"
        )
    return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
