"""How far a training is: a bar that is drawn again in its place on a terminal, a few plain lines
elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO

from .metrics import Metrics

#: Seconds between two drawings of the bar, and the lines that a training prints where there is no
#: terminal.
INTERVAL, LINES = 0.1, 10
BAR_WIDTH = 24


class Progress:
    """Shows a training on a stream while it runs. A stream that fails is left alone: a training is
    worth more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._redraws = _is_terminal(stream)
        self._started = time.monotonic()
        self._drawn = 0.0
        self._bar = ""
        self._first_step: int | None = None
        self._lines = 0
        self._has_failed = False

    def show(self, metrics: Metrics) -> None:
        """After each step and each evaluation."""
        if self._first_step is None:
            self._first_step = metrics.step - 1
        if metrics.evaluation is not None:
            self._print(f"step {metrics.step}: {metrics.evaluation.measures()}  on the evaluation set")
        elif self._redraws:
            self._draw(metrics)
        else:
            self._print_some(metrics)

    def close(self) -> None:
        """At the end, however it came: what follows begins on a line of its own."""
        if self._bar:
            self._write("\n")
            self._bar = ""

    def _draw(self, metrics: Metrics) -> None:
        now = time.monotonic()
        if now - self._drawn < INTERVAL and metrics.step != metrics.total_steps:
            return
        self._drawn = now
        # A line that is full would wrap, and its first half stay behind.
        self._bar = self._text(metrics)[: _columns(self._stream) - 1]
        self._write(f"\r{self._bar}\033[K")

    def _print_some(self, metrics: Metrics) -> None:
        due = LINES * metrics.step // metrics.total_steps if metrics.total_steps else 0
        if due > self._lines:
            self._lines = due
            self._print(self._text(metrics))

    def _print(self, line: str) -> None:
        self._write(f"\r{line}\033[K\n{self._bar}" if self._redraws else f"{line}\n")

    def _write(self, text: str) -> None:
        if self._has_failed:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # closed, or nobody reads it any more
            self._has_failed = True

    def _text(self, metrics: Metrics) -> str:
        summary = f"loss {metrics.loss:.4f}  {metrics.tokens_per_second:,.0f} tokens/s"
        if not metrics.total_steps:
            return f"step {metrics.step}  {summary}"
        filled = BAR_WIDTH * metrics.step // metrics.total_steps
        bar = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] " if self._redraws else "step "
        return f"{bar}{metrics.step}/{metrics.total_steps}  {summary}  {self._left(metrics)}"

    def _left(self, metrics: Metrics) -> str:
        """How long it will take at the pace so far, evaluations included."""
        passed = time.monotonic() - self._started
        steps = metrics.step - (self._first_step or 0)
        rest = metrics.total_steps - metrics.step
        return f"{_duration(passed)} passed" if rest <= 0 else f"{_duration(passed / max(steps, 1) * rest)} left"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):
        return False


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (AttributeError, OSError, ValueError):
        return 80


def make_progress() -> Progress | None:
    """None in a program that has no standard error, such as a service."""
    return None if sys.stderr is None else Progress(sys.stderr)
