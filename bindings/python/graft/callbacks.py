"""Who is told of a training while it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .metrics import Metrics
from .values import as_list, asks_to_stop

if TYPE_CHECKING:
    from .trainer import Trainer

#: The file of a checkpoint that a new one replaces.
CHECKPOINT_FILE = "trainer.safetensors"


class Callback:
    """What a :class:`Trainer` tells its ``callbacks``. A class of one's own need not inherit from
    this one, and may lack any of the methods.

    >>> class Losses(graft.Callback):
    ...     def on_step_end(self, metrics):
    ...         print(metrics.step, metrics.loss)
    >>> graft.Trainer(model, adapter, callbacks=[Losses()])

    An exception ends the training, and is raised there. None of them can make a call of the
    trainer.
    """

    def on_train_begin(self, trainer: Trainer) -> None:
        """Before the first step."""

    def on_step_end(self, metrics: Metrics) -> bool | None:
        """After each step. True ends the training there."""

    def on_evaluate(self, metrics: Metrics) -> bool | None:
        """After each evaluation, which is ``metrics.evaluation``. True ends the training there."""

    def on_save(self, path: str) -> None:
        """After a checkpoint was written, before the next step is told of."""

    def on_train_end(self, metrics: Metrics | None) -> None:
        """At the end, however it came; None where an exception ended it."""


def as_callbacks(given: Iterable[object]) -> list[object]:
    """Objects that a trainer has something to tell; one without any such method is a mistake."""
    callbacks: list[object] = as_list(given, "callbacks", "objects")
    names = [name for name in vars(Callback) if name.startswith("on_")]
    for place, callback in enumerate(callbacks):
        if isinstance(callback, type) or not any(hasattr(callback, name) for name in names):
            found = f"the class {callback.__name__}" if isinstance(callback, type) else type(callback).__name__
            raise TypeError(f"callbacks[{place}]: expected an object with some of {', '.join(names)}; found {found}")
    return callbacks


class Listeners:
    """All that are told of one training."""

    def __init__(
        self,
        callbacks: list[object],
        function: Callable[[Metrics], bool | None] | None,
        checkpoint_path: str | None,
    ) -> None:
        self._callbacks = callbacks
        self._function = function
        self._path = checkpoint_path
        self._saved = self._checkpoint()

    def begin(self, trainer: Trainer) -> None:
        """Before the first step."""
        self._tell("on_train_begin", trainer)

    def tell(self, metrics: Metrics) -> bool:
        """After each step and evaluation; whether any asks to stop."""
        self._tell_of_checkpoint()
        name = "on_step_end" if metrics.evaluation is None else "on_evaluate"
        stops = self._tell(name, metrics)
        if self._function is not None:
            stops = asks_to_stop(self._function(metrics), "callback") or stops
        return stops

    def end(self, metrics: Metrics | None) -> None:
        """At the end, however it came."""
        self._tell_of_checkpoint()
        self._tell("on_train_end", metrics)

    def saved(self, path: str) -> None:
        """After a checkpoint was written."""
        self._tell("on_save", path)

    def _tell(self, name: str, argument: object) -> bool:
        stops = False
        for callback in self._callbacks:
            method = getattr(callback, name, None)
            if method is not None:
                stops = asks_to_stop(method(argument), f"{type(callback).__name__}.{name}") or stops
        return stops

    def _tell_of_checkpoint(self) -> None:
        """The library writes checkpoints between two calls of its callback: a new file says so."""
        now = self._checkpoint()
        if self._path is not None and now is not None and now != self._saved:
            self._saved = now
            self.saved(self._path)

    def _checkpoint(self) -> tuple[int, int] | None:
        """What tells one checkpoint from the next."""
        if self._path is None or not self._callbacks:
            return None
        try:
            found = os.stat(os.path.join(self._path, CHECKPOINT_FILE))
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns
