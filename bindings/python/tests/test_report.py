"""Pages about trainings: what is on them, whatever the texts are."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy
import pytest
from conftest import LABELS, ROOT, SHARED, TEXTS
from report_pages import Page, checked

import graft
from graft.reports import curves, mistakes, thinning, weights
from graft.reports.markup import quoted, shortened, tag
from graft.reports.numbers import shown, tick

TINY = SHARED / "models" / "bert-tiny-splade"
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)> \"quoted\" & 'single' </style><!--"


def classified(count: int = 300, texts: list[str] | None = None) -> graft.Predictions:
    """Three labels, of which the first two are taken for each other."""
    rows = random.Random(0)
    truth = [rows.choice(LABELS) for _ in range(count)]
    given = []
    for label in truth:
        scores = [math.exp(rows.gauss(1.5 if label == own else 0, 1)) for own in LABELS]
        given.append([score / sum(scores) for score in scores])
    return graft.Predictions(truth, given, labels=LABELS, texts=texts or [f"text {row}" for row in range(count)])


@pytest.fixture(scope="module")
def history(model: graft.Model, tokenizer: graft.Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a short training."""
    path = tmp_path_factory.mktemp("history") / "training.jsonl"
    rows = graft.Dataset(tokenizer, TEXTS, [0, 0, 1, 1, 2, 2], label_names=LABELS)
    with graft.Adapter.create(model, "lora", {"r": 2, "target_modules": None}) as adapter:
        adapter.set_head(labels=LABELS)
        log = graft.JsonLog(path)
        with graft.Trainer(model, adapter, rows_per_batch=3, epoch_count=3, callbacks=[log]) as trainer:
            trainer.fit(rows, rows, progress=False)
    return path


def test_a_classifiers_page_has_all_that_is_known(history: Path, trained: graft.Adapter) -> None:
    predictions = classified()
    page = checked(graft.report(predictions=predictions, history=history, adapter=trained))
    assert page.sections == [
        "measures", "labels", "probabilities", "mistakes", "lengths", "training", "adapter", "recipe"
    ]  # fmt: skip
    for name in ("accuracy", "macro_f1", "roc_auc"):
        assert shown(getattr(predictions.evaluation, name)) in page.text
    error = curves.reliability(predictions)
    assert error is not None and f"Expected calibration error: {shown(error.error)}" in page.text
    for name in ("Loss", "Learning rate", "Confusion matrix", "ROC", "Precision and recall", "Reliability", "Length"):
        assert ("strong", name) in page.words
    assert "learning_rate" in page.text and "lora_alpha" in page.text and graft.__version__ in page.text
    worst = max(
        (max(scores), row)
        for row, (truth, scores) in enumerate(zip(predictions.truth, predictions.predicted))
        if LABELS[scores.index(max(scores))] != truth
    )
    assert f"text {worst[1]}" in page.text and shown(worst[0]) in page.text


def test_the_intervals_are_the_evaluations() -> None:
    predictions = classified()
    interval = predictions.evaluation.interval("accuracy", resamples=1000)
    page = checked(graft.report(predictions=predictions))
    assert f"95 %: {shown(interval.low)} to {shown(interval.high)}" in page.text


def test_the_same_things_give_the_same_bytes(tmp_path: Path) -> None:
    one = graft.report(tmp_path / "report.html", predictions=classified())
    assert (tmp_path / "report.html").read_text("utf-8") == one.html == graft.report(predictions=classified()).html


def test_texts_stay_texts() -> None:
    texts = [EVIL, "这家餐厅的服务很差。", "שלום (עולם)", "bell \x07 null \x00 turn \u202egnp.exe", "half \ud800 pair", "👩‍👧"]
    labels = [EVIL, "מילה", "标签"]
    wrong = [[0.1, 0.2, 0.7], [0.9, 0.1, 0], [0, 1, 0]] * 2
    truth = [labels[0], labels[1], labels[2]] * 2
    report = graft.report(predictions=graft.Predictions(truth, wrong, labels=labels, texts=texts), title=EVIL)
    page = checked(report)
    assert page.text.count(EVIL) >= 2
    for text in ("这家餐厅的服务很差。", "שלום (עולם)", "👩‍👧", "U+202E", "U+0000", "U+D800"):
        assert text in page.text
    assert not set(report.html) & set("\u202e\x00\x07\ud800")
    report.html.encode()


