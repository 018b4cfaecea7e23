"""What a training measures."""

from __future__ import annotations

import math
from ctypes import c_int64, c_void_p
from typing import NamedTuple

from .declarations import MetricsStruct
from .library import lib


def described(*measures: tuple[str, float, str]) -> str:
    """Names and values, in the form that stands behind them, of the measures that apply."""
    return "  ".join([f"{name} {value:{form}}" for name, value, form in measures if not math.isnan(value)])


def metric_names() -> list[str]:
    """What the evaluations of all tasks measure; which of it applies to a task is what an
    :class:`Evaluation` has."""
    return [lib.graft_metric_name(index).decode() for index in range(lib.graft_metric_count())]


class Evaluation:
    """An adapter measured on a dataset. Its measures are attributes, too: ``evaluation.accuracy``.

    Of ``"sequence_classification"``: ``accuracy``, ``macro_f1``, ``micro_f1``, ``weighted_f1``,
    ``precision``, ``recall`` and ``mcc``, as scikit-learn has them; of ``"token_classification"``
    the same of the tokens that have a label, and where the labels are tags ``entity_f1``,
    ``entity_precision``, ``entity_recall`` and ``strict_entity_f1``, as seqeval has them; of
    ``"multi_label_classification"``: ``exact_match``, ``micro_f1`` and ``macro_f1``; of
    ``"regression"``: ``mse``, ``pearson`` and ``spearman``, as scipy has them; of a
    ``"language_model"``: ``accuracy``. And of all ``loss``.
    """

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
    def read(cls, pointer: c_void_p, labels: list[str], confusion: bool) -> Evaluation:
        """From the library's handle."""
        names = [lib.graft_evaluation_name(pointer, i) for i in range(lib.graft_evaluation_value_count(pointer))]
        count = lib.graft_evaluation_label_count(pointer) if confusion else 0
        pairs = (c_int64 * (count * count))()
        if count:
            lib.graft_evaluation_confusion(pointer, pairs, len(pairs))
        return cls(
            {name.decode(): lib.graft_evaluation_value(pointer, name) for name in names},
            lib.graft_evaluation_row_count(pointer),
            lib.graft_evaluation_token_count(pointer),
            list(labels),
            [pairs[row * count : (row + 1) * count] for row in range(count)],
        )

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
