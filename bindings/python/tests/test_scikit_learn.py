"""What scikit-learn asks of estimators, asked by its own checks.

They make tables of numbers, and Graft reads texts: so they are given estimators that write the
numbers down as texts, and read them as scikit-learn's own do.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy
import pandas
import pytest
from conftest import SHARED, TEXTS
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.validation import validate_data

import graft

TINY = SHARED / "models" / "bert-tiny-splade"
LABELS_OF_TEXTS = ["asks", "asks", "blames", "blames", "thanks", "thanks"]


def written(estimator: Any, X: Any, reset: bool) -> list[str]:
    """Each row of numbers as a text."""
    numbers = validate_data(estimator, X, reset=reset)
    return [" ".join(f"{number:.1f}" for number in row) for row in numbers]


class OfNumbers:
    """Reads tables of numbers instead of texts."""

    def fit(self, X: Any, y: Any = None, **options: Any) -> Any:
        return super().fit(written(self, X, True), y, **options)  # type: ignore[misc]

    def predict(self, X: Any) -> Any:
        self._require_fit()  # type: ignore[attr-defined]
        return super().predict(written(self, X, False))  # type: ignore[misc]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        return super().score(X, y, sample_weight)  # type: ignore[misc]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = True, False, False
        for kind in (tags.classifier_tags, tags.regressor_tags):
            if kind is not None:
                kind.poor_score = True  # numbers are not what a language model reads best
        return tags


class ClassifierOfNumbers(OfNumbers, graft.TextClassifier):
    def predict_proba(self, X: Any) -> Any:
        self._require_fit()
        return super().predict_proba(written(self, X, False))

    def decision_function(self, X: Any) -> Any:
        self._require_fit()
        return super().decision_function(written(self, X, False))


class RegressorOfNumbers(OfNumbers, graft.Regressor):
    pass


class EmbedderOfNumbers(graft.Embedder):
    def fit(self, X: Any = None, y: Any = None) -> Any:
        return super().fit(written(self, X, True), y)

    def transform(self, X: Any) -> Any:
        self._require_fit()
        return super().transform(written(self, X, False))

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        return self.fit(X, y).transform(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = True, False, False
        return tags


ESTIMATORS = [
    graft.ChoiceClassifier,
    graft.Embedder,
    graft.MaskFiller,
    graft.QuestionAnswerer,
    graft.Ranker,
    graft.Regressor,
    graft.TextClassifier,
    graft.TextGenerator,
    graft.TokenClassifier,
]
#: Checks that fit nothing, so that any estimator passes them as it is.
UNFITTED = [
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_valid_tag_types,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_estimators_unfitted,
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_mixin_order,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_set_params,
]

#: What is not so, and why.
EXPECTED = {"check_array_api_input": "runs where SCIPY_ARRAY_API is set, for estimators that compute on arrays"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [ClassifierOfNumbers, RegressorOfNumbers, EmbedderOfNumbers])
def test_an_estimator_passes_the_checks_of_scikit_learn(kind: Any) -> None:
    estimator = kind(TINY) if kind is EmbedderOfNumbers else kind(TINY, epoch_count=1)
    results = estimator_checks.check_estimator(
        estimator, expected_failed_checks=EXPECTED, on_skip=None, on_fail="raise"
    )
    skipped = {result["check_name"] for result in results if result["status"] != "passed"}
    assert skipped <= EXPECTED.keys() and len(results) > 30


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("check", UNFITTED)
def test_an_estimator_that_is_not_fitted_passes_the_checks_of_scikit_learn(check: Any, kind: Any) -> None:
    check(kind.__name__, kind(TINY))
    assert pickle.loads(pickle.dumps(kind(TINY))).get_params() == kind(TINY).get_params()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [graft.TextClassifier, graft.Regressor, graft.TokenClassifier, graft.Embedder])
def test_an_estimator_of_texts_says_so(kind: Any) -> None:
    tags = get_tags(kind(TINY))
    assert tags.input_tags.string and tags.input_tags.one_d_array and not tags.input_tags.two_d_array
    assert tags.target_tags.required == (kind is not graft.Embedder)
    assert is_classifier(kind(TINY)) == (kind is graft.TextClassifier)
    assert is_regressor(kind(TINY)) == (kind is graft.Regressor)
    # What it says of numbers is all that there is to check.
    results = estimator_checks.check_estimator(kind(TINY), on_skip=None)
    assert [result["check_name"] for result in results] == ["check_estimator_cloneable"]


def test_cross_validation_and_grid_search() -> None:
    classifier = graft.TextClassifier(TINY, epoch_count=8, learning_rate=1e-2)
    texts, labels = numpy.array(TEXTS * 3), numpy.repeat([["asks", "blames", "thanks"] * 3], 2)
    scores = cross_val_score(classifier, texts, labels, cv=3)
    assert scores.shape == (3,) and scores.mean() > 0.8
    search = GridSearchCV(classifier, {"learning_rate": [1e-9, 1e-2], "config": [None, {"r": 2}]}, cv=2, n_jobs=2)
    search.fit(list(texts), list(labels))
    assert search.best_params_["learning_rate"] == 1e-2 and list(search.classes_) == ["asks", "blames", "thanks"]
    assert (search.predict(texts) == labels).mean() > 0.8
    with pytest.raises(NotFittedError):
        clone(search.best_estimator_).predict(texts)


def test_an_embedder_in_a_pipeline_and_of_a_column() -> None:
    table = pandas.DataFrame({"text": TEXTS, "length": [len(text) for text in TEXTS]})
    columns = ColumnTransformer([("text", graft.Embedder(TINY), "text"), ("rest", "passthrough", ["length"])])
    columns.set_output(transform="pandas")
    features = columns.fit_transform(table)
    assert features.shape == (6, 129) and features.columns[0] == "text__embedder0"
    pipeline = make_pipeline(graft.Embedder(TINY), LogisticRegression(C=100))
    assert pipeline.fit(TEXTS, LABELS_OF_TEXTS).score(TEXTS, LABELS_OF_TEXTS) == 1
    again = pickle.loads(pickle.dumps(pipeline))
    assert (again.predict_proba(TEXTS) == pipeline.predict_proba(TEXTS)).all()


def test_scores_are_those_of_scikit_learn() -> None:
    texts, values = TEXTS * 2, [0.5, 0.1, -1.0, -1.2, 1.5, 1.4] * 2
    weights = list(range(1, 13))
    regressor = graft.Regressor(TINY, epoch_count=4, learning_rate=1e-2).fit(texts, values)
    assert regressor.score(texts, values) == pytest.approx(r2_score(values, regressor.predict(texts)), abs=1e-12)
    assert regressor.score(texts, values, weights) == pytest.approx(
        r2_score(values, regressor.predict(texts), sample_weight=weights), abs=1e-12
    )
    classifier = graft.TextClassifier(TINY, epoch_count=2).fit(texts, LABELS_OF_TEXTS * 2)
    found = accuracy_score(LABELS_OF_TEXTS * 2, classifier.predict(texts), sample_weight=weights)
    assert classifier.score(texts, LABELS_OF_TEXTS * 2, weights) == pytest.approx(found, abs=1e-12)


def test_answers_are_cross_validated() -> None:
    pairs = numpy.array([[f"Who met {name}?", f"{other} met {name} at noon."] for name, other in ["ab", "cd", "ef", "gh"]])
    answers = [["b"], ["d"], ["f"], []]
    estimator = graft.QuestionAnswerer(TINY, epoch_count=1, threshold=0.0, maximum_length=32, stride=4)
    scores = cross_val_score(estimator, pairs, answers, cv=2)
    assert len(scores) == 2 and ((0 <= scores) & (scores <= 1)).all()
    with pytest.raises(NotFittedError):
        clone(estimator).predict(pairs)
