"""A training as a file of JSON lines."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import GraftError, Status
from ..metrics import Metrics
from .history import History

if TYPE_CHECKING:
    from ..trainer import Trainer


class JsonLog(History):
    """A callback that writes a training to a file, an object on each line as it happens, and keeps
    it as a :class:`History` does, which :meth:`read` makes of the file.

    ``{"kind": "recipe", "training": {...}, "model": {...}, ...}`` is the first line, then
    ``{"kind": "step", "step": 1, "loss": ...}`` and ``{"kind": "evaluation", "step": ...}``, and
    ``{"kind": "end"}`` where the training was not ended by an exception. What does not apply is
    left out.

    :param path: a file that is there is added to, as where a training goes on from a checkpoint.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self._path = os.fsdecode(path)
        self._file: TextIO | None = None

    def on_train_begin(self, trainer: Trainer) -> None:
        """Opens the file and writes the recipe."""
        super().on_train_begin(trainer)
        try:
            self._file = open(self._path, "a", encoding="utf-8")  # until the training ends
        except OSError as error:
            raise GraftError(Status.IO, f"{self._path}: {error.strerror}") from error
        self._write("recipe", self.recipe)

    def on_step_end(self, metrics: Metrics) -> None:
        """Writes a step."""
        super().on_step_end(metrics)
        self._write("step", self.steps[-1])

    def on_evaluate(self, metrics: Metrics) -> None:
        """Writes an evaluation."""
        super().on_evaluate(metrics)
        self._write("evaluation", self.evaluations[-1])

    def on_train_end(self, metrics: Metrics | None) -> None:
        """Closes the file."""
        if self._file is not None:
            if metrics is not None:
                self._write("end", {"step": metrics.step})
            self._file.close()
            self._file = None

    def _write(self, kind: str, record: dict[str, Any]) -> None:
        """A line, at once: who follows the file sees it."""
        assert self._file is not None, "on_train_begin opens it"
        self._file.write(json.dumps({"kind": kind, **record}, ensure_ascii=False, default=str) + "\n")
        self._file.flush()
