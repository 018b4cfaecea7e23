"""How a training went, in memory or as a file of JSON lines has it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from ..callbacks import Callback
from ..errors import GraftError, Status
from ..metrics import Metrics
from ..values import of_json
from .records import of_evaluation, of_step

if TYPE_CHECKING:
    from ..trainer import Trainer


class History(Callback):
    """A callback that keeps how a training goes, for :func:`report` and :mod:`graft.figures`.

    >>> history = graft.History()
    >>> graft.Trainer(model, adapter, callbacks=[history]).fit(train, validation)
    >>> graft.report("report.html", history=history)
    """

    def __init__(self) -> None:
        #: All settings, as :attr:`Trainer.recipe` has them.
        self.recipe: dict[str, Any] = {}
        #: Of each step ``"step"``, ``"epoch"``, ``"loss"``, ``"learning_rate"``,
        #: ``"gradient_norm"``, ``"tokens_per_second"`` and ``"seconds"`` since the start.
        self.steps: list[dict[str, float]] = []
        #: Of each evaluation ``"step"``, ``"epoch"``, ``"seconds"`` and its measures.
        self.evaluations: list[dict[str, float]] = []
        self._started = time.monotonic()

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> History:
        """From the file of a :class:`JsonLog`. What a later run wrote replaces what the run before
        it wrote of the same steps and of those behind them, be it gone on with or done again."""
        made, name = cls(), os.fsdecode(path)
        steps: dict[float, dict[str, float]] = {}
        evaluations: dict[float, dict[str, float]] = {}
        is_new = True
        try:
            with open(path, encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    try:
                        record = of_json(line)
                        kind = record.pop("kind")
                        if kind == "recipe":
                            made.recipe, is_new = record, True
                        elif kind in ("step", "evaluation"):
                            if is_new:
                                steps, evaluations = (_before(record["step"], own) for own in (steps, evaluations))
                                is_new = False
                            (steps if kind == "step" else evaluations)[record["step"]] = record
                    except (ValueError, KeyError, AttributeError, TypeError):
                        expected = f'expected an object with "kind", found {line.strip()[:60]!r}'
                        raise GraftError(Status.CORRUPT_FILE, f"{name}: line {number}: {expected}") from None
        except UnicodeDecodeError as error:
            raise GraftError(Status.CORRUPT_FILE, f"{name}: expected UTF-8: {error}") from None
        except OSError as error:
            status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.IO
            raise GraftError(status, f"{name}: {error.strerror}") from error
        made.steps = [steps[step] for step in sorted(steps)]
        made.evaluations = [evaluations[step] for step in sorted(evaluations)]
        return made

    def on_train_begin(self, trainer: Trainer) -> None:
        """Keeps the recipe."""
        self.recipe = trainer.recipe
        self._started = time.monotonic()

    def on_step_end(self, metrics: Metrics) -> None:
        """Keeps a step."""
        self.steps.append({**self._place(metrics), **of_step(metrics)})

    def on_evaluate(self, metrics: Metrics) -> None:
        """Keeps an evaluation."""
        self.evaluations.append({**self._place(metrics), **of_evaluation(metrics)})

    def _place(self, metrics: Metrics) -> dict[str, float]:
        return {"step": metrics.step, "epoch": metrics.epoch, "seconds": round(time.monotonic() - self._started, 6)}


def _before(step: float, records: dict[float, dict[str, float]]) -> dict[float, dict[str, float]]:
    return {own: record for own, record in records.items() if own < step}
