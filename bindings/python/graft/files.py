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
