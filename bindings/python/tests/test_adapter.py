"""Adapters: made, given a head, saved, loaded."""

from __future__ import annotations

import json
from array import array
from pathlib import Path

import pytest
from conftest import LABELS, TEXTS

import graft


def test_an_adapter_tells_what_it_is(adapter: graft.Adapter) -> None:
    assert (adapter.method, adapter.task, adapter.labels) == ("lora", "sequence_classification", LABELS)
    assert adapter.config["r"] == 4
    # Query and value of 6 layers, A [4, 384] and B [384, 4]; and a head of 3 labels with its bias.
    assert adapter.parameter_count == 6 * 2 * 2 * 4 * 384 + 3 * 384 + 3


def test_a_setting_that_does_not_exist_is_refused(model: graft.Model) -> None:
    with pytest.raises(graft.GraftError, match="rank") as caught:
        graft.Adapter.create(model, "lora", {"rank": 4})
    assert caught.value.status is graft.Status.INVALID_ARGUMENT


def test_a_method_that_does_not_exist_is_refused(model: graft.Model) -> None:
    with pytest.raises(graft.GraftError, match="glue"):
        graft.Adapter.create(model, "glue")


def test_the_same_seed_gives_the_same_adapter(model: graft.Model, tmp_path: Path) -> None:
    for name in ("one", "two"):
        graft.Adapter.create(model, "lora", seed=5).save(tmp_path / name)
    graft.Adapter.create(model, "lora", seed=6).save(tmp_path / "other")
    weights = "adapter_model.safetensors"
    assert (tmp_path / "one" / weights).read_bytes() == (tmp_path / "two" / weights).read_bytes()
    assert (tmp_path / "one" / weights).read_bytes() != (tmp_path / "other" / weights).read_bytes()


def test_a_head_needs_two_labels(model: graft.Model) -> None:
    with pytest.raises(graft.GraftError) as caught:
        graft.Adapter.create(model).set_head(labels=["only"])
    assert caught.value.status is graft.Status.INVALID_ARGUMENT


def test_saved_and_loaded_it_classifies_the_same_and_saves_the_same_bytes(
    model: graft.Model, tokenizer: graft.Tokenizer, trained: graft.Adapter, tmp_path: Path
) -> None:
    trained.save(tmp_path / "first")
    loaded = graft.Adapter.load(model, tmp_path / "first")
    assert loaded.labels == LABELS
    before = graft.Session(model, tokenizer, trained).classify(TEXTS)
    after = graft.Session(model, tokenizer, loaded).classify(TEXTS)
    assert before == after
    loaded.save(tmp_path / "second")
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "second").iterdir())
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


@pytest.mark.parametrize("config", ["seq_bn", "double_seq_bn", "par_bn"])
def test_a_bottleneck_is_trained_saved_loaded_and_used_beside_other_adapters(
    config: str, model: graft.Model, tokenizer: graft.Tokenizer, trained: graft.Adapter, tmp_path: Path
) -> None:
    settings = {"config": config, "reduction_factor": 24, "name": "bottle"}
    adapter = graft.Adapter.create(model, "bottleneck", settings, seed=1)
    adapter.set_head(labels=LABELS, dense_layer=True)
    # D [16, 384] and U [384, 16] with their biases, 6 layers; and the head's dense layer and
    # logits.
    places = 2 if config == "double_seq_bn" else 1
    assert adapter.parameter_count == 6 * places * (2 * 16 * 384 + 16 + 384) + 384 * 385 + 3 * 385
    assert adapter.config["config"]["reduction_factor"] == 24
    with graft.Trainer(model, adapter, learning_rate=1e-3, seed=1) as trainer:
        with graft.Batch(tokenizer, TEXTS, labels=[index % 3 for index in range(len(TEXTS))]) as batch:
            losses = [trainer.step(batch).loss for _ in range(10)]
    assert losses[-1] < losses[0] / 2
    adapter.save(tmp_path / "bottle")
    assert sorted(path.name for path in (tmp_path / "bottle").iterdir()) == [
        "adapter.safetensors",
        "adapter_config.json",
        "head_config.json",
        "model_head.safetensors",
    ]
    loaded = graft.Adapter.load(model, tmp_path / "bottle")
    assert (loaded.method, loaded.labels) == ("bottleneck", LABELS)
    with graft.Session(model, tokenizer) as session:
        adapters = [loaded, trained, loaded]
        mixed = session.classify(TEXTS[:3], adapters=adapters)
        alone = [session.classify([text], adapters=[own])[0] for text, own in zip(TEXTS, adapters)]
    assert list(mixed) == alone


