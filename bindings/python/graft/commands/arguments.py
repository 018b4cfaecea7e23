"""Arguments that several commands have."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..values import of_json


def add_model(parser: argparse.ArgumentParser) -> None:
    """The base model."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="folder of the base model")


def number(convert: Callable[[str], Any], least: float, most: float = float("inf")) -> Callable[[str], Any]:
    """A type of an argument: a number in a range."""

    def parse(text: str) -> Any:
        try:
            value = convert(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected a number, found {text!r}") from None
        if not least <= value <= most:
            limit = "" if most == float("inf") else f" and at most {most:g}"
            raise argparse.ArgumentTypeError(f"expected at least {least:g}{limit}, found {text}")
        return value

    return parse


positive, not_negative, probability = number(int, 1), number(int, 0), number(float, 0, 1)


def encoding_names(text: str) -> tuple[str, ...]:
    """A type of an argument: encodings with commas between them."""
    return tuple(name.strip() for name in text.split(","))


def columns_object(text: str) -> dict[str, Any]:
    """A type of an argument: which column is what."""
    columns = json_object(text)
    for role, column in columns.items():
        for own in column if isinstance(column, list) else [column]:
            if isinstance(own, bool) or not isinstance(own, (str, int, type(None))):
                raise argparse.ArgumentTypeError(f"expected the name or the number of a column for {role}, found {own!r}")
    return columns


def probabilities(text: str) -> float | list[float]:
    """A type of an argument: one probability of all labels, or one of each."""
    values = [probability(part) for part in text.split(",")]
    return values if len(values) > 1 else values[0]


def json_object(text: str) -> dict[str, Any]:
    """A type of an argument: a JSON object, or the file behind an @ that has one."""
    try:
        value = of_json(Path(text[1:]).read_text("utf-8") if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"expected a JSON object or @FILE: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"expected a JSON object, found {text!r}")
    return value


def class_weights(text: str) -> str | dict[str, float]:
    """A type of an argument: "balanced", or a weight for some labels."""
    if text == "balanced":
        return text
    weights = json_object(text)
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < float("inf"):
            raise argparse.ArgumentTypeError(f"expected a number of 0 or more for {name!r}, found {weight!r}")
    return weights
