"""Measures of given numbers, intervals, comparisons, and what is published."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from typing import Any
from pathlib import Path

import numpy
import pandas
import pytest
from conftest import SHARED

import graft
from graft import evaluation

TRUTH = ["a", "b", "c", "a", "b", "a"]
CHOSEN = ["a", "b", "a", "a", "c", "a"]


def test_labels_of_any_kind() -> None:
    found = evaluation.labels(TRUTH, CHOSEN)
    assert found.accuracy == pytest.approx(4 / 6) and found.labels == ["a", "b", "c"]
    assert found.macro_f1 == pytest.approx((6 / 7 + 2 / 3) / 3)
    assert found.confusion == [[3, 0, 0], [0, 1, 1], [1, 0, 0]]
    assert found.table("labels")[0] == [0.75, 1, pytest.approx(6 / 7), 3]
    numbers = numpy.array(["abc".index(label) for label in TRUTH])
    others = pandas.Series(["abc".index(label) for label in CHOSEN])
    assert evaluation.labels(numbers, others).values == found.values
    halves = evaluation.labels(TRUTH, CHOSEN, weights=[1, 1, 0, 1, 0, 1])
    assert halves.accuracy == 1 and "on 6 rows" in str(halves)


def test_scores_curves_and_thresholds() -> None:
    truth, scores = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    found = evaluation.scores(truth, scores)
    assert found.roc_auc == 0.75 and found.average_precision == pytest.approx(0.8333333333333333)
    assert found.best_f1_threshold == 0.35 and found.best_f1 == 0.8
    assert found.table("roc") == [[0, 0, math.inf], [0, 0.5, 0.8], [0.5, 0.5, 0.4], [0.5, 1, 0.35], [1, 1, 0.1]]
    curve = found.table("precision_recall")
    assert curve[:2] == [[0.5, 1, 0.1], [pytest.approx(2 / 3), 1, 0.35]] and curve[-1][:2] == [1, 0]
    assert evaluation.scores(truth, numpy.stack([1 - numpy.array(scores), scores], 1)).roc_auc == 0.75
    assert evaluation.scores(truth, scores, threshold=0.3).accuracy == 0.75
    assert math.isnan(evaluation.scores([1, 1], [0.2, 0.3], label_names=[0, 1]).roc_auc)
    sets = evaluation.label_sets([[1, 0], [1, 1]], [[0.9, 0.6], [0.7, 0.8]])
    assert sets.exact_match == 0.5 and sets.micro_f1 == pytest.approx(6 / 7)
    each = evaluation.label_sets([[1, 0], [1, 1]], [[0.9, 0.6], [0.7, 0.8]], threshold=numpy.float32([0.5, 0.7]))
    assert each.exact_match == 1 and each.macro_f1 == 1


def test_values_tags_answers_and_rankings() -> None:
    assert evaluation.values([1, 2, 3], [1, 2, 5]).mse == pytest.approx(4 / 3)
    assert evaluation.values([[1, 2], [3, 5]], [[1, 2], [3, 5]]).r2 == 1
    tags = evaluation.tags([["B-PER", "I-PER", "O"], ["B-LOC"]], [["B-PER", "I-PER", "O"], ["O"]])
    assert tags.entity_f1 == pytest.approx(2 / 3) and tags.entity_precision == 1
    answers = evaluation.answers(["The tower", ""], [["tower"], []])
    assert answers.exact_match == 1 and answers.no_answer_f1 == 1
    assert evaluation.rankings([[0, 1], [1, 0]], [[0.2, 0.1], [0.9, 0.1]], k=1).mrr == 0.75


def test_a_threshold_that_is_no_better_than_no_answers_is_said() -> None:
    """The figures stay those of the script, whose scores are probabilities."""
    accepted: list[list[str]] = [["one"], [], ["two"], []]
    with pytest.warns(UserWarning, match="than no answers at all, 0.5000: best_f1_threshold is 0, .* -inf answers none"):
        worse = evaluation.answers(["x", "y", "z", "x"], accepted, no_answer_scores=[-3, -2, -1, 4])
    assert (worse.best_f1, worse.best_f1_threshold) == (0.5, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        better = evaluation.answers(["one", "y", "z", "x"], accepted, no_answer_scores=[-3, -2, -1, 4])
        assert (better.best_f1, better.best_f1_threshold) == (0.75, -3)
        # Nothing is answered at 0; nothing can be answered; nothing has no answer.
        for texts, scores, known in (
            (["x", "y", "z", "x"], [0.1, 0.2, 0.3, 0.4], accepted),
            ([""] * 4, [-3, -2, -1, 4], accepted),
            (["x", "y", "z", "x"], [-3, -2, -1, 4], [["one"]] * 4),
        ):
            assert evaluation.answers(texts, known, no_answer_scores=scores).best_f1_threshold == 0


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(graft.GraftError, match="truth has 6 and chosen has 1"):
        evaluation.labels(TRUTH, ["a"])
    with pytest.raises(graft.GraftError, match="label 'c' is not among a, b"):
        evaluation.labels(TRUTH, CHOSEN, label_names=["a", "b"])
    with pytest.raises(graft.GraftError, match="rows has 2 and weights has 1"):
        evaluation.values([1, 2], [1, 2], weights=[1])
    with pytest.raises(graft.GraftError, match="scores: found 3 a row, and 2 labels"):
        evaluation.scores([0, 1], [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    with pytest.raises(graft.GraftError, match="as many numbers in each row, found 1, 2"):
        evaluation.values([[1, 2], [3]], [[1, 2], [3, 4]])
    wrong: list[tuple[Any, str]] = [
        ([0.5, 0.5, 0.5], "threshold: expected 2, one for each label; found 3"),
        ([0.5, "x"], r"threshold\[1\]: expected a number, found 'x'"),
        ([0.5, 1.5], r"threshold\[1\]: expected 0 to 1, found 1.5"),
    ]
    for threshold, words in wrong:
        with pytest.raises(graft.GraftError, match=words):
            evaluation.label_sets([[1, 0]], [[0.9, 0.6]], threshold=threshold)
    with pytest.raises(graft.GraftError, match=r"scores\[1\] is nan"):
        evaluation.scores([0, 1], [0.1, math.nan])
    with pytest.raises(graft.GraftError, match="expected a row at least"):
        evaluation.labels([], [], label_names=["a", "b"])
    with pytest.raises(TypeError, match="values"):
        evaluation.values([1, 2], ["x", "y"])
    huge = numpy.array([[1, 2], [3, 10**400]], object)
    for given in (huge, huge.tolist()):
        with pytest.raises(graft.GraftError, match=r"values\[1\]: 10{59} is out of range"):
            evaluation.values([[1, 2], [3, 4]], given)


def test_intervals_and_comparisons() -> None:
    truth = TRUTH * 20
    one, other = evaluation.labels(truth, CHOSEN * 20), evaluation.labels(truth, ["a"] * 120)
    interval = one.interval("macro_f1", resamples=500, seed=3)
    assert interval.low < interval.value < interval.high and interval == one.interval("macro_f1", resamples=500, seed=3)
    found = one.compare(other, "macro_f1", resamples=500)
    assert found.gain == found.difference > 0 and found.p_value < 0.01 and math.isnan(found.low)
    paired = one.compare(other, "macro_f1", test="bootstrap", resamples=500)
    assert 0 < paired.low < paired.difference < paired.high
    assert one.compare(other, "accuracy", test="mcnemar").p_value < 0.01
    kept = pickle.loads(pickle.dumps(one))
    assert kept.values == one.values and copy.copy(one).accuracy == one.accuracy
    with pytest.raises(graft.GraftError, match="was copied"):
        kept.interval("accuracy")


def test_an_adapter_is_published_only_if_it_is_better(
    model: graft.Model, tokenizer: graft.Tokenizer, tmp_path: Path
) -> None:
    texts = [f"{word} {number}" for number in range(20) for word in ("thanks", "terrible", "when")]
    path, labels = tmp_path / "adapter", ["thanks", "complaint", "question"]
    rows = graft.Dataset(tokenizer, texts, labels * 20, label_names=labels)

    def trainer(steps: int) -> graft.Trainer:
        adapter = graft.Adapter.create(model, seed=5)
        adapter.set_head(labels=labels)
        made = graft.Trainer(model, adapter, epoch_count=4, learning_rate=5e-3)
        if steps:
            made.fit(rows, progress=False)
        return made

    first = trainer(0).save_if_better(path, rows, "macro_f1")
    assert first.saved and first.old is None and path.is_dir()
    written = (path / "adapter_model.safetensors").read_bytes()
    same = trainer(0).save_if_better(path, rows, "macro_f1", resamples=99)
    assert not same.saved and "no better" in same.reason
    assert (path / "adapter_model.safetensors").read_bytes() == written
    better = trainer(4).save_if_better(path, rows, "accuracy", test="mcnemar")
    assert better.saved and better.comparison is not None and better.comparison.gain > 0, better.reason
    assert (path / "adapter_model.safetensors").read_bytes() != written
    with pytest.raises(graft.GraftError, match="measure: expected one of accuracy"):
        trainer(0).save_if_better(path, rows, "loss")
    labels = ["thanks", "complaint"]
    rows = graft.Dataset(tokenizer, texts[:2], labels, label_names=labels)
    with pytest.raises(graft.GraftError, match="thanks, complaint, question; the adapter is for"):
        trainer(0).save_if_better(path, rows, "accuracy")


def test_an_adapter_of_any_task_is_published(tmp_path: Path) -> None:
    """Of a loss that is not the task's own, and by what its texts are worth."""
    model, tokenizer = (made(SHARED / "models" / "bert-tiny-splade") for made in (graft.Model, graft.Tokenizer))
    texts = [f"the {word} {thing} is here" for word in ("red", "blue", "old", "new") for thing in ("ball", "car", "dog")]
    pairs = graft.Dataset.from_groups(tokenizer, [[text, text[4:]] for text in texts], targets=range(12))
    candidates = [["nothing", text[4:]] for text in texts]
    ranked = graft.Dataset.from_rankings(tokenizer, texts, candidates, [[0, 1]] * 12)
    for task, rows, loss, measure in (
        ("sentence_embedding", pairs, "cosine_similarity", "spearman"),
        ("regression", ranked, "list_net", "mrr"),
    ):
        adapter = graft.Adapter.create(model)
        adapter.set_head(task, pooling="mean" if task == "regression" else None)
        with graft.Trainer(model, adapter, loss=loss, epoch_count=1) as trainer:
            assert trainer.save_if_better(tmp_path / task, rows, measure).saved
            again = trainer.save_if_better(tmp_path / task, rows, measure, resamples=99)
            assert again.reason.endswith("no better") and again.old is not None
            assert again.old.values == again.new.values
    table = graft.Table({"text": texts})
    adapter = graft.Adapter.create(model, "lora", {"r": 8, "target_modules": "all-linear"})
    adapter.set_head("masked_language_model")
    masking = {"mask_token": tokenizer.mask_token}
    held_out = graft.Dataset.from_table(tokenizer, table, task="masked_language_model", mask_each=True)
    given = {"tokenizer": tokenizer, "asked": {"maximum_length": 16}}
    with graft.Trainer(model, adapter, masking=masking, epoch_count=20, learning_rate=5e-3) as trainer:
        assert trainer.save_if_better(tmp_path / "rows", held_out, "perplexity").saved
        assert trainer.save_if_better(tmp_path / "words", table, "accuracy", **given).saved
        trainer.fit(graft.Dataset.from_texts(tokenizer, texts * 4), progress=False)
        better = trainer.save_if_better(tmp_path / "rows", held_out, "perplexity", resamples=999)
        assert better.saved and better.new.perplexity < better.old.perplexity
        assert better.comparison.p_value < 0.01 and better.comparison.gain > 0
        better = trainer.save_if_better(tmp_path / "words", table, "accuracy", **given)
        assert better.saved and "better, p 0.0" in better.reason
        with pytest.raises(graft.GraftError, match='measure "perplexity"'):
            trainer.save_if_better(tmp_path / "words", table, "perplexity", **given)

        def measured(own: graft.Adapter) -> graft.Evaluation:
            return graft.Predictions.of(model, tokenizer, own, table, maximum_length=16).evaluation

        again = trainer.save_if_better(tmp_path / "words", measured, "accuracy")
        assert again.new.values == better.new.values and again.reason.endswith("no better")
        with pytest.raises(graft.InvalidArgumentError, match="tokenizer: expected that of the model"):
            trainer.save_if_better(tmp_path / "words", table, "accuracy")
        with pytest.raises(TypeError, match="dataset: expected a Dataset, a Table or what measures an adapter, found list"):
            trainer.save_if_better(tmp_path / "words", texts, "accuracy")  # type: ignore[arg-type]


