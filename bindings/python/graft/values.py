"""Python values to C: checked here, since ctypes wraps numbers and its errors do not say which
argument is meant."""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import ItemsView, Iterable, KeysView, Mapping, Sequence, Set, Sized
from ctypes import Array, Structure, c_char_p, c_float, c_int32, c_int64, c_void_p, cast
from itertools import accumulate, count
from operator import add, index
from typing import Any

from .declarations import FileStruct
from .errors import invalid


def path_bytes(path: str | os.PathLike[str]) -> bytes:
    """A path as the system spells it."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise invalid(f"a path cannot contain a NUL character: {path!r}")
    return encoded


def text_bytes(text: str, name: str) -> bytes:
    """UTF-8 of a text."""
    if not isinstance(text, str):
        advice = ": second texts are given as pairs" if isinstance(text, (tuple, list)) else ""
        missing = " (a missing value)" if is_missing(text) else ""
        raise TypeError(f"{name}: expected a string, found {type(text).__name__}{missing}{advice}")
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"{text[error.start]!r} at character {error.start}"
        raise invalid(f"{name}: expected Unicode text, found half a surrogate pair, {found}") from None
    return encoded


def name_bytes(text: str, name: str) -> bytes:
    """UTF-8 of a name. The library reads names up to a NUL, so one inside is refused rather than
    cut off there."""
    encoded = text_bytes(text, name)
    if b"\0" in encoded:
        raise invalid(f"{name}: a name cannot contain a NUL character: {text[:60]!r}")
    return encoded


def is_missing(value: object) -> bool:
    """Whether a table means by it that there is no value: None, NaN, pandas' NA."""
    return value is None or value != value if isinstance(value, (float, type(None))) else type(value).__name__ == "NAType"


def shown(value: object) -> str:
    """A value as errors show it, cut short."""
    try:
        return f"{value!r:.60}"
    except ValueError:  # Python writes no integer of more than some thousand digits
        return f"{type(value).__name__} of too many digits to show"


def float_of(value: Any) -> float:
    """A number, or a text that says one: infinite beyond the largest float."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def as_list(values: Iterable[Any], name: str, of: str, dimensions: int = 1) -> list[Any]:
    """What an iterable gives in its order: a list, an array, a column of a table, a generator.

    One string is not meant as many. What would give something else than its values is refused: a
    table or a dictionary gives names, a set has no order, an array of more ``dimensions`` gives
    arrays.
    """
    if type(values) in (list, tuple):  # at once, since there may be millions
        return list(values)
    expected = f"{name}: expected a list of {of}, found"
    kind = type(values).__name__
    if isinstance(values, (str, bytes, bytearray)):
        raise TypeError(f"{expected} one {kind}: put it in a list")
    if isinstance(values, Mapping):
        raise TypeError(f"{expected} {kind}: its values are list({name}.values()), or one of them, if they are lists")
    if isinstance(values, (Set, ItemsView)) and not isinstance(values, KeysView):
        raise TypeError(f"{expected} {kind}, whose order means nothing: make it a list")
    shape = getattr(values, "shape", None)
    if isinstance(shape, tuple) and len(shape) not in (1, dimensions):
        raise TypeError(f"{expected} {kind} of {len(shape)} dimensions: give one of its columns")
    if not isinstance(values, Iterable):
        raise TypeError(f"{expected} {kind}")
    return list(values)


def text_list(texts: Iterable[str], name: str) -> list[bytes]:
    """UTF-8 of each text."""
    given = as_list(texts, name, "strings")
    try:
        return list(map(str.encode, given))
    except (TypeError, UnicodeEncodeError):  # slower, and says which
        return [text_bytes(text, f"{name}[{row}]") for row, text in enumerate(given)]


def name_list(names: Iterable[str], name: str) -> list[bytes]:
    """UTF-8 of each name."""
    given = as_list(names, name, "strings")
    encoded = text_list(given, name)
    if b"\0" in b"".join(encoded):
        return [name_bytes(text, f"{name}[{row}]") for row, text in enumerate(given)]
    return encoded


def name_array(names: Iterable[str], name: str) -> Array[c_char_p]:
    """An array of C strings of names, of which there may be millions."""
    given = as_list(names, name, "strings")
    try:
        together = "\0".join(given)
    except TypeError:  # slower, and says which
        return text_array(name_list(given, name))
    if together.isascii() and together.count("\0") == len(given) - 1:
        return _text_array(together.encode(), map(len, given))
    return text_array(name_list(given, name))


def text_array(texts: Sequence[bytes]) -> Array[c_char_p]:
    """An array of C strings."""
    return _text_array(b"\0".join(texts), map(len, texts))


def _text_array(together: bytes, lengths: Iterable[int]) -> Array[c_char_p]:
    """Pointers to the texts of a string of them, a NUL between any two, which the array keeps
    alive: many times as fast as ctypes, which keeps each alive."""
    first = cast(c_char_p(together), c_void_p).value or 0
    pointers = array("Q", map(add, accumulate(lengths, initial=first), count()))
    texts = (c_char_p * (len(pointers) - 1)).from_buffer(pointers)
    texts.together = together  # type: ignore[attr-defined]
    return texts


def sizes(texts: Sequence[bytes]) -> Array[c_int64]:
    """How many bytes each text has."""
    return (c_int64 * len(texts))(*map(len, texts))


def file_array(files: Mapping[str, bytes]) -> Array[FileStruct]:
    """Files in memory, by their names; the array keeps them alive."""
    if not isinstance(files, Mapping):
        raise TypeError(f"files: expected contents by file names, found {type(files).__name__}")
    structs = []
    for name, content in files.items():
        if not isinstance(content, bytes):
            raise TypeError(f"files[{name!r}]: expected bytes, found {type(content).__name__}")
        data = cast(c_char_p(content), c_void_p)
        structs.append(FileStruct(name_bytes(name, "files"), data, len(content)))
    return (FileStruct * len(structs))(*structs)


def require_length(values: Sized, count: int, name: str, of: str = "text") -> None:
    """Refuses another number than there are texts, or whatever they are values of."""
    if len(values) != count:
        raise invalid(f"{name}: expected {count}, one for each {of}; found {len(values)}")


def settings_json(**given: Any) -> bytes:
    """Settings for the library; None is left out."""
    import json

    return json.dumps({key: value for key, value in given.items() if value is not None}).encode()


def json_text(value: object, name: str) -> bytes:
    """What the interface reads as JSON."""
    import json  # here, since most programs ask for none

    return text_bytes(json.dumps(value, ensure_ascii=False, default=_plain), name)


def of_json(text: str | bytes) -> Any:
    """What JSON says. Whatever is wrong with it, nested too deeply included, is a ValueError."""
    import json

    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _plain(value: object) -> object:
    """What is no list and no dictionary, but like one."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"expected what JSON can say, found {type(value).__name__}")