def test_long_texts_are_cut() -> None:
    page = Page(quoted("word " * 1000))
    assert len(page.text) < 500 and "4,600 characters more" in page.text
    assert shortened("标签" * 20, 10) == "标签标…签" and shortened("short") == "short"
    assert shortened("a rather long name of label 17") == "a rather long…abel 17"


def test_no_attribute_ends_early() -> None:
    assert Page(tag("p", "x", title=EVIL)).all("p") == [{"title": EVIL}]


@pytest.mark.parametrize("given", ["list", "array", "matrix"])
def test_probabilities_of_the_second_label_are_enough(given: str) -> None:
    truth, scores = ["ham", "spam", "ham", "spam"], [0.2, 0.7, 0.4, 0.45]
    predicted: Any = {
        "list": scores,
        "array": numpy.array(scores),
        "matrix": numpy.array([[1 - score, score] for score in scores]),
    }[given]
    predictions = graft.Predictions(truth, predicted, labels=["ham", "spam"])
    assert predictions.chosen() == [0, 1, 0, 0] and predictions.evaluation.accuracy == 0.75
    page = checked(graft.report(predictions=predictions))
    assert "lengths" not in page.sections and "mistakes" in page.sections


def test_an_evaluation_is_enough() -> None:
    evaluation = graft.evaluation.scores([0, 1, 1, 0, 1], [0.1, 0.8, 0.35, 0.3, 0.6])
    page = checked(graft.report(evaluation=evaluation))
    assert page.sections == ["measures", "labels", "probabilities", "recipe"]
    bare = graft.Evaluation({"accuracy": 0.5}, 10)
    assert "no intervals" in checked(graft.report(evaluation=bare)).text


def test_several_labels_of_a_row() -> None:
    rows = random.Random(1)
    labels = ["time", "manner", "price"]
    truth = [[label for label in labels if rows.random() < 0.4] for _ in range(80)]
    given = [[min(1.0, max(0.0, rows.gauss(0.8 if label in own else 0.2, 0.3))) for label in labels] for own in truth]
    predictions = graft.Predictions(truth, given, task="multi_label_classification", labels=labels, texts=["x"] * 80)
    page = checked(graft.report(predictions=predictions))
    assert page.sections == ["measures", "labels", "probabilities", "mistakes", "lengths", "recipe"]
    assert shown(predictions.evaluation.exact_match) in page.text


@pytest.mark.parametrize("count", [60, 5000])
def test_numbers(count: int) -> None:
    rows = random.Random(2)
    truth = [rows.uniform(0, 5) for _ in range(count)]
    predictions = graft.Predictions(truth, [value + rows.gauss(0, 0.4) for value in truth], task="regression")
    report = graft.report(predictions=predictions)
    page = checked(report)
    assert page.sections == ["measures", "values", "mistakes", "recipe"]
    assert len(report.html) < 200_000


def test_tags_and_entities() -> None:
    truth = [["B-PER", "O", "B-LOC"], ["O", "O"], ["B-LOC", "I-LOC"]]
    found = [["B-PER", "O", "O"], ["O", "O"], ["B-PER", "I-PER"]]
    texts = ["Anna likes Graz", "Rain fell", "New York"]
    predictions = graft.Predictions(truth, found, task="token_classification", texts=texts)
    page = checked(graft.report(predictions=predictions))
    assert "F1 of each type of entity" in page.text and shown(predictions.evaluation.entity_f1) in page.text
    assert "LOC: New York" in page.text and "PER: New York" in page.text
    assert page.text.index("LOC: New York") < page.text.index("LOC: Graz")


def test_only_right_rows_have_no_mistakes() -> None:
    predictions = graft.Predictions(["a", "b"], [[1, 0], [0, 1]], labels=["a", "b"], texts=["one", "two"])
    assert "mistakes" not in checked(graft.report(predictions=predictions)).sections


