"""JSON: an object a line, or one array of objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from json import JSONDecodeError
from typing import Any

from ..values import of_json
from . import squad
from .lines import corrupt, read_lines
from .records import BadRow, Record, Records, Settings, keyed, sampled


def open_json_lines(path: str, settings: Settings) -> Records:
    """An object a line, whose names are the columns; empty lines are no rows."""
    return keyed(_objects(read_lines(path, settings.encodings)))


def open_json(path: str, settings: Settings) -> Records:
    """What the file begins with says: an object a line, an array of objects, or SQuAD's."""
    sample, lines = sampled(read_lines(path, settings.encodings))
    first = next((line for _, line in sample if line.strip()), "")
    if first.lstrip().startswith("{"):
        try:
            if not _is_whole(of_json(first)):
                return keyed(_objects(lines))
        except ValueError:
            pass
    content = whole(path, lines)
    if squad.is_squad(content):
        return squad.records_of(content)
    return keyed(_array(path, content))


def _is_whole(value: Any) -> bool:
    """Whether an object on the first line is all rows rather than one."""
    return squad.is_squad(value) or (isinstance(value, dict) and isinstance(value.get("data"), list))


def whole(path: str, lines: Iterable[tuple[int, str]]) -> Any:
    """What a whole file says."""
    try:
        return of_json("\n".join(line for _, line in lines))
    except JSONDecodeError as error:
        raise corrupt(path, f"line {error.lineno}, character {error.colno}: {error.msg}") from None
    except ValueError as error:
        raise corrupt(path, str(error)) from None


def open_squad(path: str, settings: Settings) -> Records:
    """SQuAD's files of versions 1 and 2, and CMRC's."""
    content = whole(path, read_lines(path, settings.encodings))
    if not squad.is_squad(content):
        raise corrupt(path, "expected articles with paragraphs and qas, as SQuAD or CMRC has them")
    return squad.records_of(content)


def _objects(lines: Iterable[tuple[int, str]]) -> Iterator[Record | BadRow]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            value = of_json(line)
        except JSONDecodeError as error:
            yield BadRow(number, f"character {error.colno}: {error.msg}")
        except ValueError as error:
            yield BadRow(number, str(error))
        else:
            yield _record(number, value)


def _array(path: str, content: Any) -> Iterator[Record | BadRow]:
    rows = content.get("data") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise corrupt(path, f"expected an array of objects, found {type(content).__name__}")
    for number, value in enumerate(rows):
        yield _record(f"item {number}", value)


def _record(place: int | str, value: Any) -> Record | BadRow:
    if not isinstance(value, dict):
        return BadRow(place, f"expected an object, found {type(value).__name__}")
    return Record(place, value)
