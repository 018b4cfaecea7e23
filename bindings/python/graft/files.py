"""Files that are written."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import GraftError, Status


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a text, in the place of what the file had."""
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise GraftError(Status.IO, f"{os.fsdecode(path)}: {error.strerror}") from error


def require_place(path: Path | None, *, of_folder: bool = False) -> None:
    """Refuses what cannot be written at the end of a command, before its work is done. Folders are
    made with those around them.

    :param path: None: nothing is written.
    """
    if path is None:
        return
    if path.exists():
        if path.is_dir() != of_folder and not (of_folder and path.suffix == ".gguf"):
            kinds = ("a folder", "a file") if of_folder else ("a file", "a folder")
            raise GraftError(Status.IO, f"{path}: expected {kinds[0]}, found {kinds[1]}")
        return
    around = path.absolute().parent
    while of_folder and not around.exists():
        around = around.parent
    if not around.is_dir():
        found = "a file" if around.exists() else "nothing"
        raise GraftError(Status.IO, f"{path}: expected the folder {around}, found {found}")
    if not os.access(around, os.W_OK):
        raise GraftError(Status.IO, f"{path}: the folder {around} may not be written")