@pytest.mark.parametrize("method", ["lora", "bottleneck"])
def test_a_head_of_the_mean_is_trained_saved_loaded_and_used_beside_other_heads(
    method: str, model: graft.Model, tokenizer: graft.Tokenizer, trained: graft.Adapter, tmp_path: Path
) -> None:
    adapter = graft.Adapter.create(model, method, seed=1)
    adapter.set_head(labels=LABELS, pooling="mean")
    with graft.Trainer(model, adapter, seed=1) as trainer:
        with graft.Batch(tokenizer, TEXTS, labels=[index % 3 for index in range(len(TEXTS))]) as batch:
            losses = [trainer.step(batch).loss for _ in range(20)]
    assert losses[-1] < losses[0] / 2
    adapter.save(tmp_path / "mean")
    loaded = graft.Adapter.load(model, tmp_path / "mean")
    with graft.Session(model, tokenizer) as session:
        adapters = [loaded, trained, adapter]
        mixed = session.classify(TEXTS[:3], adapters=adapters)
        alone = [session.classify([text], adapters=[own])[0] for text, own in zip(TEXTS, adapters)]
    assert list(mixed) == alone


def test_the_logits_of_a_head_alone_are_its_product_with_the_mean(
    model: graft.Model, tokenizer: graft.Tokenizer, tmp_path: Path
) -> None:
    """A fresh head without anything below it: W · mean, where W is what its file holds."""
    adapter = graft.Adapter.create(model, "lora", {"target_modules": "dummy-target-modules"}, seed=1)
    adapter.set_head(labels=LABELS, pooling="mean")
    assert adapter.parameter_count == 3 * 384 + 3
    adapter.save(tmp_path / "head")
    stored = (tmp_path / "head" / "adapter_model.safetensors").read_bytes()
    length = int.from_bytes(stored[:8], "little")
    header = json.loads(stored[8 : 8 + length])
    (start, end) = header["base_model.model.pooled_classifier.weight"]["data_offsets"]
    weights = array("f", stored[8 + length + start : 8 + length + end])
    with graft.Session(model, tokenizer, adapter) as session:
        logits = session.classify(TEXTS)
        for row, mean in zip(logits, session.embed(TEXTS, normalize=False)):
            for label, logit in enumerate(row):
                product = sum(a * b for a, b in zip(weights[label * 384 : (label + 1) * 384], mean))
                assert logit == pytest.approx(product, abs=1e-5)


def test_a_pooling_that_does_not_exist_is_refused(model: graft.Model) -> None:
    with pytest.raises(graft.GraftError, match="pooling"):
        graft.Adapter.create(model).set_head(labels=LABELS, pooling="max")  # type: ignore[arg-type]


def test_loading_nothing_is_not_found(model: graft.Model, tmp_path: Path) -> None:
    with pytest.raises(graft.GraftError) as caught:
        graft.Adapter.load(model, tmp_path / "none")
    assert caught.value.status is graft.Status.NOT_FOUND


def test_an_adapter_goes_to_memory_and_back(model: graft.Model, adapter: graft.Adapter, tmp_path: Path) -> None:
    adapter.save(tmp_path / "saved")
    files = adapter.to_files()
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "saved").iterdir()}
    loaded = graft.Adapter.from_files(model, files)
    assert (loaded.labels, loaded.config, loaded.to_files()) == (adapter.labels, adapter.config, files)
    bottleneck = graft.Adapter.create(model, "bottleneck")
    bottleneck.set_head(labels=LABELS)
    assert len(bottleneck.to_files()) == 4
    assert graft.Adapter.from_files(model, bottleneck.to_files()).to_files() == bottleneck.to_files()


