"""Files of labelled texts: a line a row, columns between tabs."""

from __future__ import annotations

import os
from collections.abc import Collection

from .data.delimited import begins_with_header
from .data.lines import corrupt, read_lines
from .errors import GraftError, with_source


def read_table(
    path: str | os.PathLike[str], header: bool | None, label_names: Collection[str] | None
) -> list[list[str]]:
    """Rows of two or three columns, the same number on every line, without the header."""
    name = os.fsdecode(path)
    rows: list[list[str]] = []
    for number, line in read_lines(path, ("utf-8",)):
        if not (line := line.removesuffix("\r")):
            continue
        rows.append(line.split("\t"))
        if len(rows[-1]) not in (2, 3) or len(rows[-1]) != len(rows[0]):
            raise corrupt(
                name,
                "expected text TAB label or text TAB pair TAB label, the same on every line; "
                f"found {len(rows[-1])} columns in line {number}",
            )
    names = None if label_names is None else set(label_names)
    try:
        return rows[1:] if rows and begins_with_header([row[-1] for row in rows], header, names) else rows
    except GraftError as error:
        raise with_source(name, error) from None
