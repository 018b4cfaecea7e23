"""What a training measures."""

from __future__ import annotations

import math
from ctypes import byref, c_double, c_int32, c_int64, c_void_p
from typing import Any, Literal, NamedTuple

from .declarations import MetricsStruct
from .errors import invalid
from .handle import Handle
from .library import lib
from .values import name_bytes, settings_json


def described(*measures: tuple[str, float, str]) -> str:
    """Names and values, in the form that stands behind them, of the measures that apply."""
    return "  ".join([f"{name} {value:{form}}" for name, value, form in measures if not math.isnan(value)])


def _values(pointer: c_void_p) -> dict[str, float]:
    """All that an evaluation has, by name."""
    names = [lib.graft_evaluation_name(pointer, i) for i in range(lib.graft_evaluation_value_count(pointer))]
    return {name.decode(): lib.graft_evaluation_value(pointer, name) for name in names}


def _taken(pointer: c_void_p) -> dict[str, float]:
    try:
        return _values(pointer)
    finally:
        lib.graft_evaluation_release(pointer)


def metric_names() -> list[str]:
    """What the evaluations of all tasks measure; which of it applies to a task is what an
    :class:`Evaluation` has."""
    return [lib.graft_metric_name(index).decode() for index in range(lib.graft_metric_count())]


class _Kept(Handle):
    """What the library keeps of an evaluation."""

    _release_function = "graft_evaluation_release"


class Interval(NamedTuple):
    """Where a measure would be on other rows of the same kind."""

    value: float
    low: float
    high: float
    standard_error: float
    #: Samples in which the measure is defined.
    resamples: int


class Comparison(NamedTuple):
    """How one evaluation differs from another of the same rows. NaN marks what a test does not
    have."""

    #: Of the measure.
    difference: float
    #: The same, above 0 where the first is better.
    gain: float
    #: Of both sides.
    p_value: float
    #: The interval of the difference, of "bootstrap".
    low: float
    high: float