def test_files_in_memory_are_checked_as_those_of_a_folder(model: graft.Model, adapter: graft.Adapter) -> None:
    files = adapter.to_files()
    with pytest.raises(graft.GraftError, match="files: no adapter_model.safetensors") as caught:
        graft.Adapter.from_files(model, {"adapter_config.json": files["adapter_config.json"]})
    assert caught.value.status is graft.Status.NOT_FOUND
    cut = {**files, "adapter_model.safetensors": files["adapter_model.safetensors"][:-4]}
    with pytest.raises(graft.GraftError, match="files/adapter_model.safetensors") as caught:
        graft.Adapter.from_files(model, cut)
    assert caught.value.status is graft.Status.CORRUPT_FILE


def test_a_composition_knows_what_it_was_made_of(adapter: graft.Adapter) -> None:
    composition = graft.Composition(adapter, 0.25)
    assert (composition.scale, composition.labels) == (0.25, LABELS)
    (found,) = composition.adapters
    found.set_head(labels=["other", "labels"])
    assert adapter.labels == ["other", "labels"] and composition.labels == LABELS
    adapter.release()
    assert composition.adapters[0].labels == found.labels
    assert 4 * found.parameter_count <= found.memory


def test_adalora_prunes_ranks_and_saves_the_others(
    model: graft.Model, tokenizer: graft.Tokenizer, session: graft.Session, tmp_path: Path
) -> None:
    settings = {"init_r": 4, "target_r": 1, "tfinal": 1, "target_modules": ["query", "dense"]}
    adapter = graft.Adapter.create(model, "adalora", settings, seed=3)
    adapter.set_head(labels=LABELS)
    with graft.Batch(tokenizer, TEXTS, labels=[index % 3 for index in range(len(TEXTS))]) as batch:
        with graft.Trainer(model, adapter) as trainer, pytest.raises(graft.GraftError, match="total_step is null"):
            trainer.step(batch)
        with graft.Trainer(model, adapter, total_steps=4) as trainer:
            for _ in range(4):
                trainer.step(batch)
    adapter.save(tmp_path)
    pattern = json.loads((tmp_path / "adapter_config.json").read_text())["rank_pattern"]
    assert sum(sum(kept) for kept in pattern.values()) == len(pattern)
    loaded = graft.Adapter.load(model, tmp_path)
    assert loaded.parameter_count < adapter.parameter_count
    for found, expected in zip(
        session.classify(TEXTS, adapters=[loaded] * len(TEXTS)), session.classify(TEXTS, adapters=[adapter] * len(TEXTS))
    ):
        assert found == pytest.approx(expected, abs=1e-5)


def test_adapters_act_one_after_the_other_or_as_their_mean(model: graft.Model, session: graft.Session) -> None:
    adapter = graft.Adapter.create(model, "lora", {"init_lora_weights": False}, seed=3)
    adapter.set_head(labels=LABELS)
    other = graft.Adapter.create(model, "ia3", {"init_ia3_weights": False}, seed=3)

    def states(acting: graft.RowAdapter) -> list[list[float]]:
        return [list(row) for row in session.embed(TEXTS[:2], adapters=[acting] * 2)]

    half = graft.Composition(other, 0.5)
    assert states(graft.stack(adapter)) == states(adapter)
    assert states(graft.average(other, other)) == states(other)
    assert states(graft.average(other, adapter, weights=[2, 0])) == states(other)
    mixed = graft.stack(adapter, half)
    assert states(mixed) not in (states(adapter), states(half), states(graft.average(adapter, half)))
    assert mixed.labels == LABELS and mixed.scale == 1 and len(mixed.adapters) == 2
    assert [found.method for found in graft.average(half, mixed).adapters] == ["ia3", adapter.method, "ia3"]
    with pytest.raises(graft.GraftError, match="weights: expected 2, found 1"):
        graft.average(adapter, half, weights=[1])
    with pytest.raises(graft.GraftError, match="weights\\[1\\]"):
        graft.average(adapter, half, weights=[1, -1])
    with pytest.raises(graft.GraftError, match="count must be 1 to 32"):
        graft.stack()
    with pytest.raises(TypeError):
        graft.stack(adapter, None)  # type: ignore[arg-type]
