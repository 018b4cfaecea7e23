"""Tells of a model's folder, an adapter's, or a tokenizer's.

Of an adapter it tells with the base model at hand, which is the one that its files name unless
another is given.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..adapter import Adapter
from ..errors import GraftError, Status
from ..model import Model
from ..recipe import facts_of_model
from ..tokenizer import Tokenizer
from ..values import of_json
from .output import Output

#: What tells folders apart: the first file that is there.
ADAPTER, MODEL = ("adapter_config.json",), ("config.json",)
TOKENIZER = (
    "tokenizer.json", "spiece.model", "spm.model", "sentencepiece.bpe.model", "tokenizer.model", "vocab.txt", "vocab.json",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="FOLDER", help="of a model, an adapter or a tokenizer")
    parser.add_argument(
        "--model", type=Path, metavar="MODEL", help="folder of an adapter's base model (default: as its files say)"
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    path = arguments.path
    if _has(path, ADAPTER):
        told = of_adapter(path, arguments.model)
    elif _has(path, MODEL):
        told = of_model(path)
    elif _has(path, TOKENIZER):
        told = {"kind": "tokenizer", **of_tokenizer(path)}
    else:
        found = "no such folder" if not path.is_dir() else f"none of {', '.join((*ADAPTER, *MODEL, *TOKENIZER))}"
        raise GraftError(
            Status.NOT_FOUND, f"{path}: expected the folder of a model, an adapter or a tokenizer; found {found}"
        )
    for name, value in told.items():
        output.line(f"{name.replace('_', ' '):<20} {_shown(value)}")
    output.result(told)


def of_model(path: Path) -> dict[str, Any]:
    """What there is to know of a model, and of the tokenizer beside it."""
    with Model(path) as model:
        told = {
            "kind": "model",
            **facts_of_model(model),
            "memory": model.memory + model.mapped_memory,
            "embedding_size": model.embedding_size,
            "prompts": model.prompt_names,
            "task": model.task,
            "labels": model.labels,
        }
    return {**told, "tokenizer": of_tokenizer(path) if _has(path, TOKENIZER) else None}


def of_tokenizer(path: Path) -> dict[str, Any]:
    """What there is to know of a tokenizer."""
    with Tokenizer(path) as tokenizer:
        return {"vocabulary_size": tokenizer.vocabulary_size, "maximum_length": tokenizer.maximum_length}


def of_adapter(path: Path, model_path: Path | None) -> dict[str, Any]:
    """What there is to know of an adapter."""
    base = _base_of(path) if model_path is None else model_path
    with Model(base) as model, Adapter.load(model, path) as adapter:
        return {
            "kind": "adapter",
            "method": adapter.method,
            "task": adapter.task,
            "labels": adapter.labels,
            "parameter_count": adapter.parameter_count,
            "share_of_model": adapter.parameter_count / model.parameter_count,
            "memory": adapter.memory,
            "file_bytes": sum(file.stat().st_size for file in path.iterdir() if file.is_file()),
            "maximum_length": adapter.maximum_length,
            "model": str(base),
            "settings": adapter.config,
        }


def _base_of(path: Path) -> Path:
    """The base model that an adapter's files name."""
    try:
        named = of_json((path / ADAPTER[0]).read_text("utf-8"))
        name = next((named[key] for key in ("base_model_name_or_path", "model_name") if named.get(key)), None)
    except (ValueError, AttributeError) as error:
        raise GraftError(Status.CORRUPT_FILE, f"{path / ADAPTER[0]}: expected a JSON object: {error}") from None
    if not isinstance(name, str) or not Path(name).is_dir():
        raise GraftError(
            Status.NOT_FOUND, f"{path}: its base model, {name!r}, is no folder here: say which with --model"
        )
    return Path(name)


def _has(path: Path, names: tuple[str, ...]) -> bool:
    return any((path / name).exists() for name in names)


def _shown(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, dict):
        return "".join(f"\n  {name:<26} {_shown(own)}" for name, own in value.items() if own not in (None, {}, []))
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    return (
        f"{value:,}"
        if isinstance(value, int) and not isinstance(value, bool)
        else "none"
        if value is None
        else str(value)
    )
