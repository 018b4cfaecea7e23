"""Estimators of the tasks that have no label or number of each text."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import pandas
import pytest
from conftest import SHARED
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import graft

TINY = SHARED / "models" / "bert-tiny-splade"
QUESTIONS = ["what swims", "what sings", "what barks"] * 4
CHOICES = [["the fish", "the bird"], ["the fish", "the bird", "the stone"], ["the dog", "the fish"]] * 4
PAIRS = list(zip(QUESTIONS, CHOICES))
QUICK: dict[str, Any] = {"epoch_count": 30, "learning_rate": 5e-3}


def test_choices_are_picked() -> None:
    chooser = graft.ChoiceClassifier(TINY, **QUICK).fit(PAIRS, [0, "B", "the dog"] * 4)
    assert chooser.predict(PAIRS[:3]).tolist() == [0, 1, 0] and chooser.score(PAIRS, [0, 1, 0] * 4) == 1
    shares = chooser.predict_proba(PAIRS[:3])
    assert list(map(len, shares)) == [2, 3, 2] and all(math.isclose(sum(own), 1) for own in shares)
    again = pickle.loads(pickle.dumps(chooser))
    assert again.predict_proba(PAIRS[:3]) == shares
    assert cross_val_score(clone(chooser).set_params(epoch_count=1), PAIRS, [0, 1, 0] * 4, cv=2).shape == (2,)


def test_a_column_of_a_table_is_a_value_of_each_row() -> None:
    right, settings = [0, 1, 0] * 4, {"epoch_count": 1}
    chooser = graft.ChoiceClassifier(TINY, **settings).fit(PAIRS, right)
    column = pandas.DataFrame({"right": right})
    assert graft.ChoiceClassifier(TINY, **settings).fit(PAIRS, column).predict_proba(PAIRS) == chooser.predict_proba(PAIRS)
    assert chooser.score(PAIRS, column) == chooser.score(PAIRS, right)
    writer = graft.TextGenerator(SHARED / "models" / "gpt2-tiny", maximum_tokens=2, **settings)
    texts = pandas.DataFrame({"text": ["b", "d"]})
    assert writer.fit(["a", "c"], texts).score(["a", "c"], texts) == writer.score(["a", "c"], ["b", "d"])


def test_candidates_are_ranked() -> None:
    relevance = [[1, 0], [0, 2, 1], [3, 0]] * 4
    for loss in ("list_net", "rank_net"):
        ranker = graft.Ranker(TINY, loss=loss, **QUICK).fit(PAIRS, relevance)
        assert ranker.score(PAIRS, relevance) > 0.99 and list(map(len, ranker.predict(PAIRS[:2]))) == [2, 3]
    assert ranker.evaluate(PAIRS, relevance).values["mrr"] == 1


def test_masks_are_filled_as_in_the_domain() -> None:
    texts = ["the cat sat on the mat", "the dog lay on the rug", "a bird sang in the tree", "the fish swam in the sea"] * 4
    filler = graft.MaskFiller(TINY, config={"r": 8}, early_stopping=True, validation_fraction=0.25, epoch_count=15, learning_rate=5e-3)  # fmt: skip
    before = graft.MaskFiller(TINY, epoch_count=1, learning_rate=1e-9).fit(texts).score(texts[:4])
    assert filler.fit(texts).score(texts[:4]) > before + math.log(2)
    assert list(map(len, filler.predict(["the [MASK] sat on the [MASK]", "no mask"]))) == [2, 0]
    assert len(filler.predict_best(["the [MASK] sat"], 3)[0][0]) == 3 and filler.metrics_.evaluation is not None


def test_labels_of_words_follow_each_other() -> None:
    table = graft.Table.read(SHARED / "data" / "wnut17" / "wnut17train.conll").take(range(80))
    words, tags = table["words"], table["tags"]
    tagger = graft.TokenClassifier(TINY, crf=True, **QUICK).fit(words, tags)
    found = tagger.predict(words)
    assert list(map(len, found)) == list(map(len, words)) and tagger.score(words, tags) > 0
    files = tagger.adapter_.to_files()
    assert b'"crf": true' in files["adapter_config.json"] and b"crf.transitions" in files["adapter_model.safetensors"]
    assert pickle.loads(pickle.dumps(tagger)).predict(words) == found
    # What an evaluation measures are the labels that are predicted.
    right = [own == truth for row, wanted in zip(found, tags) for own, truth in zip(row, wanted)]
    base = graft.Model(TINY)
    with graft.Adapter.from_files(base, files) as adapter, graft.Trainer(base, adapter) as trainer:
        rows = graft.Dataset.from_words(graft.Tokenizer(TINY), words, tags, label_names=adapter.labels)
        assert trainer.evaluate(rows).values["accuracy"] == pytest.approx(sum(right) / len(right), abs=0.01)
    assert len(tagger.predict(["Bo lives in Oslo", ""])) == 2
    with pytest.raises(graft.GraftError, match="stride"):
        tagger.set_params(stride=-1).predict(words)
    for changes, message in (({"stride": -1}, "stride"), ({"stride": 0, "all_pieces": True}, "all_pieces: with crf"), ({"trainer_settings": {"label_smoothing": 0.1}}, "label_smoothing: the head has a crf")):  # fmt: skip
        with pytest.raises(graft.GraftError, match=message):
            clone(tagger).set_params(**changes).fit(words, tags)
    with pytest.raises(graft.GraftError, match="crf: the task sequence_classification"):
        graft.Adapter.create(base).set_head(labels=["a", "b"], crf=True)


def test_texts_are_written() -> None:
    sources = ["Graft is ready.", "Where is Graft?", "I like Graft."]
    targets = ["O Enxerto está pronto.", "Onde está o Enxerto?", "Gosto do Enxerto."]
    writer = graft.TextGenerator(SHARED / "models" / "marian-enpt", epoch_count=30, learning_rate=5e-3, measure="bleu")
    assert writer.fit(sources, targets).predict(sources[:1]) == targets[:1]
    assert writer.score(sources, targets) == pytest.approx(100) and writer.evaluate(sources, targets).values["rouge2"] > 0.9
    with pytest.raises(graft.GraftError, match="measure: expected one of bleu, chrf"):
        writer.set_params(measure="f1").score(sources, targets)


def test_prompts_are_answered(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).symlink_to(SHARED / "models" / "stories260K" / "hf" / name)
    (folder / "generation_config.json").write_text('{"eos_token_id": 1}')
    prompts, answers = ["Where is the dog?", "Who is sad?"], ["In the park.", "Lily is sad."]
    teller = graft.TextGenerator(folder, epoch_count=60, learning_rate=5e-3).fit(prompts, answers)
    assert teller.predict(prompts) == answers


@pytest.mark.parametrize(
    ("make", "X", "y", "message"),
    [
        (graft.ChoiceClassifier, [], [], "X: expected texts with candidates; found 0 samples"),
        (graft.ChoiceClassifier, ["a"], [0], r"X\[0\]: expected a text and a list of candidates; found 'a'"),
        (graft.ChoiceClassifier, [("a", ["b"])], [2], "row 0: right: expected 0 to 0, found 2"),
        (graft.ChoiceClassifier, [("a", ["b"])], [], "y: expected 1, one for each row of X; found 0"),
        (graft.Ranker, [("a", ["b", "c"])], [[1]], "relevance: expected 2, one for each candidate; found 1"),
        (graft.Ranker, [("a", ["b", "c"])], [[1, math.nan]], r"relevance: missing \(NaN\)"),
        (graft.MaskFiller, [("a", "b")], None, "X: expected texts; found pairs"),
        (graft.MaskFiller, [""], None, "row 0: text: empty"),
        (graft.TextGenerator, ["a"], None, "y: fit requires y to be passed"),
        (graft.TextGenerator, ["a"], [""], "no encoder|completion: empty"),
    ],
)
def test_what_cannot_be_learned_is_refused(make: Any, X: Any, y: Any, message: str) -> None:
    with pytest.raises(graft.GraftError, match=message):
        make(TINY).fit(X, y)
