"""The Graft side of every training benchmark: a model with the dropout asked for, and its adapter
with a head.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import graft
from data import LINEAR_LORA
from methods import FEW_STEPS, METHODS
from settings import MODELS


def load_model(name: str | Path, precision: str, dropout: float = 0.1) -> graft.Model:
    """A model of build/models, or of a folder; its config.json alone says what is dropped, so
    another dropout is another folder.
    """
    folder = MODELS / name
    settings = json.loads((folder / "config.json").read_text())
    if (settings["hidden_dropout_prob"], settings["attention_probs_dropout_prob"]) == (dropout, dropout):
        return graft.Model(folder, precision=precision)
    with tempfile.TemporaryDirectory() as temporary:
        for path in folder.iterdir():
            os.symlink(path, Path(temporary, path.name))
        changed = Path(temporary, "config.json")
        changed.unlink()
        changed.write_text(
            json.dumps(settings | {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout})
        )
        return graft.Model(temporary, precision=precision)


def begun(
    model: graft.Model, start: Path | None, seed: int, task: str, labels: Sequence[str] = ()
) -> graft.Adapter:
    """The adapter of a folder, or a fresh one of the recipes with a head."""
    if start:
        return graft.Adapter.load(model, start)
    adapter = graft.Adapter.create(model, "lora", LINEAR_LORA, seed=seed)
    adapter.set_head(task, labels)
    return adapter


def make_adapter(
    model: graft.Model,
    labels: Sequence[str],
    lora_dropout: float = 0.0,
    seed: int = 0,
    method: str = "lora",
    steps: int = FEW_STEPS,
    head: str = "sequence_classification",
    learns_pooler: bool = False,
) -> graft.Adapter:
    """An adapter with the settings of `methods.py` and the head of the peer's."""
    settings = METHODS[method]
    adapter = graft.Adapter.create(model, method, settings.settings_for(steps, lora_dropout), seed=seed)
    adapter.set_head(head, labels, dense_layer=settings.dense_layer or learns_pooler)
    return adapter
