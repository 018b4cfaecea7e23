"""Python values to C and back."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from ctypes import Array, c_char_p, c_float, c_int32
from typing import Any

from .errors import invalid

#: float32 [rows, columns]: a numpy array where numpy is installed, else a list of lists.
Matrix = Any


def path_bytes(path: str | os.PathLike[str]) -> bytes:
    """A path as the system spells it."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise invalid(f"a path cannot contain a NUL character: {path!r}")
    return encoded


def text_bytes(text: str) -> bytes:
    """UTF-8 of a text. The library reads text up to a NUL, so one inside is refused rather than cut off there."""
    if not isinstance(text, str):
        raise TypeError(f"expected a string, found {type(text).__name__}")
    encoded = text.encode("utf-8")
    if b"\0" in encoded:
        raise invalid(f"a text cannot contain a NUL character: {text[:60]!r}")
    return encoded


def text_array(texts: Sequence[str]) -> Array[c_char_p]:
    """An array of C strings, which it keeps alive."""
    if isinstance(texts, str):
        raise TypeError("expected a list of strings, found one string: put it in a list")
    return (c_char_p * len(texts))(*[text_bytes(text) for text in texts])


def int_array(numbers: Sequence[int], name: str) -> Array[c_int32]:
    """An array of 32-bit integers; numbers outside their range are refused."""
    values = [int(number) for number in numbers]
    for value in values:
        if not -(2**31) <= value < 2**31:
            raise invalid(f"{name}: {value} is not a 32-bit integer")
    return (c_int32 * len(values))(*values)


def numpy_installed() -> bool:
    """Whether results are numpy arrays."""
    return importlib.util.find_spec("numpy") is not None


def start_numpy() -> None:
    """Imports numpy, where it is installed, in a thread beside other work: the first result will want it."""
    if "numpy" not in sys.modules and numpy_installed():
        threading.Thread(target=_import_numpy).start()


def _import_numpy() -> None:
    # What is wrong with numpy is for the import that needs it to say.
    with suppress(Exception):
        importlib.import_module("numpy")


def to_matrix(numbers: Array[c_float], rows: int, columns: int) -> Matrix:
    """Numbers that the library wrote, as the caller gets them. With numpy they are not copied."""
    if numpy_installed():
        import numpy

        return numpy.frombuffer(memoryview(numbers), numpy.float32, rows * columns).reshape(rows, columns)
    return [list(numbers[row * columns : (row + 1) * columns]) for row in range(rows)]