def test_labels_may_be_numbers_and_values_missing() -> None:
    predictions = graft.Predictions(numpy.array([0, 1, 1]), [0.2, 0.7, 0.4], labels=[0, 1])
    assert math.isclose(predictions.evaluation.accuracy, 2 / 3)
    broken = graft.Predictions([1.0, 2.0, 3.0], [1.0, math.nan, 2.0], task="regression")
    with pytest.raises(graft.GraftError, match="nan"):
        graft.report(predictions=broken)


def test_one_label_only_has_no_curves() -> None:
    predictions = graft.Predictions(["a", "a"], [[0.9, 0.1], [0.4, 0.6]], labels=["a", "b"])
    page = checked(graft.report(predictions=predictions))
    assert ("strong", "Reliability") in page.words and ("strong", "ROC") not in page.words


def test_many_labels_make_a_page_that_can_be_read() -> None:
    names = [f"label {number}" for number in range(150)]
    rows = random.Random(3)
    truth = [rows.choice(names) for _ in range(2000)]
    chosen = [name if rows.random() < 0.8 else rows.choice(names) for name in truth]
    report = graft.report(evaluation=graft.evaluation.labels(truth, chosen, label_names=names))
    assert "Of 150 labels those 24 with most mistakes are shown." in checked(report).text
    assert len(report.html) < 250_000


def test_thinned_curves_look_the_same() -> None:
    rows = random.Random(4)
    walk, points = 0.0, []
    for step in range(50_000):
        walk += rows.gauss(0, 1)
        points.append((float(step), walk))
    points[31_415] = (31_415.0, 900.0)
    kept = thinning.thinned(points)
    assert points[31_415] in kept and kept[0] == points[0] and kept[-1] == points[-1]
    xs, ys = zip(*points)
    height = max(ys) - min(ys)
    drawn = numpy.interp(xs, *zip(*kept))
    # Within the width of a column of the picture, every height that was there is there still.
    columns = numpy.arange(len(xs)) * 500 // len(xs)
    for reduce in (numpy.maximum, numpy.minimum):
        starts = numpy.flatnonzero(numpy.diff(columns, prepend=-1))
        assert abs(reduce.reduceat(ys, starts) - reduce.reduceat(drawn, starts)).max() < 0.02 * height
    assert len(kept) < 5000


def test_a_smooth_curve_needs_few_points() -> None:
    points = [(x / 100_000, (x / 100_000) ** 0.3) for x in range(100_001)]
    kept = thinning.thinned(points)
    given, corners = numpy.array(points[::7]), numpy.array(kept)
    nearest = numpy.full(len(given), numpy.inf)
    for start, end in zip(corners, corners[1:]):
        part = numpy.clip((given - start) @ (end - start) / ((end - start) ** 2).sum(), 0, 1)
        distances = numpy.hypot(*(given - start - part[:, None] * (end - start)).T)
        nearest = numpy.minimum(nearest, distances)
    assert len(kept) < 100 and nearest.max() < 0.002


def test_a_large_evaluation_makes_a_small_page() -> None:
    generator = numpy.random.default_rng(5)
    truth = generator.integers(0, 2, 60_000)
    scores = 1 / (1 + numpy.exp(-generator.normal(2.0 * truth - 1, 1.5)))
    evaluation = graft.evaluation.scores(truth, scores)
    (curve,) = curves.roc(evaluation)
    x, y = zip(*curve.points)
    area = sum((after - before) * (low + high) / 2 for before, after, low, high in zip(x, x[1:], y, y[1:]))
    assert abs(area - evaluation.roc_auc) < 0.002
    assert len(graft.report(evaluation=evaluation).html) < 100_000


def test_the_average_precision_is_the_area_that_is_drawn() -> None:
    predictions = classified(4000)
    for label, curve in enumerate(curves.precision_recall(predictions)):
        x, y = zip(*curve.points)
        area = sum((before - after) * (low + high) / 2 for before, after, low, high in zip(x, x[1:], y, y[1:]))
        assert abs(area - curve.area) < 0.005, label


