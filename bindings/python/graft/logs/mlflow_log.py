"""A training in MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..callbacks import Callback
from ..metrics import Metrics
from .needed import needed
from .records import flattened, of_evaluation, of_step

if TYPE_CHECKING:
    from ..trainer import Trainer

#: Characters of a parameter's value that every store takes.
LONGEST = 500


class MLflowLog(Callback):
    """A callback that writes a training to MLflow, with the package mlflow or mlflow-skinny: the
    recipe as parameters such as ``training.learning_rate``, ``train/loss`` and the like of each
    step, and ``evaluation/accuracy`` and the like of each evaluation. The run ends with the
    training, as failed where an exception ended it. The status of an error is UNSUPPORTED where the
    package is missing.

    >>> graft.Trainer(model, adapter, callbacks=[graft.MLflowLog("intents")])

    :param experiment: its name; made where there is none.
    :param run_name: None: chosen by MLflow.
    :param tracking_uri: where runs are kept, such as ``"sqlite:///runs.db"``; None: as MLflow is
        set up.
    """

    def __init__(
        self, experiment: str = "Default", *, run_name: str | None = None, tracking_uri: str | None = None
    ) -> None:
        self._package = needed("mlflow", "mlflow", "MLflowLog")
        self._experiment, self._name = experiment, run_name
        self._client: Any = self._package.MlflowClient(tracking_uri=tracking_uri)
        self._run: str | None = None

    def on_train_begin(self, trainer: Trainer) -> None:
        """Starts the run."""
        found = self._client.get_experiment_by_name(self._experiment)
        experiment = found.experiment_id if found is not None else self._client.create_experiment(self._experiment)
        self._run = str(self._client.create_run(experiment, run_name=self._name).info.run_id)
        entities = self._package.entities
        values = {name: str(value)[:LONGEST] for name, value in flattened(trainer.recipe).items()}
        self._client.log_batch(self._run, params=[entities.Param(name, value) for name, value in values.items()])

    def on_step_end(self, metrics: Metrics) -> None:
        """Writes a step."""
        self._write("train", metrics, of_step(metrics))

    def on_evaluate(self, metrics: Metrics) -> None:
        """Writes an evaluation."""
        self._write("evaluation", metrics, of_evaluation(metrics))

    def on_train_end(self, metrics: Metrics | None) -> None:
        """Ends the run."""
        if self._run is not None:
            self._client.set_terminated(self._run, "FAILED" if metrics is None else "FINISHED")
            self._run = None

    def _write(self, group: str, metrics: Metrics, values: dict[str, float]) -> None:
        import time

        now, metric = int(time.time() * 1000), self._package.entities.Metric
        written = [metric(f"{group}/{name}", value, now, metrics.step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=written)
