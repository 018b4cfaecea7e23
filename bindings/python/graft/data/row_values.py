"""The values of a row: of one type for each role, and checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import index
from typing import Any, NamedTuple

from ..entities import Entity
from ..values import float_of, is_missing, of_json, shown
from .columns import names_in


class Answer(NamedTuple):
    """A stretch of a context that answers a question."""

    text: str
    #: First character in the context.
    start: int


def row_values(values: Mapping[str, Any], class_names: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The values of a row by their roles. A ValueError says which is wrong, and how."""
    row: dict[str, Any] = {}
    for role, value in values.items():
        try:
            row[role] = CONVERTED[role](value, class_names.get(role))
        except (ValueError, RecursionError) as error:  # lists in lists cannot be shown, either
            raise ValueError(f"{role}: {error}") from None
    if "words" in row and "tags" in row and len(row["words"]) != len(row["tags"]):
        raise ValueError(f"tags: expected {len(row['words'])}, one for each word; found {len(row['tags'])}")
    if "entities" in row and "text" in row:
        row["entities"] = _entities_in(row["text"], row["entities"])
    if "right" in row and "candidates" in row:
        row["right"] = _right_in(row["candidates"], row["right"])
    if "relevance" in row and "candidates" in row and len(row["relevance"]) != len(row["candidates"]):
        raise ValueError(
            f"relevance: expected {len(row['candidates'])}, one for each candidate; found {len(row['relevance'])}"
        )
    if "answers" in row and "context" in row:
        row["answers"] = [_answer_in(row["context"], answer) for answer in row["answers"]]
    return row