def test_a_language_model_is_measured_row_by_row() -> None:
    model, tokenizer = (made(SHARED / "models" / "stories260K" / "hf") for made in (graft.Model, graft.Tokenizer))
    texts = ["Once upon a time, there was a little girl.", "Tom", "The dog ran to the big red ball and the cat."]
    adapter = graft.Adapter.create(model, "lora", {"r": 4, "target_modules": "all-linear"})
    adapter.set_head("language_model")
    with graft.Trainer(model, adapter) as trainer:

        def measured(own: list[str]) -> graft.Evaluation:
            ends = model.end_tokens[:1]
            return trainer.evaluate(graft.Dataset.from_prompts(tokenizer, [""] * len(own), own, end_tokens=ends))

        found, parts = measured(texts), [measured([text]) for text in texts]
    assert found.perplexity == pytest.approx(math.exp(found.loss), rel=1e-12)
    for (accuracy, loss), part in zip(found.table("rows"), parts, strict=True):
        assert loss == pytest.approx(part.loss, rel=1e-5) and accuracy == pytest.approx(part.accuracy)
    # What ends a text is predicted, and its first token is not.
    sizes = [len(tokenizer.encode(f" {text}").ids) for text in texts]
    weighted = sum(size * part.loss for size, part in zip(sizes, parts)) / sum(sizes)
    assert found.loss == pytest.approx(weighted, rel=1e-5)
    sure = found.interval("perplexity", resamples=999)
    assert sure.low < found.perplexity < sure.high
    assert math.exp(min(part.loss for part in parts)) <= sure.low
    same = found.compare(found, "perplexity", resamples=99)
    assert same.difference == 0 and same.p_value == 1


