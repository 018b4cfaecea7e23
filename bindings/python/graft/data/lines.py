"""Lines of text files, in whatever encoding, one at a time."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from io import BufferedReader
from typing import IO

from ..errors import GraftError, Status, invalid
from ..values import path_bytes

#: What a file begins with that says its encoding. That of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: The encodings in which the byte of a line's end may be part of something else, and their units.
WIDE = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}
#: What Python takes for these without a mark.
WITHOUT_MARK = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
BLOCK = 1 << 20


def corrupt(path: str, message: str) -> GraftError:
    """The error for a file that does not hold what it should."""
    return GraftError(Status.CORRUPT_FILE, f"{path}: {message}")


def encodings_of(encoding: str | Sequence[str]) -> tuple[str, ...]:
    """Python's names of some encodings, of which a line is read in the first that fits."""
    given = (encoding,) if isinstance(encoding, str) else tuple(encoding)
    names = []
    for name in given:
        try:
            found = codecs.lookup(name).name
        except LookupError:
            raise invalid(f"encoding: Python knows none that is called {name!r}") from None
        names.append(WITHOUT_MARK.get(found, found))
    if not names or (len(names) > 1 and any(name in WIDE for name in names)):
        raise invalid(f"encoding: expected one, or several none of which is UTF-16 or UTF-32; found {encoding!r}")
    return tuple(names)


def read_lines(path: str | os.PathLike[str], encodings: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers, from 1. A line is without its "\\n", and may end in
    "\\r". Only one of them is in memory.

    A byte order mark decides the encoding, whatever is given. A byte that fits none is an error of
    status CORRUPT_FILE that says where it is.
    """
    name = os.fsdecode(path)
    try:
        with open(path_bytes(path), "rb") as file:
            yield from lines_of(file, name, encodings)
    except OSError as error:
        status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.IO
        raise GraftError(status, f"{name}: {error.strerror}") from error


def lines_of(file: BufferedReader, name: str, encodings: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The same of an open file, or of what another program writes."""
    start = file.peek(4)
    mark, marked = next(((mark, own) for mark, own in MARKS if start.startswith(mark)), (b"", ""))
    file.read(len(mark))
    chosen = (marked,) if marked else tuple(encodings)
    unit = WIDE.get(chosen[0], 1)
    offset = len(mark)
    for number, line in enumerate(file if unit == 1 else _wide_lines(file, chosen[0], unit), 1):
        if number == 1 and unit == 1 and 3 * line.count(0) > len(line):
            raise corrupt(name, "line 1 is a third of NUL bytes: say the encoding utf-16, if that is what it is")
        yield number, _decoded(name, number, offset, line, chosen).removesuffix("\n")
        offset += len(line)


def _wide_lines(file: IO[bytes], encoding: str, unit: int) -> Iterator[bytes]:
    """Lines of an encoding with units of several bytes, with their ends."""
    end = "\n".encode(encoding)
    rest = b""
    while block := file.read(BLOCK):
        rest += block
        start = at = 0
        while (at := rest.find(end, at)) >= 0:
            if (at - start) % unit:  # across two units
                at += 1
                continue
            at += unit
            yield rest[start:at]
            start = at
        rest = rest[start:]
    if rest:
        yield rest


def _decoded(path: str, number: int, offset: int, line: bytes, encodings: Sequence[str]) -> str:
    first: UnicodeDecodeError | None = None
    for encoding in encodings:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError as error:
            first = first or error
    assert first is not None
    names = " or ".join("UTF-8" if encoding == "utf-8" else encoding for encoding in encodings)
    raise corrupt(
        path,
        f"line {number}: byte {offset + first.start} is not {names}: 0x{line[first.start]:02x}, byte {first.start} of "
        "the line; encoding names another, or several, of which each line is read in the first that fits",
    )
