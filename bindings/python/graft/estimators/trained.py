"""What estimators that train an adapter have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from ctypes import c_double
from dataclasses import KW_ONLY, dataclass
from operator import index
from typing import Any

from ..adapter import Adapter, HeadPooling
from ..data.splits import split_rows
from ..data.table import Table
from ..dataset import Dataset
from ..errors import GraftError, invalid
from ..model import Precision
from ..session import Session
from ..starting import first_adapter
from ..table_tasks.table_task import TableTask
from ..tokenizer import Tokenizer
from ..trainer import Trainer
from ..values import c_number, shown
from .base import Base, Fitted, opened
from .parameters import Estimator

#: The rows of some numbers as a data set.
MakeDataset = Callable[[Tokenizer, Sequence[int]], Dataset]


@dataclass(repr=False, eq=False)
class TrainedEstimator(Estimator):
    """An adapter on a base model, trained in ``fit``."""

    #: Folder of the base model. Estimators of one folder share it.
    model: str | os.PathLike[str]
    _: KW_ONLY
    #: The adapter's, as of :meth:`Adapter.create`.
    method: str = "lora"
    #: The method's settings, as of :meth:`Adapter.create`.
    config: Mapping[str, Any] | None = None
    #: Folder of an adapter that goes on instead of a fresh one, with its own method and settings,
    #: and with its head where task and labels are the same.
    start: str | os.PathLike[str] | None = None
    #: Of the base model.
    precision: Precision = "float32"
    #: Tokens at which rows are cut; 0: the tokenizer's.
    maximum_length: int = 0
    #: The peak of it.
    learning_rate: float = 1e-3
    #: Times that every row is learned from, at most.
    epoch_count: int = 6
    #: Rows of a step.
    rows_per_batch: int = 16
    #: Other arguments of :class:`Trainer`, such as ``{"optimizer": "sgd"}``.
    trainer_settings: Mapping[str, Any] | None = None
    #: Whether to hold out some rows, stop when they get no better, and keep the best weights.
    early_stopping: bool = False
    #: The part of all rows that is held out, from each class alike.
    validation_fraction: float = 0.1
    #: Epochs without a better measure before it stops; 0: never, but the best weights are kept.
    patience: int = 3
    #: What early stopping watches, as of :class:`Trainer`; None: the loss.
    metric: str | None = None
    #: Of the adapter's first weights, the rows' order and those held out: a number, or numpy's
    #: RandomState, which gives one; None: 0.
    random_state: Any = None
    #: 0: one per core. Results do not depend on it.
    threads: int = 0
    #: Whether to show a bar on standard error.
    verbose: bool = False

    @property
    def adapter_(self) -> Adapter:
        """The trained adapter, to save or to use in a :class:`Session`."""
        _, adapter = self._opened()
        assert adapter is not None
        return adapter

    def _opened(self) -> tuple[Base, Adapter | None]:
        self._require_fit()
        return self._fitted.open(self.model, self.precision)

    def _session(self) -> Session:
        self._require_fit()
        return self._fitted.session(self.model, self.precision, self.threads, 0)

    def _fit(
        self,
        dataset: MakeDataset,
        count: int,
        task: str,
        labels: Iterable[str],
        *,
        strata: Sequence[Hashable] | None = None,
        pooling: HeadPooling | None = None,
        crf: bool = False,
        class_weights: Sequence[float] | None = None,
        held_out: MakeDataset | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> Sequence[int]:
        """Trains an adapter on the rows, or on what is not held out of them. Gives the numbers
        of those held out.

        :param strata: of each row, what has the same share of those held out; None: all are alike.
        :param held_out: what makes a data set of these; None: what makes that of the others.
        :param training: arguments of the trainer that the task needs.
        """
        seed = self._seed()
        train: Sequence[int] = range(count)
        held: Sequence[int] = ()
        if self.early_stopping:
            fraction = c_number(c_double, self.validation_fraction, "validation_fraction")
            keys = None if strata is None else list(map(str, strata))
            try:
                train, held = split_rows(count, [fraction], seed, keys)
            except GraftError as error:
                raise invalid(f"early_stopping: no part of {count} rows can be held out: {error}") from None
        if not isinstance(self.trainer_settings, (Mapping, type(None))):
            raise TypeError(
                f"trainer_settings: expected values by the names of Trainer's parameters, found {shown(self.trainer_settings)}"
            )
        settings = dict(self.trainer_settings or {})
        own: dict[str, Any] = {
            "seed": seed,
            "threads": self.threads,
            "learning_rate": self.learning_rate,
            "epoch_count": self.epoch_count,
            "rows_per_batch": self.rows_per_batch,
            "class_weights": class_weights,
            "patience": self.patience if held else 0,
            "metric": self.metric,
            **(training or {}),
        }
        if taken := sorted(own.keys() & settings.keys()):
            raise invalid(
                f"trainer_settings: {', '.join(taken)} cannot be set there, but by the estimator's own parameters"
            )
        base = opened(self.model, self.precision)
        adapter = first_adapter(
            base.model, self.start, self.method, self.config, seed, task, labels, pooling=pooling, crf=crf
        )
        with Trainer(base.model, adapter, **own, **settings) as trainer:
            metrics = trainer.fit(
                dataset(base.tokenizer, train),
                (held_out or dataset)(base.tokenizer, held) if held else None,
                progress=self.verbose,
            )
        #: What :meth:`Trainer.fit` measured last, or best where rows were held out.
        self.metrics_ = metrics
        self._fitted = Fitted(base, adapter)
        return held

    def _fit_table(self, table: Table, task: TableTask, pooling: HeadPooling | None = None, **making: Any) -> None:
        """Trains one on a table, whose labels have no names."""
        base = opened(self.model, self.precision)

        def dataset(tokenizer: Tokenizer, rows: Sequence[int], mask_each: bool = False) -> Dataset:
            given = {"maximum_length": self.maximum_length, "end_tokens": base.model.end_tokens[:1], **making}
            return Dataset.from_table(tokenizer, table.take(rows), task=task.name, mask_each=mask_each, **given)

        self._fit(
            dataset,
            len(table),
            task.task,
            [],
            pooling=pooling,
            held_out=lambda tokenizer, rows: dataset(tokenizer, rows, True),
            training=task.training(base.tokenizer, table),
        )

    def _seed(self) -> int:
        state = self.random_state
        if hasattr(state, "randint"):
            return int(state.randint(2**31 - 1))
        if hasattr(state, "integers"):
            return int(state.integers(2**31 - 1))
        try:
            return 0 if state is None else index(state)
        except TypeError:
            raise TypeError(f"random_state: expected an integer or numpy's RandomState, found {shown(state)}") from None


def check_call(y: Any, unsupported: Mapping[str, Any]) -> None:
    """Refuses a ``fit`` without targets, and one with weights of rows, which would be left out."""
    if y is None:
        raise invalid("y: fit requires y to be passed, but the target y is None")
    for name in unsupported:
        advice = (
            ": rows have no weights of their own, but classes have: class_weight" if name == "sample_weight" else ""
        )
        raise TypeError(f"fit has no argument {name}{advice}")
