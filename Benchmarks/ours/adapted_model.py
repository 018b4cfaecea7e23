"""The Graft side of every training benchmark: a model with the dropout asked for, and LoRA on query and value."""

import json
import os
import tempfile
from pathlib import Path

import graft
from settings import MODELS

LORA = {"r": 8, "lora_alpha": 16, "target_modules": ["query", "value"]}


def load_model(name: str, precision: str, dropout: float = 0.1) -> graft.Model:
    """The model of build/models; its config.json alone says what is dropped, so another dropout is another folder."""
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


def make_adapter(model: graft.Model, labels: list[str], lora_dropout: float = 0.0, seed: int = 0) -> graft.Adapter:
    adapter = graft.Adapter.create(model, "lora", LORA | {"lora_dropout": lora_dropout}, seed=seed)
    adapter.set_head("sequence_classification", labels)
    return adapter
