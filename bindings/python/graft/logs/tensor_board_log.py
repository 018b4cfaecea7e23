"""A training as TensorBoard shows it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..callbacks import Callback
from ..metrics import Metrics
from .needed import needed
from .records import flattened, of_evaluation, of_step

if TYPE_CHECKING:
    from ..trainer import Trainer


class TensorBoardLog(Callback):
    """A callback that writes a training for TensorBoard, with the package tensorboardX: scalars
    ``train/loss``, ``train/learning_rate``, ``train/gradient_norm`` and
    ``train/tokens_per_second`` of each step, the measures of each evaluation as
    ``evaluation/accuracy`` and so on, the settings as a text, and histograms of the adapter's
    parameters before and after. The status of an error is UNSUPPORTED where a package is missing.

    >>> graft.Trainer(model, adapter, callbacks=[graft.TensorBoardLog("runs/first")])

    :param path: folder of the run; None: one below ``runs`` in the current folder, by date and
        host.
    :param histograms: whether parameters have histograms, which takes numpy.
    :param images: whether each evaluation has its confusion matrix as an image, which takes
        matplotlib.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, histograms: bool = True, images: bool = False
    ) -> None:
        self._package = needed("tensorboardX", "tensorboardX", "TensorBoardLog")
        if histograms:
            needed("numpy", "numpy", "histograms of TensorBoardLog")
        if images:
            needed("matplotlib", "matplotlib", "images of TensorBoardLog")
        self._path = None if path is None else os.fsdecode(path)
        self._histograms, self._images = histograms, images
        self._writer: Any = None
        self._trainer: Trainer | None = None
        self._step = 0

    def on_train_begin(self, trainer: Trainer) -> None:
        """Opens the run, and writes settings and histograms."""
        self._trainer = trainer
        self._writer = self._package.SummaryWriter(self._path)
        lines = ["| setting | value |", "| --- | --- |"]
        lines += [f"| {name} | {value} |" for name, value in flattened(trainer.recipe).items()]
        self._writer.add_text("recipe", "\n".join(lines), 0)
        self._write_histograms()

    def on_step_end(self, metrics: Metrics) -> None:
        """Writes a step."""
        self._step = metrics.step
        self._write("train", of_step(metrics))

    def on_evaluate(self, metrics: Metrics) -> None:
        """Writes an evaluation."""
        self._step = metrics.step
        self._write("evaluation", of_evaluation(metrics))
        if self._images and metrics.evaluation is not None and metrics.evaluation.confusion:
            from .. import figures

            self._writer.add_figure("evaluation/confusion", figures.confusion(metrics.evaluation), metrics.step)

    def on_train_end(self, metrics: Metrics | None) -> None:
        """Writes histograms and closes the run."""
        if self._writer is not None:
            self._write_histograms()
            self._writer.close()
            self._writer = None
        self._trainer = None

    def _write(self, group: str, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, self._step)

    def _write_histograms(self) -> None:
        if not self._histograms or self._trainer is None:
            return
        import numpy

        from ..reports.weights import tensors

        for name, _, numbers in tensors(self._trainer.adapter.to_files()):
            self._writer.add_histogram(f"adapter/{name}", numpy.asarray(numbers), self._step)
