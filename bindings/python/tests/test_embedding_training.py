"""Training the vectors of texts."""

from __future__ import annotations

from pathlib import Path

import pytest

import graft

PAIRS = [
    ["a plane is taking off", "an air plane takes off"],
    ["a man plays a flute", "a man plays chess"],
    ["a dog runs", "the dog is running"],
    ["two boys sing", "rain falls"],
]


def trainer(model: graft.Model, **settings: object) -> tuple[graft.Trainer, graft.Adapter]:
    adapter = graft.Adapter.create(model, config={"init_lora_weights": False})
    adapter.set_head("sentence_embedding")
    return graft.Trainer(model, adapter, **settings), adapter  # type: ignore[arg-type]


def test_pairs_are_learned_and_ranked(model: graft.Model, tokenizer: graft.Tokenizer, tmp_path: Path) -> None:
    rows = graft.Dataset.from_groups(tokenizer, PAIRS * 4)
    training, adapter = trainer(model, rows_per_batch=8, epoch_count=3)
    assert adapter.task == "sentence_embedding" and adapter.labels == []
    before = training.evaluate(rows)
    training.fit(rows, progress=False)
    after = training.evaluate(rows)
    assert after.loss < before.loss
    assert {"mrr", "map", "ndcg", "ndcg_at_k", "recall_at_k", "precision_at_k"} <= set(after.values)
    adapter.save(tmp_path / "adapter")
    assert graft.Adapter.load(model, tmp_path / "adapter").task == "sentence_embedding"


def test_a_text_is_its_own_positive(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    """SimCSE: what drops out makes two vectors of a text."""
    texts = [text for pair in PAIRS for text in pair]
    rows = graft.Dataset.from_groups(tokenizer, [[text, text] for text in texts])
    adapter = graft.Adapter.create(model, config={"init_lora_weights": False, "lora_dropout": 0.5})
    adapter.set_head("sentence_embedding")
    losses: list[float] = []

    class Losses(graft.Callback):
        def on_step_end(self, metrics: graft.Metrics) -> None:
            losses.append(metrics.loss)

    with graft.Trainer(model, adapter, rows_per_batch=16, epoch_count=30, callbacks=[Losses()]) as training:
        before = training.evaluate(rows)
        training.fit(rows, progress=False)
    # An evaluation drops nothing, so that a text's two vectors are one.
    assert before.ndcg == 1 and before.loss < losses[0]
    assert sum(losses[-5:]) < sum(losses[:5])


@pytest.mark.parametrize("loss", ["cosent", "cosine_similarity"])
def test_judged_pairs_are_measured_by_correlations(model: graft.Model, tokenizer: graft.Tokenizer, loss: str) -> None:
    targets = [1.0, 0.4, 0.9, 0.0]
    rows = graft.Dataset.from_groups(tokenizer, PAIRS, targets=targets)
    training, adapter = trainer(model, loss=loss, loss_settings={"dimensions": [16, 4]})
    found = training.evaluate(rows)
    session = graft.Session(model, tokenizer, adapter)
    vectors = [session.embed(pair) for pair in PAIRS]
    cosines = [sum(x * y for x, y in zip(a, b)) for a, b in vectors]
    assert found.spearman == pytest.approx(graft.evaluation.values(targets, cosines).spearman, abs=1e-6)


def test_triplets_take_three_texts(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    training, _ = trainer(model, loss="triplet", loss_settings={"distance": "cosine", "margin": 0.5})
    groups = [[*pair, "something else"] for pair in PAIRS]
    assert training.evaluate(graft.Dataset.from_groups(tokenizer, groups)).loss > 0
    with pytest.raises(graft.GraftError, match="the group of row 0 has 2 rows; loss triplet expects 3"):
        training.evaluate(graft.Dataset.from_groups(tokenizer, PAIRS))


def test_what_is_no_group_is_refused(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    with pytest.raises(graft.GraftError, match="targets: expected 4, one for each group; found 1"):
        graft.Dataset.from_groups(tokenizer, PAIRS, targets=[1.0])
    with pytest.raises(TypeError, match=r"groups\[0\]"):
        graft.Dataset.from_groups(tokenizer, ["no group"])  # type: ignore[list-item]
    training, _ = trainer(model)
    with pytest.raises(graft.GraftError, match="the rows have no group_places"):
        training.evaluate(graft.Dataset(tokenizer, ["a", "b"], [0, 1]))
    with pytest.raises(graft.GraftError, match="has no setting"):
        trainer(model, loss="cosent", loss_settings={"margin": 1})
    assert "temperature" in graft.losses()["in_batch_negatives"]