def int_array(numbers: Iterable[int], name: str) -> Array[c_int32]:
    """An array of 32-bit integers. Other numbers are refused rather than rounded, larger ones
    rather than wrapped."""
    values = as_list(numbers, name, "integers")
    for position, value in enumerate(values):
        try:
            values[position] = value = index(value)
        except TypeError:
            raise TypeError(f"{name}[{position}]: expected an integer, found {shown(value)}") from None
        if not -(2**31) <= value < 2**31:
            raise invalid(f"{name}[{position}]: {shown(value)} is not a 32-bit integer")
    return (c_int32 * len(values))(*values)


def float_rows(rows: Iterable[Any], name: str) -> tuple[Array[c_float], int]:
    """Rows of numbers, or of equally many numbers each, end to end; and how many each has."""
    lists = [
        as_list(row, f"{name}[{number}]", "numbers") if isinstance(row, Iterable) else [row]
        for number, row in enumerate(as_list(rows, name, "numbers", 2))
    ]
    width = len(lists[0]) if lists else 1
    for number, row in enumerate(lists):
        if len(row) != width or not row:
            found = "none" if not row else f"{len(row)}, where the first has {width}"
            raise invalid(f"row {number}: {name}: expected as many numbers in each row, found {found}")
    values = [c_number(c_float, value, f"{name}[{number}]") for number, row in enumerate(lists) for value in row]
    return (c_float * len(values))(*values), width


def c_number(kind: Any, value: Any, name: str) -> Any:
    """A number as the C type ``kind`` has it. An integer that does not fit is refused rather than
    wrapped."""
    try:
        number = kind(value).value
        fits = not isinstance(number, int) or number == value
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None
    except OverflowError:  # of an integer that no float holds
        fits = False
    if not fits:
        raise invalid(f"{name}: {shown(value)} is out of range")
    return number


def set_numbers(options: Structure, **numbers: Any) -> None:
    """Sets fields of an options struct."""
    kinds = {field[0]: field[1] for field in options._fields_}
    for name, value in numbers.items():
        setattr(options, name, c_number(kinds[name], value, name))


def choice(value: str, choices: Mapping[str, int], name: str) -> int:
    """The number that a name stands for."""
    if not isinstance(value, str) or value not in choices:
        raise invalid(f"{name}: expected one of {', '.join(choices)}; found {value!r}")
    return choices[value]


def asks_to_stop(answer: object, name: str) -> bool:
    """What a callback's answer means: True stops, False or None goes on. Anything else was not
    meant as an answer."""
    if answer is None:
        return False
    if type(answer).__name__ in ("bool", "bool_"):  # Python's, numpy's
        return bool(answer)
    raise TypeError(f"{name}: expected True, to stop, or None; it returned {type(answer).__name__}")