def test_a_language_model_is_published_by_what_it_writes_and_by_what_it_prefers(tmp_path: Path) -> None:
    model, tokenizer = (made(SHARED / "models" / "stories260K" / "hf") for made in (graft.Model, graft.Tokenizer))
    prompts = [f"The {word} {thing}" for word in ("red", "blue", "old") for thing in ("ball", "car", "dog")]
    table = graft.Table({"prompt": prompts, "completion": ["is over there."] * 9})
    pairs = graft.Table({"prompt": prompts, "chosen": ["is over there."] * 9, "rejected": ["was sad."] * 9})
    ends = model.end_tokens[:1]
    adapter = graft.Adapter.create(model)
    adapter.set_head("language_model")
    with graft.Trainer(model, adapter, epoch_count=12, learning_rate=1e-2) as trainer:
        asked = {"tokenizer": tokenizer, "asked": {"generation": {"maximum_tokens": 8}}}
        assert trainer.save_if_better(tmp_path / "writes", table, "chrf", **asked).saved
        trainer.fit(graft.Dataset.from_table(tokenizer, table, end_tokens=ends), progress=False)
        better = trainer.save_if_better(tmp_path / "writes", table, "chrf", **asked)
        assert better.saved and better.new.chrf > 60, better.reason
    rows = graft.Dataset.from_table(tokenizer, pairs, end_tokens=ends)
    with graft.Trainer(model, adapter, loss="dpo", epoch_count=4) as trainer:
        assert trainer.save_if_better(tmp_path / "prefers", rows, "rewards_margins").saved
        trainer.fit(rows, progress=False)
        better = trainer.save_if_better(tmp_path / "prefers", rows, "rewards_margins")
        assert better.saved and better.comparison is not None and better.comparison.gain > 0, better.reason
        assert not trainer.save_if_better(tmp_path / "prefers", pairs, "rewards_margins", tokenizer=tokenizer).saved


def test_labels_that_are_none_are_refused() -> None:
    for measure in (graft.evaluation.labels, graft.evaluation.scores):
        with pytest.raises(graft.InvalidArgumentError, match="truth.*: there is nothing to measure: expected a row"):
            measure([], [])
        for missing in (None, math.nan):
            with pytest.raises(graft.InvalidArgumentError, match="truth.*: expected labels, found a missing value"):
                measure([1, missing], [1, 1])
        with pytest.raises(TypeError, match="truth.*: expected labels of one type, found int, str"):
            measure([1, "a"], [1, 1])
    with pytest.raises(TypeError, match="tags: expected labels of one type, found int, str"):
        graft.evaluation.tags([["O", 1]], [["O", "O"]])
