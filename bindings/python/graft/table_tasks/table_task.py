"""A task as tables have it: its columns, its rows of tokens, what is measured and predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..adapter import Adapter
from ..answers import MAXIMUM_TOKENS
from ..batch import STRIDE, Batch
from ..data.measuring import Texts
from ..data.table import Table
from ..dataset import Dataset
from ..metrics import Evaluation
from ..model import Model
from ..session import Session
from ..tokenizer import Tokenizer
from ..trainer import Trainer


@dataclass(frozen=True)
class Making:
    """How a table becomes rows of tokens: as of :meth:`Dataset.from_table`."""

    label_names: list[str] | None = None
    scheme: str = "IOB2"
    all_pieces: bool = False
    maximum_length: int = 0
    stride: int = STRIDE
    mask_each: bool = False
    end_tokens: Sequence[int] = ()


@dataclass(frozen=True)
class Asking:
    """What is asked of an adapter, of which each task heeds its own part."""

    #: So many labels, or words for a mask, the likeliest first.
    top: int = 1
    #: The probability from which a text has a label, where it may have several; or one of each.
    threshold: float | Sequence[float] = 0.5
    #: Of ``no_answer_score``, above which a question has no answer; None: every one has.
    no_answer_threshold: float | None = None
    maximum_answer_tokens: int = MAXIMUM_TOKENS
    stride: int = STRIDE
    #: Whose exact match and F1 of answers.
    script: Literal["squad", "cmrc"] = "squad"
    #: Of texts that are measured: as of :func:`evaluation.texts`.
    tokenize: Literal["13a", "zh", "char"] = "13a"
    #: Of :meth:`Session.generate`.
    generation: Mapping[str, Any] = field(default_factory=dict)
    #: Of texts with tags: as of :meth:`Dataset.from_words`.
    all_pieces: bool = False
    #: As of :class:`Trainer`; None: the task's own.
    loss: str | None = None
    loss_settings: Mapping[str, Any] | None = None

    @property
    def objective(self) -> dict[str, Any]:
        """Arguments of :class:`Trainer` that are given in place of the task's own."""
        given = {"loss": self.loss, "loss_settings": self.loss_settings}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Adapted:
    """A model with what acts on it."""

    model: Model
    tokenizer: Tokenizer
    adapter: Adapter
    threads: int = 0
    #: 0: where rows were cut that the adapter was trained on.
    maximum_length: int = 0

    @property
    def limit(self) -> int | None:
        """Tokens where rows are cut; None: nowhere but at the model's end."""
        return self.maximum_length or self.adapter.maximum_length or self.tokenizer.maximum_length

    def session(self) -> Session:
        """To predict with."""
        return Session(
            self.model, self.tokenizer, self.adapter, self.threads, maximum_length=self.maximum_length
        )


class TableTask:
    """One of them."""

    #: What ``--task`` calls it, and the task of the adapter's head, one of :func:`graft.tasks`.
    name = ""
    task = ""
    #: Tables that have all of these columns are for it; there may be several such sets.
    columns: tuple[tuple[str, ...], ...] = ()
    #: The same, where it is said that they are for it.
    columns_when_said: tuple[tuple[str, ...], ...] = ()
    #: What is what where it is said, of tables whose columns have no names: these are taken for a
    #: text, a pair and a label.
    renamed: Mapping[str, str] = {}
    #: Whether its head reads a row, so that one may choose how.
    reads_rows = False
    #: Whether a file whose name says no format has a text on each line.
    reads_lines = False
    #: Whether it gives texts with candidates a score for each.
    scores_candidates = False
    #: Most columns of a line to predict on.
    line_width: int | None = 2

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        """The rows of a table, and the names of their labels."""
        raise NotImplementedError

    def training(self, tokenizer: Tokenizer, table: Table) -> dict[str, Any]:
        """Arguments of :class:`Trainer` that it needs for such a table."""
        return {}

    def evaluate(self, adapted: Adapted, table: Table, asking: Asking) -> Evaluation:
        """What the adapter is worth on the rows of a table."""
        return self.measured(adapted, table, asking)

    def measured(self, adapted: Adapted, table: Table, asking: Asking) -> Evaluation:
        """The loss, and what a trainer measures beside it."""
        adapter = adapted.adapter
        rows = Dataset.from_table(
            adapted.tokenizer,
            table,
            task=self.name,
            label_names=adapter.labels or None,
            maximum_length=adapted.maximum_length or adapter.maximum_length or 0,
            all_pieces=asking.all_pieces,
            stride=asking.stride,
            mask_each=True,
            end_tokens=adapted.model.end_tokens[:1],
        )
        own = {**self.training(adapted.tokenizer, table), **asking.objective}
        with Trainer(adapted.model, adapter, threads=adapted.threads, **own) as trainer:
            return trainer.evaluate(rows)

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        """Of each text what machines get."""
        raise NotImplementedError

    def line(self, row: dict[str, Any]) -> str:
        """The same as people get it, which stands before the text."""
        raise NotImplementedError
