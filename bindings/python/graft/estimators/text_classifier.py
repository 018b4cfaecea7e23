"""Classification of texts and of pairs of texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ctypes import c_double
from dataclasses import KW_ONLY, dataclass
from typing import Any

from .. import evaluation
from ..adapter import HeadPooling
from ..data.balance import class_weights
from ..dataset import Dataset
from ..errors import invalid
from ..thresholds import thresholds_of
from ..tokenizer import Tokenizer
from ..values import c_number, require_length, shown
from .arrays import ROW, Texts, array, row_weights
from .labels import Labels
from .parameters import scikit_learn_utils
from .trained import TrainedEstimator, check_call


@dataclass(repr=False, eq=False)
class TextClassifier(TrainedEstimator):
    """Classifies texts: an estimator as scikit-learn's, which it needs not.

    >>> classifier = graft.TextClassifier("path/of/a/model", epoch_count=12).fit(texts, labels)
    >>> classifier.predict(["Where is my parcel?"])
    >>> sklearn.model_selection.cross_val_score(classifier, texts, labels)

    ``X`` is texts, or pairs of texts: a list of them, or a table with two columns. ``y`` is a class
    of each: a name or a whole number. For several classes of a text it is a list of names each, or
    an array of a column for each class with 1 and 0; what is predicted has the form of ``y``.

    A pickle has the adapter, and the path of the base model.
    """

    _: KW_ONLY
    #: What the head reads of a text, as of :meth:`Adapter.set_head`; None: what PEFT's heads read,
    #: so that the adapter opens there.
    pooling: HeadPooling | None = "mean"
    #: How much each class counts: weights by class, or ``"balanced"`` for the same for all rows of
    #: each class together; None: all 1.
    class_weight: Mapping[Any, float] | str | None = None
    #: The probability from which a text has a class, where it may have several: of all classes, or
    #: one for each; or ``"best"``, with ``early_stopping``: of each class that with the best F1 on
    #: the rows held out, and 0.5 of one that none of them has. Where a text has one class, of two
    #: as of more, it is the likeliest, and there is no other threshold than 0.5.
    threshold: float | Iterable[float] | str = 0.5

    def fit(self, X: Any, y: Any = None, **unsupported: Any) -> TextClassifier:
        """Trains an adapter on texts and their classes."""
        check_call(y, unsupported)
        texts, labels = Texts(X), Labels(y)
        require_length(labels.rows, len(texts), "y", ROW)
        self._check_threshold(labels)

        def dataset(tokenizer: Tokenizer, rows: Sequence[int]) -> Dataset:
            firsts, seconds = texts.chosen(rows)
            return Dataset(
                tokenizer,
                firsts,
                labels.of(rows),
                pairs=seconds,
                label_names=labels.names,
                maximum_length=self.maximum_length,
            )

        held = self._fit(
            dataset,
            len(texts),
            labels.task,
            labels.names,
            strata=labels.strata,
            pooling=self.pooling,
            class_weights=self._class_weights(labels),
        )
        #: Of ``threshold="best"`` that of each class; None of another.
        self.thresholds_ = self._best_thresholds(texts, labels, held) if isinstance(self.threshold, str) else None
        self._labels = labels.emptied()
        #: The classes, in the order of the columns of probabilities.
        self.classes_ = labels.classes
        return self

    def predict(self, X: Any) -> Any:
        """The likeliest class of each text; where it may have several, all that reach the
        threshold."""
        session, texts = self._session(), Texts(X)
        if self._labels.is_multi_label:
            threshold = self.thresholds_ if isinstance(self.threshold, str) else self.threshold
            if threshold is None:
                raise invalid(f"threshold: expected numbers, or 'best' before fit; found {self.threshold!r}")
            found = session.predict_labels(texts.firsts, texts.seconds, threshold=threshold)
            return self._labels.from_sets(found)
        return self._labels.from_names(session.predict(texts.firsts, texts.seconds))

    def predict_proba(self, X: Any) -> Any:
        """Probabilities, [texts, classes]; each row sums to 1, but where a text may have several
        classes."""
        session, texts = self._session(), Texts(X)
        return array(session.predict_proba(texts.firsts, texts.seconds))

    def decision_function(self, X: Any) -> Any:
        """Logits, [texts, classes]; of two classes how much more the second has, as scikit-learn's
        classifiers give it."""
        session, texts = self._session(), Texts(X)
        logits = session.classify(texts.firsts, texts.seconds)
        if self._labels.is_multi_label or len(self._labels.names) != 2:
            return array(logits)
        return array([second - first for first, second in logits])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy; where a text may have several classes, of all of its together."""
        found, given = Labels(self.predict(X), any_count=True), Labels(y, any_count=True)
        require_length(given.rows, len(found.rows), "y", ROW)
        right = [own == other for own, other in zip(given.rows, found.rows)]
        weights = row_weights(sample_weight, len(right))
        measured = evaluation.labels([True] * len(right), right, weights=weights, label_names=[False, True])
        return measured.values["accuracy"]

    def _class_weights(self, labels: Labels) -> list[float] | None:
        if self.class_weight is None:
            return None
        if labels.is_multi_label:
            raise invalid("class_weight: where a text may have several classes, all of them count the same")
        if isinstance(self.class_weight, str):
            if self.class_weight != "balanced":
                raise invalid(f"class_weight: expected weights by class or 'balanced'; found {self.class_weight!r}")
            return class_weights(labels.rows)
        unknown = [own for own in self.class_weight if own not in labels.values]
        if unknown:
            raise invalid(f"class_weight: expected classes of y; found {unknown[0]!r}")
        return [c_number(c_double, self.class_weight.get(own, 1.0), f"class_weight[{own!r}]") for own in labels.values]

    def _check_threshold(self, labels: Labels) -> None:
        if not labels.is_multi_label:
            if isinstance(self.threshold, Iterable) or self.threshold != 0.5:
                raise invalid(
                    f"threshold: where a text has one class, it is the likeliest: expected 0.5; found {shown(self.threshold)}"
                )
        elif not isinstance(self.threshold, str):
            thresholds_of(self.threshold, len(labels.names))
        elif self.threshold != "best":
            raise invalid(f"threshold: expected numbers or 'best'; found {self.threshold!r}")
        elif not self.early_stopping:
            raise invalid("threshold: 'best' is found on the rows that early_stopping holds out: expected it to be True")

    def _best_thresholds(self, texts: Texts, labels: Labels, rows: Sequence[int]) -> list[float]:
        """Of each class that with the best F1 on some rows, by the probabilities that are
        predicted."""
        marks = [[int(value in labels.rows[row]) for value in labels.values] for row in rows]
        shares = self._session().predict_proba(*texts.chosen(rows))
        best = evaluation.label_sets(marks, shares).table("thresholds")
        return [threshold if f1 > 0 else 0.5 for threshold, f1 in best]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        tags.classifier_tags = scikit_learn_utils().ClassifierTags(multi_label=True)
        tags.target_tags.multi_output = True
        return tags
