"""A training in Weights & Biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..callbacks import Callback
from ..metrics import Metrics
from .needed import needed
from .records import of_evaluation, of_step

if TYPE_CHECKING:
    from ..trainer import Trainer


class WandbLog(Callback):
    """A callback that writes a training to Weights & Biases, with the package wandb: the recipe as
    the run's configuration, ``train/loss`` and the like of each step, and ``evaluation/accuracy``
    and the like of each evaluation. The run is finished when the training ends, as failed where an
    exception ended it. The status of an error is UNSUPPORTED where the package is missing.

    >>> graft.Trainer(model, adapter, callbacks=[graft.WandbLog(project="intents", mode="offline")])

    :param settings: of ``wandb.init``, such as ``project``, ``name``, ``dir`` and ``mode``.
    """

    def __init__(self, **settings: Any) -> None:
        self._package = needed("wandb", "wandb", "WandbLog")
        self._settings = settings
        self._run: Any = None

    def on_train_begin(self, trainer: Trainer) -> None:
        """Starts the run."""
        config = {**trainer.recipe, **self._settings.get("config", {})}
        self._run = self._package.init(**{**self._settings, "config": config})
        # An evaluation belongs to the step before it, which is written by then.
        self._run.define_metric("step")
        self._run.define_metric("*", step_metric="step")

    def on_step_end(self, metrics: Metrics) -> None:
        """Writes a step."""
        self._write("train", metrics, of_step(metrics))

    def on_evaluate(self, metrics: Metrics) -> None:
        """Writes an evaluation."""
        self._write("evaluation", metrics, of_evaluation(metrics))

    def on_train_end(self, metrics: Metrics | None) -> None:
        """Finishes the run."""
        if self._run is not None:
            self._run.finish(exit_code=1 if metrics is None else 0)
            self._run = None

    def _write(self, group: str, metrics: Metrics, values: dict[str, float]) -> None:
        self._run.log({"step": metrics.step, **{f"{group}/{name}": value for name, value in values.items()}})
