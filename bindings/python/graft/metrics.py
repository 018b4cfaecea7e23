"""What a training measures."""

from __future__ import annotations

import math
from typing import NamedTuple

from .declarations import MetricsStruct


def described(*measures: tuple[str, float, str]) -> str:
    """Names and values, in the form that stands behind them, of the measures that apply."""
    return "  ".join([f"{name} {value:{form}}" for name, value, form in measures if not math.isnan(value)])


class Metrics(NamedTuple):
    """One step or evaluation. NaN marks a measure that does not apply."""

    #: Mean over rows (weighted, where classes are), or over the tokens that count, in nats.
    loss: float
    #: 0 to 1, of rows or of tokens.
    accuracy: float
    #: 0 to 1: mean over the labels that occur or are predicted.
    macro_f1: float
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
    #: Whether this is an evaluation during a training.
    evaluation: bool

    @classmethod
    def read(cls, struct: MetricsStruct) -> Metrics:
        """From the library's struct."""
        values = {name: getattr(struct, name) for name in cls._fields}
        return cls(**{**values, "evaluation": bool(struct.evaluation)})

    def __str__(self) -> str:
        measures = described(
            ("loss", self.loss, ".4f"),
            ("accuracy", self.accuracy, ".4f"),
            ("macro F1", self.macro_f1, ".4f"),
            ("rate", self.learning_rate, ".2e"),
            ("tokens/s", self.tokens_per_second, ".0f"),
        )
        return f"step {self.step}{f'/{self.total_steps}' if self.total_steps else ''}  {measures}"


class Evaluation(NamedTuple):
    """An adapter measured on a dataset; the measures are as in :class:`Metrics`."""

    loss: float
    accuracy: float
    #: NaN for a language model.
    macro_f1: float
    row_count: int
    #: Names of the labels; none for a language model.
    labels: list[str]
    #: Rows with label [true][predicted]; empty where it was not counted.
    confusion: list[list[int]]

    def confusion_table(self) -> str:
        """The confusion matrix as text: a line for each true label, a column for each predicted one."""
        width = max([len(label) for label in self.labels], default=0)
        cell = max([3, *(len(str(count)) + 1 for row in self.confusion for count in row)])
        lines = [" " * (width + 4) + "".join(f"{column + 1:>{cell}}" for column in range(len(self.labels)))]
        for number, (label, counts) in enumerate(zip(self.labels, self.confusion), 1):
            cells = "".join(f"{count or '.':>{cell}}" for count in counts)
            lines.append(f"{label:>{width}} {number:>2} {cells}")
        return "\n".join(lines)

    def __str__(self) -> str:
        measures = described(
            ("accuracy", self.accuracy, ".4f"), ("macro F1", self.macro_f1, ".4f"), ("loss", self.loss, ".4f")
        )
        return f"{measures}  on {self.row_count} rows"
