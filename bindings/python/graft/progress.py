"""How far a training is: a bar of tqdm or rich where one of them is installed, else one plain line."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import Any, Protocol

from .metrics import Metrics, described


class Progress(Protocol):
    """Shows a training while it runs."""

    def show(self, metrics: Metrics) -> None:
        """After each step and each evaluation."""

    def close(self) -> None:
        """At the end, however it came."""


def _summary(metrics: Metrics) -> str:
    return (
        f"loss {metrics.loss:.4f}  rate {metrics.learning_rate:.1e}  "
        f"{metrics.tokens_per_second:,.0f} tokens/s"
    )


def _evaluation(metrics: Metrics) -> str:
    measures = described(
        ("loss", metrics.loss, ".4f"), ("accuracy", metrics.accuracy, ".4f"), ("macro F1", metrics.macro_f1, ".4f")
    )
    return f"step {metrics.step}: {measures}  on the evaluation set"


class TqdmProgress:
    """A bar of tqdm."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._bar: Any = None

    def show(self, metrics: Metrics) -> None:
        if self._bar is None:
            self._bar = self._module.tqdm(total=metrics.total_steps or None, unit="step", dynamic_ncols=True)
        if metrics.evaluation:
            self._bar.write(_evaluation(metrics), file=sys.stderr)
            return
        self._bar.set_postfix_str(_summary(metrics), refresh=False)
        self._bar.update(metrics.step - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class RichProgress:
    """A bar of rich."""

    def __init__(self, module: Any, console: Any) -> None:
        self._progress = module.Progress(
            module.TextColumn("{task.description}"),
            module.BarColumn(),
            module.MofNCompleteColumn(),
            module.TimeRemainingColumn(),
            console=console,
        )
        self._task = self._progress.add_task("training", total=None)
        self._progress.start()

    def show(self, metrics: Metrics) -> None:
        if metrics.evaluation:
            self._progress.console.print(_evaluation(metrics), highlight=False)
            return
        self._progress.update(
            self._task, completed=metrics.step, total=metrics.total_steps or None, description=_summary(metrics)
        )

    def close(self) -> None:
        self._progress.stop()


class PlainProgress:
    """One line, rewritten on a terminal; elsewhere a line every ten seconds."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._interval = 0.1 if self._terminal else 10.0
        self._latest = -self._interval

    def show(self, metrics: Metrics) -> None:
        if metrics.evaluation:
            self._line(_evaluation(metrics))
            return
        now = time.monotonic()
        finished = metrics.step == metrics.total_steps
        if now - self._latest < self._interval and not finished:
            return
        self._latest = now
        text = _summary(metrics)
        if metrics.total_steps:
            filled = 24 * metrics.step // metrics.total_steps
            text = f"[{'#' * filled}{'.' * (24 - filled)}] {metrics.step}/{metrics.total_steps}  {text}"
        if self._terminal:
            print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)

    def _line(self, text: str) -> None:
        print(f"\r{text}\033[K" if self._terminal else text, file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._terminal:
            print(file=sys.stderr)


def make_progress() -> Progress | None:
    """The best that is installed; None in a program that has no standard error, such as a service."""
    if sys.stderr is None:
        return None
    try:
        return TqdmProgress(import_module("tqdm"))
    except ImportError:
        pass
    try:
        return RichProgress(import_module("rich.progress"), import_module("rich.console").Console(stderr=True))
    except ImportError:
        return PlainProgress()