def test_the_calibration_error_is_that_of_the_bins() -> None:
    # Half of the predictions at 0.95 are right, all of those at 0.65 are.
    given = [[0.95, 0.05]] * 4 + [[0.65, 0.35]] * 4
    truth = ["a", "a", "b", "b", "a", "a", "a", "a"]
    found = curves.reliability(graft.Predictions(truth, given, labels=["a", "b"]))
    assert found is not None and math.isclose(found.error, (0.45 + 0.35) / 2)
    assert sum(own.size for own in found.bins) == 8


def test_weights_and_gradients(model: graft.Model, trained: graft.Adapter, dataset: graft.Dataset) -> None:
    found = weights.norms(trained.to_files(), weights.gradient_norms(model, trained, dataset))
    assert sum(math.prod(own.shape) for own in found) == trained.parameter_count
    whole = math.sqrt(sum(own.gradient**2 for own in found))
    with graft.Adapter.from_files(model, trained.to_files()) as copy:
        with graft.Trainer(model, copy, rows_per_batch=6, total_steps=1) as trainer:
            assert math.isclose(whole, trainer.fit(dataset, progress=False).gradient_norm, rel_tol=1e-3)
    first = found[0]
    assert (first.layer, first.module, first.kind) == (0, "attention.self.query", "lora_A")
    page = checked(graft.report(adapter=trained, model=model, gradient_rows=dataset))
    assert page.sections == ["adapter", "recipe"] and ("strong", "lora_A: gradients") in page.words


@pytest.mark.parametrize("method", graft.adapter_methods())
def test_every_methods_weights(method: str, tmp_path: Path) -> None:
    model, tokenizer = graft.Model(TINY), graft.Tokenizer(TINY)
    rows = graft.Dataset(tokenizer, TEXTS, [0, 0, 1, 1, 2, 2], label_names=LABELS)
    with graft.Adapter.create(model, method) as adapter:
        adapter.set_head(labels=LABELS, pooling="mean")
        adapter.save(tmp_path / "adapter")
        page = checked(graft.report(adapter=adapter, model=model, gradient_rows=rows))
        assert "Gradients are not shown" not in page.text
        found = weights.norms(adapter.to_files(), weights.gradient_norms(model, adapter, rows))
    assert all(math.isfinite(own.gradient) for own in found) and any(own.gradient > 0 for own in found)
    assert found and all(own.kind for own in found if own.layer is not None)
    page = checked(graft.report(adapter=tmp_path / "adapter"))
    assert "Gradients need the model" in page.text


def test_gradients_of_adalora_are_of_the_ranks_that_are_kept() -> None:
    model, tokenizer = graft.Model(TINY), graft.Tokenizer(TINY)
    rows = graft.Dataset(tokenizer, TEXTS, [0, 0, 1, 1, 2, 2], label_names=LABELS)
    with graft.Adapter.create(model, "adalora", {"init_r": 4, "target_r": 1}) as adapter:
        adapter.set_head(labels=LABELS, pooling="mean")
        with graft.Trainer(model, adapter, rows_per_batch=3, epoch_count=3) as trainer:
            trainer.fit(rows, progress=False)
        before = adapter.to_files()
        found = weights.norms(before, weights.gradient_norms(model, adapter, rows))
        assert adapter.to_files() == before
    ranks = [own.shape[0] for own in found if own.kind == "lora_E"]
    assert sum(ranks) == len(ranks) < 4 * len(ranks)
    assert all(math.isfinite(own.gradient) for own in found)


def test_what_cannot_be_trained_has_weights_without_gradients() -> None:
    goldens = Path(__file__).parents[3] / "Tests" / "Goldens"
    model = graft.Model(goldens / "bert-tiny" / "sequence-classification")
    with graft.Adapter.load(model, goldens / "adalora" / "without-alpha") as adapter:
        rows = graft.Dataset.from_batch(graft.Batch.from_tokens([[2, 5, 3], [2, 7, 3]], labels=[0, 1]))
        page = checked(graft.report(adapter=adapter, model=model, gradient_rows=rows))
    assert "Gradients are not shown: " in page.text and "lora_alpha is not above 0" in page.text