class Evaluation:
    """An adapter measured on a dataset, or predictions measured by :mod:`graft.evaluation`. Its
    measures are attributes, too: ``evaluation.accuracy``.

    Of ``"sequence_classification"``: ``accuracy``, ``balanced_accuracy``, ``macro_f1``,
    ``micro_f1``, ``weighted_f1``, ``precision`` and ``recall`` (macro), ``weighted_precision``,
    ``weighted_recall``, ``mcc``, ``kappa``, and of up to 100 labels ``log_loss``, ``brier``,
    ``roc_auc`` and ``average_precision``, as scikit-learn has them; of
    ``"token_classification"`` those that need no probabilities, of the tokens that have a label,
    and where the labels are tags ``entity_f1``, ``entity_precision``, ``entity_recall`` and
    ``strict_entity_f1``, as seqeval has them; of ``"multi_label_classification"``:
    ``exact_match``, ``micro_f1``, ``macro_f1``, ``weighted_f1``, ``precision``, ``recall``,
    ``micro_precision``, ``micro_recall``, ``roc_auc`` and ``average_precision``; of
    ``"regression"``: ``mse``, ``mae``, ``r2``, ``pearson``, ``spearman`` and ``kendall``; of
    ``"language_model"``, ``"seq_2_seq_lm"`` or ``"masked_language_model"``: ``accuracy`` and
    ``perplexity``, or with the loss ``"dpo"`` ``rewards_chosen``, ``rewards_rejected``,
    ``rewards_accuracies`` and ``rewards_margins``; of ``"multiple_choice"``: ``accuracy``; of
    ``"regression"`` with a loss of rankings ``ndcg``, ``ndcg_at_k``, ``mrr``, ``map``,
    ``recall_at_k`` and ``precision_at_k`` with k = 10. And of all ``loss``.
    """

    _kept: _Kept | None = None

    def __init__(
        self,
        values: dict[str, float],
        row_count: int = 0,
        token_count: int = 0,
        labels: list[str] | None = None,
        confusion: list[list[int]] | None = None,
    ) -> None:
        #: By their names, the loss first. NaN where there was nothing to measure.
        self.values = values
        self.row_count = row_count
        self.token_count = token_count
        #: Names of the labels; none for a language model.
        self.labels = labels or []
        #: Rows, or tokens, with label [true][chosen]; empty where none is chosen, or it was not
        #: counted.
        self.confusion = confusion or []

    @classmethod
    def read(cls, pointer: c_void_p, labels: list[str], confusion: bool | None = None) -> Evaluation:
        """From the library's handle; None: with the confusion of up to 1,000 labels."""
        counts = len(labels) <= 1000 if confusion is None else confusion
        count = lib.graft_evaluation_label_count(pointer) if counts else 0
        pairs = (c_int64 * (count * count))()
        if count:
            lib.graft_evaluation_confusion(pointer, pairs, len(pairs))
        made = cls(
            _values(pointer),
            lib.graft_evaluation_row_count(pointer),
            lib.graft_evaluation_token_count(pointer),
            list(labels),
            [pairs[row * count : (row + 1) * count] for row in range(count)],
        )
        lib.graft_evaluation_retain(pointer)
        made._kept = _Kept(pointer)
        return made

    def interval(
        self,
        measure: str,
        *,
        method: Literal["percentile", "bca"] = "percentile",
        confidence: float = 0.95,
        resamples: int = 9999,
        seed: int = 0,
    ) -> Interval:
        """How far a measure would be off on other rows of the same kind, from random samples of
        these rows, which are the same for a seed on every machine.

        :param measure: one of its measures, but not the loss.
        :param method: "bca" corrects for bias and skewness.
        """
        settings = settings_json(confidence=confidence, resamples=resamples, seed=seed)
        out = c_void_p()
        lib.graft_evaluation_interval(
            self._pointer, name_bytes(measure, "measure"), name_bytes(method, "method"), settings, byref(out)
        )
        found = _taken(out)
        return Interval(
            found["value"], found["low"], found["high"], found["standard_error"], int(found["resamples"])
        )

    def compare(
        self,
        other: Evaluation,
        measure: str,
        *,
        test: Literal["permutation", "bootstrap", "mcnemar"] = "permutation",
        resamples: int = 9999,
        seed: int = 0,
    ) -> Comparison:
        """Whether this differs from another evaluation of the same rows, in the same order, by more
        than chance.

        :param measure: one of the measures of both, but not the loss.
        :param test: "permutation": rows change sides at random. "bootstrap": random samples of the
            rows, which also give the interval of the difference. "mcnemar": the exact test of what
            one of both gets right, whatever the measure.
        """
        settings = None if test == "mcnemar" else settings_json(resamples=resamples, seed=seed)
        out = c_void_p()
        lib.graft_evaluation_compare(
            self._pointer,
            other._pointer,
            name_bytes(measure, "measure"),
            name_bytes(test, "test"),
            settings,
            byref(out),
        )
        found = _taken(out)
        low, high = found.get("low", math.nan), found.get("high", math.nan)
        return Comparison(found["difference"], found["gain"], found["p_value"], low, high)

    def table(self, name: str) -> list[list[float]]:
        """More than a number, as rows of numbers.

        ``"labels"`` has of each label precision, recall, F1 and the weight of the rows that have
        it, ``"entities"`` the same of each type of entity, in the order of the labels;
        ``"confusion"`` is the confusion matrix by weight.

        ``"roc"`` has false and true positive rates and thresholds, ``"precision_recall"``
        precision, recall and thresholds, of the second of two labels; ``"thresholds"`` the
        threshold with the best F1, and that F1, of each label, or of the second of two.

        ``"rows"`` has what each answer or query is worth: of answers ``exact_match`` and ``f1``; of
        rankings ``map``, ``mrr``, ``ndcg``, ``ndcg_at_k``, ``precision_at_k`` and ``recall_at_k``;
        of language models and masked words ``accuracy`` and ``loss``, means over the tokens that
        the row has to predict; of preferences ``rewards_accuracies``, ``rewards_chosen``,
        ``rewards_margins`` and ``rewards_rejected`` of each pair of which no answer is cut away.
        """
        pointer, key = self._pointer, name_bytes(name, "name")
        rows, columns = c_int64(), c_int32()
        lib.graft_evaluation_table(pointer, key, None, 0, byref(rows), byref(columns))
        width = columns.value
        numbers = (c_double * (rows.value * width))()
        lib.graft_evaluation_table(pointer, key, numbers, len(numbers), None, None)
        return [numbers[start : start + width] for start in range(0, len(numbers), width)]

    @property
    def _pointer(self) -> c_void_p:
        if self._kept is None:
            raise invalid("this Evaluation was made of values or was copied: the rows that it saw are not there")
        return self._kept.pointer

    def __getstate__(self) -> dict[str, Any]:
        """A copy has the values, and not the rows, which live in the library."""
        return {key: value for key, value in self.__dict__.items() if key != "_kept"}

    def __getattr__(self, name: str) -> float:
        try:
            return self.__dict__["values"][name]  # type: ignore[no-any-return]
        except KeyError:
            known = ", ".join(self.__dict__.get("values", {}))
            raise AttributeError(f"an evaluation of this task has {known}; it has no {name}") from None

    def confusion_table(self) -> str:
        """The confusion matrix as text: a line for each true label, a column for each chosen
        one."""
        width = max([len(label) for label in self.labels], default=0)
        cell = max([3, *(len(str(count)) + 1 for row in self.confusion for count in row)])
        lines = [" " * (width + 4) + "".join(f"{column + 1:>{cell}}" for column in range(len(self.labels)))]
        for number, (label, counts) in enumerate(zip(self.labels, self.confusion), 1):
            cells = "".join(f"{count or '.':>{cell}}" for count in counts)
            lines.append(f"{label:>{width}} {number:>2} {cells}")
        return "\n".join(lines)

    def measures(self) -> str:
        """Names and values of the first few that apply, as text."""
        named = [(name.replace("_", " ").replace("f1", "F1"), value, ".4f") for name, value in self.values.items()]
        return described(*named[:4])

    def __str__(self) -> str:
        return f"{self.measures()}  on {self.row_count} rows"

    def __repr__(self) -> str:
        return f"<graft.Evaluation {self}>"