def _text(value: Any, _names: Any = None) -> str:
    if is_missing(value):
        raise ValueError("missing")
    if not isinstance(value, str):
        raise ValueError(f"expected a text, found {type(value).__name__} {shown(value)}")
    if not value.strip():
        raise ValueError("empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("expected Unicode text, found half a surrogate pair") from None
    return str(value)


def _name(value: Any, names: Sequence[str] | None = None) -> str:
    """A label: a name, or a number that stands for one."""
    if isinstance(value, str):
        text = _text(value)
        if "\0" in text:
            raise ValueError("a name cannot contain a NUL character")
        return text
    if is_missing(value):
        raise ValueError("missing")
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return str(bool(value))
    if isinstance(value, float) and value.is_integer():  # of a column of integers that had gaps
        value = int(value)
    try:
        number = index(value)
    except TypeError:
        advice = ": numbers to learn are a target" if isinstance(value, float) else ""
        raise ValueError(f"expected a name, found {type(value).__name__} {shown(value)}{advice}") from None
    if names is None:
        return str(number)
    if not 0 <= number < len(names):
        raise ValueError(
            f"{shown(number)} stands for none of {len(names)} names" + (" (a missing value)" if number == -1 else "")
        )
    return str(names[number])


def _names(value: Any, names: Sequence[str] | None = None) -> list[str]:
    """Several labels: a list, a text with commas, semicolons or bars between them, a number that
    stands for one, or columns of 0 and 1."""
    if isinstance(value, Mapping):
        return [name for name, given in value.items() if _is_set(name, given)]
    if isinstance(value, str):
        return names_in(value)
    found = [_name(part, names) for part in (value if isinstance(value, Iterable) else [value])]
    return list(dict.fromkeys(found))


def _is_set(name: str, value: Any) -> bool:
    number = _number(value)
    if number not in (0, 1):
        raise ValueError(f"expected 0 or 1 in column {name!r}, found {value!r}")
    return number == 1


def _number(value: Any) -> float:
    if is_missing(value):
        raise ValueError("missing (NaN)")
    try:
        number = float_of(value)
    except (TypeError, ValueError):
        raise ValueError(f"expected a number, found {shown(value)}") from None
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, found {shown(value)}")
    return number


def _target(value: Any, _names: Any = None) -> float | list[float]:
    if isinstance(value, Mapping):
        return [_number(part) for part in value.values()]
    if not isinstance(value, str) and isinstance(value, Iterable):
        return [_number(part) for part in value]
    return _number(value)


def _words(value: Any, names: Sequence[str] | None = None) -> list[str]:
    """Words or tags: a list, or a text with blanks between them."""
    parts = value.split() if isinstance(value, str) else [_name(part, names) for part in _list(value)]
    if not parts:
        raise ValueError("empty")
    return parts


def _list(value: Any) -> list[Any]:
    if is_missing(value):
        raise ValueError("missing")
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError(f"expected a list, found {type(value).__name__} {shown(value)}")
    return list(value)


def _of_json(value: Any) -> Any:
    """What a column of a text file says in JSON."""
    if not isinstance(value, str):
        return value
    try:
        return of_json(value)
    except ValueError:
        raise ValueError(f"expected JSON, found {shown(value)}") from None


def _entities(value: Any, _names: Any = None) -> list[Entity]:
    """Lists of first character, the one past the last, and type; or objects with these."""
    found = []
    start: Any
    end: Any
    kind: Any
    for part in _list(_of_json(value)):
        if isinstance(part, Entity):
            start, end, kind = part.start, part.end, part.type
        elif isinstance(part, Mapping):
            kind = next((part[key] for key in ("type", "label", "entity", "entity_group") if key in part), None)
            start, end = part.get("start"), part.get("end")
        else:
            start, end, kind = list(part) if isinstance(part, (list, tuple)) and len(part) == 3 else (None, None, None)
        if type(start) is not int or type(end) is not int or not isinstance(kind, str) or not kind:
            raise ValueError(f"expected start, end and type, found {part!r:.80}")
        found.append(Entity(kind, start, end, ""))
    return found


def _entities_in(text: str, entities: list[Entity]) -> list[Entity]:
    ordered = sorted(entities, key=lambda entity: (entity.start, entity.end))
    for entity in ordered:
        if not 0 <= entity.start < entity.end <= len(text):
            found = f"{shown(entity.start)} to {shown(entity.end)}"
            raise ValueError(f"entities: {found} of a text of {len(text)} characters")
    for before, after in zip(ordered, ordered[1:]):
        if after.start < before.end:
            both = [f"{entity.type} at {entity.start} to {entity.end}" for entity in (before, after)]
            raise ValueError(f"entities: {both[0]} overlaps {both[1]}")
    return [Entity(kind, start, end, text[start:end]) for kind, start, end, _ in ordered]


def _answers(value: Any, _names: Any = None) -> list[Answer]:
    """Texts with their starts, as SQuAD or `datasets` has them, or texts alone, as CMRC has."""
    given = _of_json(value) if isinstance(value, str) and value.lstrip().startswith(("[", "{")) else value
    if is_missing(given) or given == "":
        return []
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        texts = _list(given.get("text", []))
        starts = _list(given.get("answer_start", [-1] * len(texts)))
        if len(texts) != len(starts):
            raise ValueError(f"{len(texts)} texts with {len(starts)} starts")
        given = [{"text": text, "answer_start": start} for text, start in zip(texts, starts)]
    found = []
    for part in _list(given):
        if isinstance(part, Answer):
            found.append(part)
        elif isinstance(part, Mapping):
            found.append(Answer(_text(part.get("text")), _start(part.get("answer_start", -1))))
        else:
            found.append(Answer(_text(part), -1))
    return found


def _start(value: Any) -> int:
    try:
        return index(value)
    except TypeError:
        raise ValueError(f"expected a number of characters for answer_start, found {shown(value)}") from None


def _answer_in(context: str, answer: Answer) -> Answer:
    """An answer with its place: the first one, where it says none."""
    start = context.find(answer.text) if answer.start == -1 else answer.start
    if start < 0 or not context.startswith(answer.text, start):
        where = "anywhere in it" if start < 0 else f"at character {shown(start)}"
        raise ValueError(f"answers: {shown(answer.text)} is not in the context, {where}")
    return Answer(answer.text, start)


def _texts(value: Any, _names: Any = None) -> list[str]:
    """A list, a column for each, or as `datasets` has choices: texts beside their letters."""
    given = _of_json(value)
    if isinstance(given, Mapping):
        given = given["text"] if isinstance(given.get("text"), (list, tuple)) else list(given.values())
    found = [_text(part) for part in _list(given)]
    if not found:
        raise ValueError("empty")
    return found


def _numbers(value: Any, _names: Any = None) -> list[float]:
    return [_number(part) for part in _list(_of_json(value))]


def _right(value: Any, _names: Any = None) -> int | str:
    """A number from 0, or a text."""
    if isinstance(value, str) and not value.strip().isdecimal():
        return _text(value)
    number = _number(value)
    if not number.is_integer():
        raise ValueError(f"expected the number of a candidate, found {shown(value)}")
    return int(number)


def _right_in(candidates: list[str], right: int | str) -> int:
    """The number of the right candidate, of which it may be the text, or the letter."""
    if isinstance(right, int):
        if 0 <= right < len(candidates):
            return right
        raise ValueError(f"right: expected 0 to {len(candidates) - 1}, found {shown(right)}")
    if right in candidates:
        return candidates.index(right)
    number = ord(right) - ord("A") if len(right) == 1 else -1
    if not 0 <= number < len(candidates):
        raise ValueError(f"right: {shown(right)} is none of the candidates")
    return number


def _messages(value: Any, _names: Any = None) -> list[dict[str, Any]]:
    """What is said in a conversation, and by whom."""
    found = []
    for part in _list(_of_json(value)):
        if not isinstance(part, Mapping) or not all(isinstance(part.get(key), str) for key in ("role", "content")):
            raise ValueError(f"expected messages with role and content, found {part!r:.80}")
        found.append(dict(part))
    if not any(message["role"] == "assistant" for message in found):
        raise ValueError("the assistant says nothing")
    return found


def _identity(value: Any, _names: Any = None) -> str:
    if is_missing(value):
        raise ValueError("missing")
    return str(value)


#: What makes a value of each role.
CONVERTED: dict[str, Callable[[Any, Sequence[str] | None], Any]] = {
    "text": _text,
    "pair": _text,
    "label": _name,
    "labels": _names,
    "target": _target,
    "words": _words,
    "tags": _words,
    "entities": _entities,
    "question": _text,
    "context": _text,
    "answers": _answers,
    "candidates": _texts,
    "right": _right,
    "relevance": _numbers,
    "source": _text,
    "output": _text,
    "prompt": _text,
    "completion": _text,
    "chosen": _text,
    "rejected": _text,
    "messages": _messages,
    "id": _identity,
    "group": _identity,
}
