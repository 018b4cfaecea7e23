"""Estimators: what they take, what they learn, and what a pickle of them has."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from conftest import SHARED, TEXTS
from sklearn.base import clone
from sklearn.metrics import f1_score

import graft
from graft.data.splits import split_rows
from graft.estimators import base
from graft.reports.weights import tensors

TINY = SHARED / "models" / "bert-tiny-splade"
LABELS = ["asks", "asks", "blames", "blames", "thanks", "thanks"]
#: Learns the texts above.
QUICK: dict[str, Any] = {"epoch_count": 12, "learning_rate": 1e-2}


@pytest.fixture(scope="module")
def fitted() -> graft.TextClassifier:
    return graft.TextClassifier(TINY, **QUICK).fit(TEXTS, LABELS)


def test_a_classifier_learns_names(fitted: graft.TextClassifier) -> None:
    assert fitted.predict(TEXTS).tolist() == LABELS and fitted.score(TEXTS, LABELS) == 1
    assert fitted.classes_.tolist() == ["asks", "blames", "thanks"] == fitted.adapter_.labels
    shares, logits = fitted.predict_proba(TEXTS), fitted.decision_function(TEXTS)
    assert shares.shape == logits.shape == (6, 3) and numpy.allclose(shares.sum(1), 1)
    assert (shares.argmax(1) == logits.argmax(1)).all()
    assert fitted.metrics_.step == 12 and "epoch_count=12" in repr(fitted)


def test_an_estimator_is_the_core_with_its_defaults(fitted: graft.TextClassifier) -> None:
    model, tokenizer = graft.Model(TINY), graft.Tokenizer(TINY)
    rows = graft.Dataset(tokenizer, TEXTS, LABELS)
    adapter = graft.Adapter.create(model)
    adapter.set_head(labels=rows.label_names, pooling="mean")
    with graft.Trainer(model, adapter, **QUICK) as trainer:
        trainer.fit(rows, progress=False)
    own = numpy.asarray(graft.Session(model, tokenizer, adapter).classify(TEXTS))
    assert (own == fitted.decision_function(TEXTS)).all()


def test_an_adapter_goes_on(fitted: graft.TextClassifier, tmp_path: Path) -> None:
    fitted.adapter_.save(tmp_path / "first")
    none = {"epoch_count": 1, "learning_rate": 0.0}
    same = graft.TextClassifier(TINY, start=tmp_path / "first", **none).fit(TEXTS, LABELS)
    assert (same.decision_function(TEXTS) == fitted.decision_function(TEXTS)).all()
    # Of other classes the head is a fresh one, and the rest goes on.
    with pytest.warns(UserWarning, match="for sequence_classification with asks, blames, thanks, is replaced"):
        other = graft.TextClassifier(TINY, start=tmp_path / "first", **none).fit(TEXTS, ["a", "b"] * 3)
    with pytest.warns(UserWarning, match="is replaced by a fresh one"):
        number = graft.Regressor(TINY, start=tmp_path / "first", **none).fit(TEXTS, [1.0, 2.0] * 3)
    assert other.adapter_.labels == ["a", "b"] and number.adapter_.task == "regression"
    first, second = (
        {name: values for name, _, values in tensors(own.adapter_.to_files()) if "lora_" in name}
        for own in (fitted, other)
    )
    assert first == second and len(first) == 24
    with pytest.raises(graft.InvalidArgumentError, match="config: the adapter in .*first has settings of its own"):
        graft.TextClassifier(TINY, start=tmp_path / "first", config={"r": 4}).fit(TEXTS, LABELS)
    with pytest.raises(graft.GraftError, match="nowhere"):
        graft.TextClassifier(TINY, start=tmp_path / "nowhere").fit(TEXTS, LABELS)


@pytest.mark.parametrize("classes", [[2, 10, -1], [True, False], ["ja", "nein"], [0.0, 1.0]])
def test_classes_keep_their_type_and_their_order(classes: list[Any]) -> None:
    labels = [classes[row % len(classes)] for row in range(6)]
    for y in (labels, numpy.array(labels), pandas.Series(labels)):
        classifier = graft.TextClassifier(TINY, epoch_count=1).fit(TEXTS, y)
        assert classifier.classes_.tolist() == sorted(classes)
        assert set(classifier.predict(TEXTS).tolist()) <= set(classes)
        shape = (6,) if len(classes) == 2 else (6, len(classes))
        assert classifier.decision_function(TEXTS).shape == shape


def test_pairs_come_as_lists_and_as_columns() -> None:
    pairs = list(zip(TEXTS, reversed(TEXTS)))
    classifier = graft.TextClassifier(TINY, **QUICK).fit(pairs, LABELS)
    expected = classifier.predict_proba(pairs)
    for columns in (
        pandas.DataFrame(pairs),
        numpy.array(pairs),
        numpy.array(pairs, object),
        [list(pair) for pair in pairs],
    ):
        assert (classifier.predict_proba(columns) == expected).all()
    assert not numpy.allclose(classifier.predict_proba(TEXTS), expected)
    assert (classifier.predict_proba(pandas.DataFrame({"text": TEXTS})) == classifier.predict_proba(TEXTS)).all()


def test_texts_of_several_classes_as_names_and_as_columns() -> None:
    names = [["asks"], ["asks", "place"], ["food"], [], ["kind"], ["kind"]]
    classifier = graft.TextClassifier(TINY, **QUICK, threshold=0.4).fit(TEXTS, names)
    assert classifier.classes_.tolist() == ["asks", "food", "kind", "place"]
    assert classifier.predict(TEXTS) == [
        [name for name, share in zip(classifier.classes_, row) if share >= numpy.float32(0.4)]
        for row in classifier.predict_proba(TEXTS)
    ]
    columns = numpy.array([[int(name in row) for name in classifier.classes_] for row in names])
    other = graft.TextClassifier(TINY, **QUICK, threshold=0.4).fit(TEXTS, columns)
    assert (other.predict_proba(TEXTS) == classifier.predict_proba(TEXTS)).all()
    assert (other.predict(TEXTS) == (other.predict_proba(TEXTS) >= 0.4)).all()
    assert other.score(TEXTS, columns) == classifier.score(TEXTS, names)


def test_each_class_may_have_a_threshold_of_its_own() -> None:
    names = [["asks"], ["asks", "place"], ["food"], [], ["kind"], ["kind"]]
    classifier = graft.TextClassifier(TINY, **QUICK, threshold=numpy.array([0.9, 0, 1, 0.4])).fit(TEXTS, names)
    least = numpy.array([0.9, 0, 1, 0.4], numpy.float32)
    assert classifier.predict(TEXTS) == [
        [name for name, reaches in zip(classifier.classes_, row) if reaches]
        for row in classifier.predict_proba(TEXTS) >= least
    ]
    for threshold, message in (
        ([0.2, 0.5], "threshold: expected 4, one for each label; found 2"),
        ([0.2, 0.5, 2, 0.5], r"threshold\[2\]: expected 0 to 1, found 2"),
        (float("nan"), "threshold: expected 0 to 1, found nan"),
        ([0.2, None, 0.5, 0.5], r"threshold\[1\]: expected a number, found None"),
        ("worst", "threshold: expected numbers or 'best'; found 'worst'"),
        ("best", "threshold: 'best' is found on the rows that early_stopping holds out"),
    ):
        with pytest.raises(graft.GraftError, match=message):
            graft.TextClassifier(TINY, threshold=threshold).fit(TEXTS, names)
    with pytest.raises(graft.GraftError, match="threshold: expected 0 to 1, found 2"):
        classifier.set_params(threshold=2).predict(TEXTS)
    with pytest.raises(graft.GraftError, match="threshold: expected numbers, or 'best' before fit"):
        classifier.set_params(threshold="best").predict(TEXTS)
    for threshold in (0.3, [0.5, 0.5], "best"):
        with pytest.raises(graft.GraftError, match="threshold: where a text has one class, it is the likeliest"):
            graft.TextClassifier(TINY, threshold=threshold).fit(TEXTS, list("ababab"))


def test_the_best_thresholds_are_those_of_the_rows_held_out() -> None:
    texts, names = [f"{text} {row}" for row in range(10) for text in TEXTS], [["a"], ["a"], ["a", "b"], [], ["b"], []] * 10
    train, held = split_rows(len(texts), [0.3], 0)
    names[train[0]] = ["rare"]
    settings: dict[str, Any] = {"epoch_count": 3, "early_stopping": True, "validation_fraction": 0.3}
    classifier = graft.TextClassifier(TINY, **settings, threshold="best").fit(texts, names)
    truth = numpy.array([[name in names[row] for name in classifier.classes_] for row in held])
    shares = numpy.asarray(classifier.predict_proba([texts[row] for row in held]), float)
    assert not truth[:, 2].any() and classifier.thresholds_ is not None and classifier.thresholds_[2] == 0.5
    for column in range(2):
        worth = {least: f1_score(truth[:, column], shares[:, column] >= least) for least in shares[:, column]}
        assert worth[classifier.thresholds_[column]] == max(worth.values())
    again = pickle.loads(pickle.dumps(classifier))
    given = clone(classifier).set_params(threshold=classifier.thresholds_).fit(texts, names)
    assert again.predict(texts) == classifier.predict(texts) == given.predict(texts)
    assert given.thresholds_ is None


def test_a_regressor_learns_a_number_or_several() -> None:
    values = [0.5, 0.1, -1.0, -1.2, 1.5, 1.4]
    regressor = graft.Regressor(TINY, epoch_count=40, learning_rate=1e-2).fit(TEXTS, values)
    assert regressor.predict(TEXTS).shape == (6,) and regressor.score(TEXTS, values) > 0.9
    two = graft.Regressor(TINY, epoch_count=2).fit(TEXTS, numpy.array([values, values]).T)
    assert two.predict(TEXTS).shape == (6, 2)


def test_words_and_entities() -> None:
    words = [["Anna", "lives", "in", "Graz"], ["Rain", "fell"], ["Oslo", "greets", "Bo"]]
    tags = [["B-PER", "O", "O", "B-LOC"], ["O", "O"], ["B-LOC", "O", "B-PER"]]
    tagger = graft.TokenClassifier(TINY, epoch_count=40, learning_rate=1e-2).fit(words, tags)
    assert tagger.predict(words) == tags and tagger.score(words, tags) == 1
    assert tagger.classes_.tolist() == ["B-LOC", "B-PER", "O"]
    texts = [" ".join(row) for row in words]
    found = tagger.predict(texts)
    assert [(entity.type, entity.text) for entity in found[0]] == [("PER", "Anna"), ("LOC", "Graz")]
    again = graft.TokenClassifier(TINY, epoch_count=40, learning_rate=1e-2, scheme="IOBES").fit(texts, found)
    assert again.predict(texts) == found and again.score(texts, found) == 1
    assert pickle.loads(pickle.dumps(again)).predict(texts) == found


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda estimator: pickle.loads(pickle.dumps(estimator))])
def test_a_copy_predicts_the_same_bits(fitted: graft.TextClassifier, copied: Any) -> None:
    other = copied(copied(fitted))
    assert (other.predict_proba(TEXTS) == fitted.predict_proba(TEXTS)).all()
    assert other._opened()[0] is fitted._opened()[0] and other.get_params() == fitted.get_params()


def test_a_pickle_has_the_adapter_alone_and_knows_its_base(
    fitted: graft.TextClassifier, folder: Path, tmp_path: Path
) -> None:
    data = pickle.dumps(fitted)
    assert len(data) < 300_000
    elsewhere = shutil.copytree(TINY, tmp_path / "moved")
    moved = pickle.loads(data).set_params(model=elsewhere)
    assert (moved.predict_proba(TEXTS) == fitted.predict_proba(TEXTS)).all()
    with pytest.raises(graft.GraftError, match="fitted on a base model with other weights"):
        pickle.loads(data).set_params(model=folder).predict(TEXTS)
    with pytest.raises(graft.GraftError, match="missing"):
        pickle.loads(data).set_params(model=tmp_path / "missing").predict(TEXTS)


def test_estimators_of_one_folder_share_its_model() -> None:
    first = graft.Embedder(TINY).fit()
    second = graft.Embedder(os.path.relpath(TINY)).fit()
    assert first._fitted.open(TINY, "float32")[0] is second._fitted.open(TINY, "float32")[0]
    other = graft.Embedder(TINY, precision="bfloat16").fit()
    assert other._fitted.open(TINY, "bfloat16")[0] is not first._fitted.open(TINY, "float32")[0]
    count = len(base._opened)
    del other
    gc.collect()
    assert len(base._opened) == count - 1


def test_an_embedder_gives_the_vectors_of_a_session(fitted: graft.TextClassifier, tmp_path: Path) -> None:
    model, tokenizer = graft.Model(TINY), graft.Tokenizer(TINY)
    plain = graft.Embedder(TINY, pooling="max", normalize=False).fit_transform(TEXTS)
    assert (plain == graft.Session(model, tokenizer).embed(TEXTS, pooling="max", normalize=False)).all()
    fitted.adapter_.save(tmp_path)
    adapted = graft.Embedder(TINY, adapter=tmp_path).fit(TEXTS)
    own = graft.Session(model, tokenizer, graft.Adapter.load(model, tmp_path)).embed(TEXTS)
    assert (adapted.transform(TEXTS) == own).all() and not numpy.allclose(
        own, graft.Embedder(TINY).fit_transform(TEXTS)
    )
    shutil.rmtree(tmp_path)
    assert (pickle.loads(pickle.dumps(adapted)).transform(TEXTS) == own).all()


def test_early_stopping_holds_out_rows_and_keeps_the_best() -> None:
    texts, labels = [f"{text} {row}" for row in range(10) for text in TEXTS], LABELS * 10
    classifier = graft.TextClassifier(
        TINY, epoch_count=30, learning_rate=1e-2, early_stopping=True, patience=2, metric="accuracy"
    )
    classifier.fit(texts, labels)
    best = classifier.metrics_.evaluation
    assert best is not None and best.row_count == 6 and [sum(row) for row in best.confusion] == [2, 2, 2]
    assert best.accuracy == 1 and classifier.metrics_.step < 30 * 4


def test_class_weights_decide_what_is_learned() -> None:
    texts, labels = TEXTS, ["a", "a", "a", "a", "a", "b"]
    ignored = graft.TextClassifier(TINY, **QUICK, class_weight={"b": 0.0}).fit(texts, labels)
    assert set(ignored.predict(texts)) == {"a"}
    balanced = graft.TextClassifier(TINY, **QUICK, class_weight="balanced").fit(texts, labels)
    given = graft.TextClassifier(TINY, **QUICK, class_weight={"a": 0.6, "b": 3.0}).fit(texts, labels)
    assert (balanced.predict_proba(texts) == given.predict_proba(texts)).all()


def test_the_random_state_decides_and_the_threads_do_not() -> None:
    def shares(**parameters: Any) -> Any:
        return graft.TextClassifier(TINY, epoch_count=1, **parameters).fit(TEXTS, LABELS).predict_proba(TEXTS)

    assert (shares(threads=1) == shares(threads=2, random_state=0)).all()
    assert (shares(random_state=5) != shares()).any()
    assert (shares(random_state=numpy.random.RandomState(3)) == shares(random_state=numpy.random.RandomState(3))).all()


@pytest.mark.parametrize(
    ("parameters", "X", "y", "message"),
    [
        ({}, [], [], "X: expected texts; found 0 samples"),
        ({}, TEXTS, LABELS[:5], "y: expected 6, one for each row of X; found 5"),
        ({}, TEXTS, ["a"] * 6, "one class alone"),
        ({}, TEXTS, [0.5, 1, 0, 1, 0, 1], r"y\[0\]: .*found 0.5: see graft.Regressor"),
        ({}, TEXTS, ["a", None, "b", "a", "b", "a"], r"y\[1\]: expected a class; .*missing value"),
        ({}, TEXTS, ["a", 1, "b", "a", "b", "a"], "classes of one type, found int, str"),
        ({}, TEXTS, [[0, 2]] * 6, r"y\[0\]: expected names of classes, or 2 numbers that are 1 or 0"),
        ({}, [("a", "b"), "c"] * 3, LABELS, r"X\[1\]: expected a pair of texts, as X\[0\]; found 'c'"),
        ({}, numpy.array([["a", "b", "c"]] * 6), LABELS, "two columns of them; found 3 columns"),
        ({"class_weight": {"d": 1}}, TEXTS, LABELS, "class_weight: expected classes of y; found 'd'"),
        ({"class_weight": "even"}, TEXTS, LABELS, "'balanced'; found 'even'"),
        ({"class_weight": "balanced"}, TEXTS, [["a"]] * 6, "all of them count the same"),
        ({"trainer_settings": {"seed": 1}}, TEXTS, LABELS, "trainer_settings: seed cannot be set there"),
        (
            {"early_stopping": True, "validation_fraction": 1},
            TEXTS,
            LABELS,
            "between 0 and 1, or an integer; found 1.0",
        ),
        ({"early_stopping": True}, TEXTS, list("abcdef"), "fewer than one row for each of 6 values"),
        ({"method": "lore"}, TEXTS, LABELS, "lore"),
        ({"metric": "f1"}, TEXTS, LABELS, 'metric "f1"; an evaluation of this task has loss, accuracy'),
    ],
)
def test_what_cannot_be_learned_is_refused(parameters: dict[str, Any], X: Any, y: Any, message: str) -> None:
    with pytest.raises(graft.GraftError, match=message):
        graft.TextClassifier(TINY, **parameters).fit(X, y)


def test_what_no_estimator_takes_is_a_type_error(fitted: graft.TextClassifier) -> None:
    for state in ("x", 1.5):
        with pytest.raises(TypeError, match=f"random_state: expected an integer or numpy's RandomState, found {state!r}"):
            graft.TextClassifier(TINY, random_state=state).fit(TEXTS, LABELS)
    with pytest.raises(TypeError, match="validation_fraction: must be real number, not str"):
        graft.TextClassifier(TINY, early_stopping=True, validation_fraction="x").fit(TEXTS, LABELS)
    with pytest.raises(TypeError, match="fit has no argument sample_weight: rows have no weights"):
        graft.TextClassifier(TINY).fit(TEXTS, LABELS, sample_weight=[1] * 6)
    with pytest.raises(TypeError, match=r"X\[1\]: expected a string, found float \(a missing value\)"):
        fitted.predict(["text", float("nan")])
    with pytest.raises(TypeError, match="put it in a list"):
        fitted.predict("text")
    with pytest.raises(graft.InvalidArgumentError, match="no parameter 'rate'; it has model, method"):
        fitted.set_params(rate=1)
    with pytest.raises(ValueError, match="y.0.: expected finite numbers; .*NaN"):
        graft.Regressor(TINY).fit(["a"], [float("nan")])


def test_estimators_need_neither_scikit_learn_nor_numpy() -> None:
    program = f"""
import sys
for name in ("sklearn", "numpy", "pandas"):
    sys.modules[name] = None
import pickle, graft
classifier = graft.TextClassifier({str(TINY)!r}, epoch_count=12, learning_rate=1e-2)
try:
    classifier.predict(["text"])
except ValueError as error:
    print(type(error).__name__, error)
texts, labels = {TEXTS!r}, {LABELS!r}
again = pickle.loads(pickle.dumps(classifier.fit(texts, labels)))
print(again.predict(texts) == labels, again.score(texts, labels), again.classes_, len(again.decision_function(texts)[0]))
print(len(graft.Embedder({str(TINY)!r}).fit_transform(texts)[0]))
print(len(graft.Regressor({str(TINY)!r}, epoch_count=1).fit(texts, range(6)).predict(texts)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines() == [
        "NotFittedError this TextClassifier is not fitted yet: call fit first",
        "True 1.0 ['asks', 'blames', 'thanks'] 3",
        "128",
        "6",
    ], done.stderr


def test_scikit_learn_is_not_imported() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, graft; graft.TextClassifier('m'); print('sklearn' in sys.modules, 'numpy' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "False False\n", done.stderr