class Metrics(NamedTuple):
    """One step or evaluation. NaN marks what does not apply."""

    #: Mean over rows (weighted, where classes are), or over the tokens that count, in nats; for
    #: regression the mean squared error.
    loss: float
    #: Of the latest step.
    learning_rate: float
    #: Before clipping.
    gradient_norm: float
    #: Of the latest step or evaluation.
    tokens_per_second: float
    #: Optimizer updates so far.
    step: int
    #: End of the schedule, 0 when open.
    total_steps: int
    #: From 0.
    epoch: int
    #: Rows measured.
    row_count: int
    #: Tokens measured.
    token_count: int
    #: What an evaluation during a training measured; None for a step.
    evaluation: Evaluation | None = None

    @classmethod
    def read(cls, struct: MetricsStruct, evaluation: Evaluation | None = None) -> Metrics:
        """From the library's struct."""
        values = {name: getattr(struct, name) for name in cls._fields}
        return cls(**{**values, "evaluation": evaluation})

    def __str__(self) -> str:
        measures = described(("loss", self.loss, ".4f")) if self.evaluation is None else self.evaluation.measures()
        rates = described(("rate", self.learning_rate, ".2e"), ("tokens/s", self.tokens_per_second, ".0f"))
        steps = f"{self.step}/{self.total_steps}" if self.total_steps else str(self.step)
        return "  ".join(part for part in (f"step {steps}", measures, rates) if part)
