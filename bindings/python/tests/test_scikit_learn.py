"""What scikit-learn asks of estimators, asked by its own checks.

They make tables of numbers, and Graft reads texts: so they are given estimators that write the
numbers down as texts, or what else of texts they read, and read them as scikit-learn's own do.
"""

from __future__ import annotations

import pickle
import zlib
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
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

import graft

TINY = SHARED / "models" / "bert-tiny-splade"
LABELS_OF_TEXTS = ["asks", "asks", "blames", "blames", "thanks", "thanks"]


class Read(list[Any]):
    """What an estimator of texts is given for a table of numbers; its methods may pass it on."""


def words_of(row: Any) -> list[str]:
    return [f"{number:.1f}" for number in row]


def number_of(text: str) -> float:
    """Equal texts are equal numbers."""
    return float(zlib.crc32(text.encode()) % 997)


class ReadsNumbers:
    """Reads tables of numbers instead of texts."""

    def read(self, words: list[str]) -> Any:
        """What a row is given as, of its numbers as words."""
        return " ".join(words)

    def learned(self, y: Any, X: Any) -> Any:
        """What is learned of the rows, whose targets are numbers."""
        return y

    def rows(self, X: Any, reset: bool = False) -> Any:
        if isinstance(X, Read):
            return X
        return Read(self.read(words_of(row)) for row in validate_data(self, X, reset=reset))

    def fit(self, X: Any, y: Any = None, **options: Any) -> Any:
        rows = self.rows(X, True)
        learned = None if y is None else self.learned(y, X)
        return super().fit(rows, learned, **options)  # type: ignore[misc]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = True, False, False
        for kind in (tags.classifier_tags, tags.regressor_tags):
            if kind is not None:
                kind.poor_score = True  # numbers are not what a language model reads best
        return tags


class OfNumbers(ReadsNumbers):
    """And tells numbers of what it finds in them."""

    def told(self, found: Any) -> Any:
        """What is predicted for rows, as numbers."""
        return found

    def predict(self, X: Any) -> Any:
        self._require_fit()  # type: ignore[attr-defined]
        found = super().predict(self.rows(X))  # type: ignore[misc]
        return found if isinstance(X, Read) else self.told(found)

    def score(self, X: Any, y: Any = None, **options: Any) -> Any:
        learned = None if y is None else self.learned(y, X)
        return super().score(self.rows(X), learned, **options)  # type: ignore[misc]


class ClassifierOfNumbers(OfNumbers, graft.TextClassifier):
    def predict_proba(self, X: Any) -> Any:
        self._require_fit()
        return super().predict_proba(self.rows(X))

    def decision_function(self, X: Any) -> Any:
        self._require_fit()
        return super().decision_function(self.rows(X))


class RegressorOfNumbers(OfNumbers, graft.Regressor):
    pass


class TaggerOfNumbers(OfNumbers, graft.TokenClassifier):
    """Of each word that is a number a tag that says the target, whole; the word before is none."""

    def read(self, words: list[str]) -> Any:
        return ["numbers", *words]

    def learned(self, y: Any, X: Any) -> Any:
        return [["O", *[f"B-{value:.0f}"] * len(row)] for value, row in zip(y, numpy.asarray(X))]

    def told(self, found: Any) -> Any:
        return numpy.array([number_of(" ".join(tags)) for tags in found])


class AnswererOfNumbers(OfNumbers, graft.QuestionAnswerer):
    """Which of the numbers it is, the first or the last, is the answer to be found."""

    def read(self, words: list[str]) -> Any:
        return ["Which?", " ".join(words)]

    def learned(self, y: Any, X: Any) -> Any:
        return [[words_of(row)[-int(value > 0)]] for value, row in zip(y, numpy.asarray(X))]

    def told(self, found: Any) -> Any:
        return numpy.array([number_of(text) for text in found])


class ChooserOfNumbers(OfNumbers, graft.ChoiceClassifier):
    """A class is the choice of its name; its names are those that ``fit`` saw."""

    def fit(self, X: Any, y: Any = None, **options: Any) -> Any:
        if y is not None:
            check_classification_targets(y)
        self.classes_ = numpy.unique([] if y is None else numpy.asarray(y))
        return super().fit(X, y, **options)

    def read(self, words: list[str]) -> Any:
        return [" ".join(words), [str(name) for name in self.classes_]]

    def learned(self, y: Any, X: Any) -> Any:
        return numpy.searchsorted(self.classes_, numpy.asarray(y))

    def told(self, found: Any) -> Any:
        return self.classes_[found]

    def predict_proba(self, X: Any) -> Any:
        self._require_fit()
        found = super().predict_proba(self.rows(X))
        return found if isinstance(X, Read) else numpy.array(found)


class RankerOfNumbers(OfNumbers, graft.Ranker):
    """A row's own words are its candidates, of which the first or the last is relevant."""

    def read(self, words: list[str]) -> Any:
        return ["Which?", ["none", *words]]

    def learned(self, y: Any, X: Any) -> Any:
        return [numpy.eye(len(row) + 1)[-int(value > 0)].tolist() for value, row in zip(y, numpy.asarray(X))]

    def told(self, found: Any) -> Any:
        return numpy.array(found)


class WriterOfNumbers(OfNumbers, graft.TextGenerator):
    """The target is what is to be written."""

    def learned(self, y: Any, X: Any) -> Any:
        return [f"{value:.1f}" for value in y]

    def told(self, found: Any) -> Any:
        return numpy.array([number_of(text) for text in found])


class FillerOfNumbers(OfNumbers, graft.MaskFiller):
    def read(self, words: list[str]) -> Any:
        return " ".join(["[MASK]", *words])

    def told(self, found: Any) -> Any:
        return numpy.array([number_of(" ".join(tokens)) for tokens in found])


class EmbedderOfNumbers(ReadsNumbers, graft.Embedder):
    def transform(self, X: Any) -> Any:
        self._require_fit()
        return super().transform(self.rows(X))

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        return self.fit(X, y).transform(X)


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
ONE_CHOICE = "the class that there is would be a choice alone, of which nothing is learned"
OF_NUMBERS: dict[Any, dict[str, str]] = {
    AnswererOfNumbers: {},
    ChooserOfNumbers: {
        "check_classifiers_one_label": ONE_CHOICE,
        "check_fit2d_1sample": ONE_CHOICE,
        "check_supervised_y_2d": "a table's column is as good as a list, without a warning",
    },
    ClassifierOfNumbers: {},
    EmbedderOfNumbers: {},
    FillerOfNumbers: {},
    RankerOfNumbers: {},
    RegressorOfNumbers: {},
    TaggerOfNumbers: {},
    WriterOfNumbers: {},
}


def of_numbers(kind: Any) -> Any:
    """One that fits in a moment."""
    settings = {name: value for name, value in {"epoch_count": 1, "maximum_tokens": 2}.items() if hasattr(kind, name)}
    return kind(SHARED / "models" / "gpt2-tiny" if kind is WriterOfNumbers else TINY, **settings)


def test_every_estimator_is_asked() -> None:
    assert {kind.__bases__[-1] for kind in OF_NUMBERS} == set(ESTIMATORS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", OF_NUMBERS)
def test_an_estimator_passes_the_checks_of_scikit_learn(kind: Any) -> None:
    expected = EXPECTED | OF_NUMBERS[kind]
    results = estimator_checks.check_estimator(
        of_numbers(kind), expected_failed_checks=expected, on_skip=None, on_fail="raise"
    )
    assert {result["check_name"] for result in results if result["status"] != "passed"} == expected.keys()
    assert len(results) > 40


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
