"""Model folders as sentence-transformers has them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .errors import GraftError, Status
from .files import write_text
from .values import of_json

#: Of the modules, under the names that every release of sentence-transformers knows.
MODULES = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
SETTINGS = "sentence_bert_config.json"


def complete_sentence_folder(path: str | os.PathLike[str], width: int, maximum_length: int | None) -> None:
    """Gives a model's folder what it lacks for sentence-transformers to make the vectors of
    :meth:`Session.embed`: modules where it names none, which are then the mean of the states and a
    length of 1, and the length at which texts are cut.

    :param width: the model's hidden size.
    :param maximum_length: in tokens; None: what the folder says.
    """
    folder = Path(path)
    if not (folder / "modules.json").exists():
        pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
        _write(folder / "1_Pooling" / "config.json", pooling)
        modules = [
            {"idx": place, "name": str(place), "path": module, "type": f"sentence_transformers.models.{kind}"}
            for place, (module, kind) in enumerate(MODULES)
        ]
        _write(folder / "modules.json", modules)
    if maximum_length is not None:
        known = next(iter(sorted(folder.glob("sentence_*_config.json"))), None)
        settings = {} if known is None else _settings(known)
        _write(folder / SETTINGS, {**settings, "max_seq_length": maximum_length})


def _settings(path: Path) -> dict[str, object]:
    try:
        settings = of_json(path.read_bytes())
    except ValueError as error:
        raise GraftError(Status.CORRUPT_FILE, f"{path}: {error}") from error
    if not isinstance(settings, dict):
        raise GraftError(Status.CORRUPT_FILE, f"{path}: expected an object, found {type(settings).__name__}")
    return settings


def _write(path: Path, content: object) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise GraftError(Status.IO, f"{path.parent}: {error.strerror}") from error
    write_text(path, json.dumps(content, indent=2) + "\n")
