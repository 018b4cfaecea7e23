"""The formats of files."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from ..errors import GraftError, Status, invalid
from .conll import open_conll
from .delimited import open_csv, open_tsv
from .json_files import open_json, open_json_lines, open_squad
from .patterns import open_lines
from .records import Records, Settings


class Format(NamedTuple):
    """One of them."""

    name: str
    #: Of names of files that have it.
    endings: tuple[str, ...]
    open: Callable[[str, Settings], Records]
    #: The settings that it heeds, of those that are not for all.
    settings: frozenset[str] = frozenset()


DELIMITED = frozenset({"header", "delimiter", "quoted", "ragged"})

FORMATS = (
    Format("csv", (".csv",), open_csv, DELIMITED),
    Format("tsv", (".tsv", ".tab"), open_tsv, DELIMITED),
    Format("jsonl", (".jsonl", ".ndjson"), open_json_lines),
    Format("json", (".json",), open_json),
    Format("squad", (), open_squad),
    Format("conll", (".conll", ".bio", ".iob", ".iob2", ".bioes"), open_conll, frozenset({"delimiter", "pattern"})),
    Format("lines", (), open_lines, frozenset({"pattern"})),
)


def formats() -> list[str]:
    """The formats of files that :meth:`Table.read` knows."""
    return [format.name for format in FORMATS]


def format_of(path: str, name: str | None, settings: Settings) -> Format:
    """The format that is named, or that a file's name says; it heeds the settings given."""
    known = ", ".join(formats())
    if os.path.isdir(path):
        raise GraftError(Status.IO, f"{path}: expected a file, found a folder")
    if name is None:
        ending = os.path.splitext(path)[1].lower()
        found = next((format for format in FORMATS if ending in format.endings), None)
        if found is None:
            raise invalid(f"{path}: its name says no format: say which format, one of {known}")
    else:
        found = next((format for format in FORMATS if format.name == name), None)
        if found is None:
            raise invalid(f"format: expected one of {known}; found {name!r}")
    usual = Settings({}, ())
    for setting in ("header", "delimiter", "quoted", "ragged", "pattern"):
        if getattr(settings, setting) != getattr(usual, setting) and setting not in found.settings:
            raise invalid(f"{setting}: means nothing for format {found.name!r}")
    return found
