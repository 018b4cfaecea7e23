"""Masked words: filled, learned from texts alone, measured; choices and rankings of candidates."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SHARED

import graft

FOLDER = SHARED / "models" / "bert-tiny-splade"
TEXTS = ["the cat sat on the mat", "the dog lay on the rug", "a bird sang in the tree", "the fish swam in the sea"]


@pytest.fixture(scope="module")
def model() -> graft.Model:
    return graft.Model(FOLDER)


@pytest.fixture(scope="module")
def tokenizer() -> graft.Tokenizer:
    return graft.Tokenizer(FOLDER)


def test_masks_are_filled(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    assert tokenizer.mask_token == 103
    with graft.Session(model, tokenizer) as session:
        found = session.fill_masks(["the capital of [MASK] is [MASK].", "no mask", "[MASK]"], count=4)
        assert [len(own) for own in found] == [2, 0, 1]
        for own in (mask for text in found for mask in text):
            shares = [filled.probability for filled in own]
            assert len(own) == 4 and shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 1
            assert all(tokenizer.decode([filled.token]).strip() == filled.text for filled in own)


def test_hidden_words_have_a_guess_and_a_probability(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    texts = ["the capital of france is paris.", "[MASK] paris is rare."]
    rows = [tokenizer.encode(text).ids for text in texts]
    places = [[1, 4, len(rows[0]) - 2], [2, 4]]
    with graft.Session(model, tokenizer) as session:
        for row, own in zip(rows, places):
            hidden = session.guess_hidden([row] * len(own), own)
            # The same as among all tokens of the masks of a text.
            for place, (guess, probability) in zip(own, hidden):
                masked = tokenizer.decode([*row[1:place], 103, *row[place + 1 : -1]], skip_special_tokens=False)
                found = session.fill_masks([masked], count=model.vocabulary_size)[0][row[1:place].count(103)]
                assert found[0].token == guess.token and abs(found[0].probability - guess.probability) < 1e-6
                (expected,) = [filled.probability for filled in found if filled.token == row[place]]
                assert abs(expected - probability) < 1e-7
        with pytest.raises(graft.InvalidArgumentError, match=r"places\[0\]: expected 0 to 3, found 4"):
            session.guess_hidden([[1, 2, 3, 4]], [4])
        with pytest.raises(graft.InvalidArgumentError, match="places: expected 1, one for each row; found 0"):
            session.guess_hidden([[1]], [])


def test_a_domain_is_learned_from_texts_alone(
    model: graft.Model, tokenizer: graft.Tokenizer, tmp_path: Path
) -> None:
    rows = graft.Dataset.from_texts(tokenizer, TEXTS * 4)
    held_out = graft.Dataset.from_texts(tokenizer, TEXTS[:2], mask_each=True)
    assert len(held_out) == 12
    adapter = graft.Adapter.create(model, "lora", {"r": 8, "target_modules": "all-linear"})
    adapter.set_head("masked_language_model")
    masking = {"mask_token": tokenizer.mask_token, "whole_word_mask": True}
    with graft.Trainer(model, adapter, masking=masking, epoch_count=20, learning_rate=5e-3) as trainer:
        before = trainer.evaluate(held_out).perplexity
        trainer.fit(rows, progress=False)
        assert trainer.evaluate(held_out).perplexity < before / 2

    def share(adapter: graft.Adapter | None) -> float:
        with graft.Session(model, tokenizer, adapter) as session:
            filled = session.fill_masks(["the cat sat on the [MASK]"], count=3000)[0][0]
            return next(own.probability for own in filled if own.text == "mat")

    adapter.save(tmp_path)
    loaded = graft.Adapter.load(model, tmp_path)
    assert loaded.task == "masked_language_model"
    assert share(loaded) > 10 * share(None)


def test_what_cannot_be_masked_is_refused(
    model: graft.Model, tokenizer: graft.Tokenizer, folder: Path
) -> None:
    other = graft.Model(folder)
    with pytest.raises(graft.GraftError, match="no head for masked words"):
        graft.Adapter.create(other).set_head("masked_language_model")
    with graft.Session(other, graft.Tokenizer(folder)) as session:
        with pytest.raises(graft.GraftError, match="no head for masked words"):
            session.fill_masks(["[MASK]"])
    adapter = graft.Adapter.create(model)
    adapter.set_head("masked_language_model")
    for masking, message in (({}, "mask_token"), ({"mask_token": 1, "mlm_probability": 2}, "mlm_probability")):
        with pytest.raises(graft.GraftError, match=message):
            graft.Trainer(model, adapter, masking=masking)
    with graft.Trainer(model, adapter) as trainer, pytest.raises(graft.GraftError, match="token_labels"):
        trainer.fit(graft.Dataset.from_texts(tokenizer, TEXTS), progress=False)


def test_choices_and_rankings_are_learned(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    questions = ["what swims", "what sings", "what barks"] * 4
    choices = [["the fish", "the bird"], ["the fish", "the bird", "the stone"], ["the dog", "the fish"]] * 4
    chosen = graft.Dataset.from_choices(tokenizer, questions, choices, [0, 1, 0] * 4)
    adapter = graft.Adapter.create(model, "lora", {"r": 8})
    adapter.set_head("multiple_choice", dense_layer=True)
    with graft.Trainer(model, adapter, metric="accuracy", epoch_count=30, learning_rate=5e-3) as trainer:
        trainer.fit(chosen, progress=False)
        assert trainer.evaluate(chosen).accuracy == 1
    with graft.Session(model, tokenizer, adapter) as session:
        scores = session.score(questions[:3], choices[:3])
    assert [max(range(len(own)), key=own.__getitem__) for own in scores] == [0, 1, 0]

    targets = [[1, 0], [0, 2, 1], [3, 0]] * 4
    ranked = graft.Dataset.from_rankings(tokenizer, questions, choices, targets)
    for loss in ("list_net", "rank_net"):
        adapter = graft.Adapter.create(model, "lora", {"r": 8})
        adapter.set_head("regression", ["score"], dense_layer=True)
        with graft.Trainer(model, adapter, loss=loss, epoch_count=30, learning_rate=5e-3) as trainer:
            trainer.fit(ranked, progress=False)
            assert trainer.evaluate(ranked).ndcg > 0.99, loss

    with pytest.raises(graft.GraftError, match=r"right\[0\]: expected 0 to 1"):
        graft.Dataset.from_choices(tokenizer, questions[:1], choices[:1], [2])
    with pytest.raises(graft.GraftError, match=r"targets\[0\]: expected 2, one for each candidate; found 3"):
        # As many in all, and of other queries.
        graft.Dataset.from_rankings(tokenizer, questions[:2], choices[:2], [[1, 0, 2], [0, 1]])
    with pytest.raises(graft.GraftError, match="expected one or more"):
        graft.Dataset.from_rankings(tokenizer, ["q"], [[]], [[]])