def test_half_precision_is_read() -> None:
    import json
    import struct

    numbers = [0.5, -2.0, 1.0]
    parts = {"F32": struct.pack("<3f", *numbers), "F16": struct.pack("<3e", *numbers)}
    parts["BF16"] = b"".join(struct.pack("<f", number)[2:] for number in numbers)
    for dtype, content in parts.items():
        header = json.dumps({"x": {"dtype": dtype, "shape": [3], "data_offsets": [0, len(content)]}}).encode()
        file = struct.pack("<Q", len(header)) + header + content
        ((name, shape, read),) = weights.tensors({"a.safetensors": file})
        assert (name, shape, list(read)) == ("x", [3], numbers)
    with pytest.raises(graft.GraftError, match="a.safetensors: expected safetensors"):
        list(weights.tensors({"a.safetensors": b"short"}))


def test_a_table_is_predicted(model: graft.Model, tokenizer: graft.Tokenizer, trained: graft.Adapter) -> None:
    table = graft.Table({"text": TEXTS, "label": [LABELS[row // 2] for row in range(6)]})
    predictions = graft.Predictions.of(model, tokenizer, trained, table)
    assert predictions.evaluation.accuracy == 1 and predictions.labels == LABELS
    assert predictions.lengths is not None and min(predictions.lengths) > 4
    rows = graft.Dataset.from_table(tokenizer, table, label_names=LABELS)
    with graft.Trainer(model, trained) as trainer:
        theirs = trainer.evaluate(rows)
    for name, value in predictions.evaluation.values.items():
        assert name not in theirs.values or math.isclose(theirs.values[name], value, rel_tol=1e-5), name


def test_entities_of_texts_are_those_of_their_characters() -> None:
    model, tokenizer = graft.Model(TINY), graft.Tokenizer(TINY)
    entities = [[graft.Entity("PER", 0, 4, "Anna")], []]
    table = graft.Table({"text": ["Anna lives here", "Rain fell"], "entities": entities})
    with graft.Adapter.create(model) as adapter:
        adapter.set_head("token_classification", ["O", "B-PER", "I-PER"])
        predictions = graft.Predictions.of(model, tokenizer, adapter, table)
    assert predictions.truth[0][:5] == ["B-PER", "I-PER", "I-PER", "I-PER", "O"]
    assert set(predictions.evaluation.values) == {"entity_f1", "entity_precision", "entity_recall", "strict_entity_f1"}
    checked(graft.report(predictions=predictions))


def test_what_is_wrong_is_said(tmp_path: Path, trained: graft.Adapter, dataset: graft.Dataset) -> None:
    with pytest.raises(graft.InvalidArgumentError, match="expected an evaluation, predictions, a history or an adapter"):
        graft.report()
    with pytest.raises(graft.InvalidArgumentError, match="predicted: expected 2, one for each row of truth; found 1"):
        graft.Predictions(["a", "b"], [[1, 0]], labels=["a", "b"])
    with pytest.raises(graft.InvalidArgumentError, match=r"truth\[1\]: label 'c' is not among a, b"):
        graft.Predictions(["a", "c"], [[1, 0], [0, 1]], labels=["a", "b"])
    with pytest.raises(graft.InvalidArgumentError, match=r"predicted\[0\]: expected 2, one for each label; found 3"):
        graft.Predictions(["a"], [[1, 0, 0]], labels=["a", "b"])
    with pytest.raises(graft.InvalidArgumentError, match="task: expected one of"):
        graft.Predictions([1], [1], task="guessing")
    with pytest.raises(graft.InvalidArgumentError, match="truth: expected rows"):
        graft.Predictions([], [], labels=["a", "b"])
    with pytest.raises(graft.InvalidArgumentError, match="gradient_rows: expected the model"):
        graft.report(adapter=trained, gradient_rows=dataset)
    with pytest.raises(graft.GraftError, match="found no adapter_config.json"):
        graft.report(adapter=tmp_path)
    with pytest.raises(graft.GraftError, match="No such file or directory"):
        graft.report(tmp_path / "none" / "report.html", predictions=classified(20))


def test_numbers_are_short() -> None:
    assert [shown(value) for value in (0.91234, 12.3456, 1234.5, 0, -0.5, 1e-5, 2.5e8)] == [
        "0.912", "12.3", "1,234", "0.000", "−0.500", "1.00 × 10⁻⁵", "2.50 × 10⁸"
    ]  # fmt: skip
    assert [tick(value, step) for value, step in ((0.2, 0.2), (1.0, 0.2), (5000, 1000), (0, 1), (2e-5, 1e-5))] == [
        "0.2", "1.0", "5,000", "0", "2×10⁻⁵"
    ]  # fmt: skip


def test_a_notebook_shows_it_in_a_frame() -> None:
    shown_html = graft.report(predictions=classified(20))._repr_html_()
    (frame,) = Page(shown_html).all("iframe")
    assert frame["sandbox"] == "" and (frame["srcdoc"] or "").startswith("<!DOCTYPE html>")


def test_the_style_has_enough_contrast() -> None:
    style = (ROOT / "bindings/python/graft/reports/style.css").read_text()
    light, dark = style.split("prefers-color-scheme: dark")[:2]
    for scheme in (light, dark.split("}")[0]):
        colors = dict(line.strip().rstrip(";").split(": ") for line in scheme.splitlines() if line.strip().startswith("--"))
        for name in ("--ink", "--quiet", "--accent"):
            assert contrast(colors[name], colors["--paper"]) >= 4.5, name
        assert contrast(colors["--on-accent"], colors["--accent"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """As of WCAG 2."""

    def luminance(color: str) -> float:
        parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_answers_are_shown_by_their_length() -> None:
    accepted = [["the red ball", "ball"], ["in the old park near the river bank"], [], ["Lily"], ["two"]]
    found = ["a red apple", "in the park", "nothing", "Lily", ""]
    texts = [f"question {row}\ncontext {row}" for row in range(5)]
    predictions = graft.Predictions(accepted, found, task="question_answering", texts=texts, lengths=range(8, 13), maximum_length=10)
    assert predictions.evaluation.values == graft.evaluation.answers(found, accepted).values
    page = checked(graft.report(predictions=predictions))
    assert page.sections == ["measures", "answers", "mistakes", "lengths", "recipe"]
    assert ("strong", "F1 by the length of the answer") in page.words
    for name in ("no answer", "1 word", "6 to 8 words", "the red ball / ball", "1 − F1", "Has answer F1", "2 (40.0 %) are longer than 10, of which windows have."):
        assert name in page.text
    assert "Lily" not in page.text[page.text.index("Worst mistakes") :]
    chinese = graft.Predictions([["三本书"]], ["三本"], task="question_answering", script="cmrc")
    assert "3 characters" in checked(graft.report(predictions=chinese)).text


def test_vectors_are_shown_beside_judgements(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    columns = {"target": 4, "text": 5, "pair": 6}
    table = graft.Table.read(SHARED / "data" / "stsb" / "sts-dev.csv", columns=columns, ragged=True).take(range(0, 300, 3))
    adapter = graft.Adapter.create(model)
    adapter.set_head("sentence_embedding")
    predictions = graft.Predictions.of(model, tokenizer, adapter, table)
    assert list(predictions.evaluation.values) == ["spearman", "pearson", "kendall"] and predictions.evaluation.spearman > 0.7
    assert predictions.retrieval is not None and 0.8 < predictions.retrieval.values["mrr"] <= 1
    page = checked(graft.report(predictions=predictions, adapter=adapter))
    assert page.sections == ["measures", "vectors", "mistakes", "lengths", "adapter", "recipe"]
    assert shown(predictions.retrieval.values["mrr"]) in page.text and "Places that it is off" in page.text
    assert len(page.all("circle")) == len(table)
    dense = graft.Predictions(table["target"] * 20, [0.5, 0.6] * 1000, task="sentence_embedding")
    assert "logarithmic scale" in checked(graft.report(predictions=dense)).text
