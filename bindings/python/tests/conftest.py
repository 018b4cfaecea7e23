"""The real MiniLM, and small adapters on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import graft

ROOT = Path(__file__).resolve().parents[3]
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
