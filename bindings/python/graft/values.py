"""Python values to C and back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from ctypes import Array, c_char_p, c_int32

from .errors import invalid


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
