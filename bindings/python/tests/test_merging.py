"""Merging an adapter into its model, and compressing it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import SHARED

import graft

TEXTS = ["Where is my parcel?", "I want my money back.", "My card was charged twice, and nobody answers."]


@pytest.fixture(scope="module")
def adapter(model: graft.Model) -> graft.Adapter:
    settings = {"r": 4, "target_modules": ["query", "dense"], "init_lora_weights": False}
    made = graft.Adapter.create(model, config=settings, seed=3)
    made.set_head(labels=["delivery", "refund", "other"])
    return made


def logits(model: graft.Model, tokenizer: graft.Tokenizer, adapter: graft.Adapter | None = None) -> list[float]:
    return sum(graft.Session(model, tokenizer, adapter).classify(TEXTS).tolist(), [])


def test_a_merged_model_classifies_as_the_adapter_does(model, tokenizer, adapter, folder, tmp_path: Path) -> None:
    expected = logits(model, tokenizer, adapter)
    in_memory = model.merged(adapter)
    assert in_memory.labels == adapter.labels
    assert logits(in_memory, tokenizer) == pytest.approx(expected, abs=1e-4)
    model.merge(adapter, tmp_path / "merged")
    config = json.loads((tmp_path / "merged" / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["id2label"] == {"0": "delivery", "1": "refund", "2": "other"}
    # The tokenizer came along, and so did the modules that say how sentences become vectors.
    again = graft.Model(tmp_path / "merged")
    assert logits(again, graft.Tokenizer(tmp_path / "merged")) == logits(in_memory, tokenizer)
    assert (tmp_path / "merged" / "1_Pooling" / "config.json").read_bytes() == (
        folder / "1_Pooling" / "config.json"
    ).read_bytes()


def test_a_scale_is_merged(model, tokenizer) -> None:
    adapter = graft.Adapter.create(model, config={"init_lora_weights": False}, seed=1)
    half = graft.Composition(adapter, 0.5)
    expected = graft.Session(model, tokenizer, half).embed(TEXTS).tolist()
    found = graft.Session(model.merged(half), tokenizer).embed(TEXTS).tolist()
    for left, right in zip(found, expected):
        assert left == pytest.approx(right, abs=1e-4)


def test_a_merged_model_of_vectors_says_how_they_are_made(tmp_path: Path) -> None:
    base = SHARED / "models" / "bert-tiny-splade"
    model, tokenizer, merged = graft.Model(base), graft.Tokenizer(base), tmp_path / "merged"
    adapter = graft.Adapter.create(model, config={"init_lora_weights": False}, seed=1)
    model.merge(adapter, merged)
    assert not (merged / "modules.json").exists()
    adapter.set_head("sentence_embedding")
    model.merge(adapter, merged)
    kinds = [module["type"].rpartition(".")[2] for module in json.loads((merged / "modules.json").read_text())]
    assert kinds == ["Transformer", "Pooling", "Normalize"]
    expected = graft.Session(model, tokenizer, adapter).embed(TEXTS).tolist()
    found = graft.Session(graft.Model(merged), graft.Tokenizer(merged)).embed(TEXTS).tolist()
    for left, right in zip(found, expected):
        assert left == pytest.approx(right, abs=1e-5)


def test_a_merged_model_of_vectors_cuts_where_the_adapter_learned(model, tokenizer, folder, tmp_path: Path) -> None:
    adapter = graft.Adapter.create(model, config={"init_lora_weights": False}, seed=1)
    adapter.set_head("sentence_embedding")
    rows = graft.Dataset.from_groups(tokenizer, [[text, text] for text in TEXTS], maximum_length=32)
    with graft.Trainer(model, adapter, epoch_count=1) as trainer:
        trainer.fit(rows, progress=False)
    model.merge(adapter, tmp_path / "merged")
    assert graft.Tokenizer(tmp_path / "merged").maximum_length == 32
    before, after = (
        json.loads((path / "sentence_bert_config.json").read_text()) for path in (folder, tmp_path / "merged")
    )
    assert after == before | {"max_seq_length": 32}
    assert (tmp_path / "merged" / "modules.json").read_bytes() == (folder / "modules.json").read_bytes()
    for content, found in (("[]", "expected a JSON object, found an array"), ("{", "expected a key in double quotes")):
        copy = shutil.copytree(folder, tmp_path / found)
        (copy / "sentence_bert_config.json").write_text(content)
        adapter.save(tmp_path / "adapter")
        other = graft.Model(copy)
        with pytest.raises(graft.GraftError, match=f"sentence_bert_config.json.*{found}") as caught:
            other.merge(graft.Adapter.load(other, tmp_path / "adapter"), tmp_path / "again")
        assert caught.value.status == graft.Status.CORRUPT_FILE


def test_compressing_says_what_it_costs(model, tokenizer, adapter) -> None:
    whole, error = adapter.compress(4)
    assert whole.config["r"] == 4 and whole.labels == adapter.labels
    assert error.total < 1e-5 and max(error.modules.values()) < 1e-5
    assert logits(model, tokenizer, whole) == pytest.approx(logits(model, tokenizer, adapter), abs=1e-4)
    smaller, lost = adapter.compress(2)
    assert 0.1 < lost.total < 1 and set(lost.modules) == set(error.modules)
    assert smaller.parameter_count < whole.parameter_count


def test_what_no_weights_can_do_is_refused(model, tmp_path: Path) -> None:
    bottleneck = graft.Adapter.create(model, "bottleneck")
    for attempt in (
        lambda: model.merge(bottleneck, tmp_path / "merged"),
        lambda: model.merged(bottleneck),
        lambda: bottleneck.compress(4),
    ):
        with pytest.raises(graft.GraftError, match="bottleneck") as caught:
            attempt()
        assert caught.value.status == graft.Status.UNSUPPORTED
    assert not (tmp_path / "merged").exists()
