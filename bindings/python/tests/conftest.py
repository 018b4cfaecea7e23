"""The real MiniLM, and small adapters on it."""

from __future__ import annotations

import json
import os
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

import graft

ROOT = Path(__file__).resolve().parents[3]
#: Where the tests' data, tokenizers and other models are.
SHARED = Path(os.environ.get("GRAFT_TEST_DATA", ROOT.parent / "shared"))
LABELS = ["question", "complaint", "thanks"]
TEXTS = [
    "When do you open?",
    "Is there parking nearby?",
    "The soup was cold and the waiter rude.",
    "Never again, what a terrible evening.",
    "Thank you so much for your help!",
    "Many thanks, that was very kind.",
]


@pytest.fixture(scope="session")
def folder() -> Path:
    path = Path(os.environ.get("GRAFT_TEST_MODELS", ROOT / "build" / "models")) / "minilm"
    assert path.is_dir(), f"{path} is missing: run make models"
    return path


@pytest.fixture(scope="session")
def model(folder: Path) -> graft.Model:
    return graft.Model(folder)


@pytest.fixture(scope="session")
def classifier(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> graft.Model:
    """MiniLM as a checkpoint with a classification head of its own: a second shard has it."""
    path = tmp_path_factory.mktemp("classifier")
    config = json.loads((folder / "config.json").read_text())
    names = {str(number): label for number, label in enumerate(LABELS)}
    config |= {"architectures": ["BertForSequenceClassification"], "id2label": names}
    (path / "config.json").write_text(json.dumps(config))
    (path / "encoder.safetensors").symlink_to(folder / "model.safetensors")
    width = config["hidden_size"]
    head = {
        "classifier.weight": {"dtype": "F32", "shape": [3, width], "data_offsets": [0, 12 * width]},
        "classifier.bias": {"dtype": "F32", "shape": [3], "data_offsets": [12 * width, 12 * width + 12]},
    }
    header = json.dumps(head).encode()
    numbers = array("f", [(number * 37 % 101 - 50) / 100 for number in range(3 * width)] + [0.1, 0.0, -0.1])
    (path / "head.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + numbers.tobytes())
    with (folder / "model.safetensors").open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        tensors = dict.fromkeys(json.loads(file.read(size)).keys() - {"__metadata__"}, "encoder.safetensors")
    tensors |= dict.fromkeys(head, "head.safetensors")
    (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": tensors}))
    return graft.Model(path)


@pytest.fixture(scope="session")
def tokenizer(folder: Path) -> graft.Tokenizer:
    return graft.Tokenizer(folder)


@pytest.fixture(scope="session")
def session(model: graft.Model, tokenizer: graft.Tokenizer) -> graft.Session:
    return graft.Session(model, tokenizer)


@pytest.fixture
def adapter(model: graft.Model) -> Iterator[graft.Adapter]:
    with graft.Adapter.create(model, "lora", {"r": 4, "lora_alpha": 8, "target_modules": None}, seed=3) as fresh:
        fresh.set_head(labels=LABELS)
        yield fresh


@pytest.fixture
def dataset(tokenizer: graft.Tokenizer) -> graft.Dataset:
    return graft.Dataset(tokenizer, TEXTS, [0, 0, 1, 1, 2, 2], label_names=LABELS)


@pytest.fixture(scope="session")
def trained(model: graft.Model, tokenizer: graft.Tokenizer) -> graft.Adapter:
    """Knows the texts above."""
    adapter = graft.Adapter.create(model, "lora", {"r": 4, "lora_alpha": 8, "target_modules": None}, seed=3)
    adapter.set_head(labels=LABELS)
    rows = graft.Dataset(tokenizer, TEXTS, [0, 0, 1, 1, 2, 2], label_names=LABELS)
    with graft.Trainer(model, adapter, learning_rate=5e-3, epoch_count=20, rows_per_batch=6) as trainer:
        trainer.fit(rows, progress=False)
    return adapter
