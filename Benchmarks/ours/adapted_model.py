"""The Graft side of every training benchmark: a model with the dropout asked for, and its adapter
with a head.
"""

import json
import os
import tempfile
from pathlib import Path

import graft
from settings import MODELS

METHODS = ("lora", "bottleneck")
LORA = {"r": 8, "lora_alpha": 16, "target_modules": ["query", "value"]}


def load_model(name: str, precision: str, dropout: float = 0.1) -> graft.Model:
    """The model of build/models; its config.json alone says what is dropped, so another dropout is
    another folder.
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


def make_adapter(
    model: graft.Model, labels: list[str], lora_dropout: float = 0.0, seed: int = 0, method: str = "lora"
) -> graft.Adapter:
    """LoRA on query and value with PEFT's head, or AdapterHub's seq_bn with its usual head of two
    layers.
    """
    config = LORA | {"lora_dropout": lora_dropout} if method == "lora" else {"config": "seq_bn"}
    adapter = graft.Adapter.create(model, method, config, seed=seed)
    adapter.set_head("sequence_classification", labels, dense_layer=method == "bottleneck")
    return adapter
