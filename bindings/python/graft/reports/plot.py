"""A picture with two axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .markup import Html, tag
from .numbers import tick
from .thinning import Point

WIDTH, HEIGHT = 420, 250
RIGHT, TOP, BOTTOM = 12, 10, 40


class Axis(NamedTuple):
    """A range of numbers, with marks at round ones."""

    name: str
    low: float
    high: float
    marks: list[float]
    #: Between two marks.
    step: float

    @classmethod
    def around(cls, name: str, values: Iterable[float], count: int = 5, from_zero: bool = False) -> Axis:
        """Of all finite values, and somewhat more: from a mark to a mark."""
        known = [value for value in values if math.isfinite(value)]
        low, high = (min(known), max(known)) if known else (0.0, 1.0)
        low = min(low, 0.0) if from_zero else low
        if high - low <= abs(high) * 1e-9:
            high = low + (abs(low) * 0.1 or 1.0)
        step = _round_step((high - low) / count)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        marks = [number * step for number in range(first, last + 1)]
        return cls(name, marks[0], marks[-1], marks, step)

    @classmethod
    def of_steps(cls, name: str, last: float) -> Axis:
        """From 0 to exactly the last of what is counted."""
        step = max(1.0, _round_step(last / 5))
        marks = [number * step for number in range(int(last / step) + 1)]
        return cls(name, 0.0, max(last, 1.0), marks, step)

    @classmethod
    def of_parts(cls, name: str) -> Axis:
        """From 0 to 1."""
        return cls(name, 0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], 0.2)


class Plot:
    """Axes, and where numbers are between them."""

    def __init__(self, x: Axis, y: Axis, width: float = WIDTH, height: float = HEIGHT) -> None:
        self.x_axis, self.y_axis = x, y
        self.width, self.height = width, height
        # Numbers beside the axis, and no more room than they need.
        self.left = (26 if y.name else 10) + 6.8 * max(len(tick(mark, y.step)) for mark in y.marks)
        self._parts: list[Html] = []

    def x(self, value: float) -> float:
        """Where a number is from left to right."""
        share = (value - self.x_axis.low) / (self.x_axis.high - self.x_axis.low)
        return self.left + share * (self.width - self.left - RIGHT)

    def y(self, value: float) -> float:
        """Where a number is from top to bottom."""
        share = (value - self.y_axis.low) / (self.y_axis.high - self.y_axis.low)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)

    def curve(self, points: Sequence[Point], kind: str, title: str = "") -> None:
        """A line through points. ``kind``: its classes in the style."""
        if points:
            steps = [f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points]
            own = tag("title", title) if title else Html()
            self._parts.append(tag("path", own, class_=f"curve {kind}", d="M" + "L".join(steps)))

    def dot(self, point: Point, kind: str = "dot", radius: float = 3.5, title: str = "") -> None:
        """A mark at a point."""
        if not all(map(math.isfinite, point)):
            return
        own = tag("title", title) if title else Html()
        self._parts.append(tag("circle", own, class_=kind, cx=self.x(point[0]), cy=self.y(point[1]), r=radius))

    def bar(
        self, low: float, high: float, value: float, title: str, opacity: float | None = None, gap: float = 1
    ) -> None:
        """A bar between two numbers, from the bottom up."""
        top, bottom = self.y(value), self.y(max(0.0, self.y_axis.low))
        self._parts.append(
            tag(
                "rect",
                tag("title", title),
                class_="fill",
                x=self.x(low) + gap / 2,
                y=top,
                width=max(0.5, self.x(high) - self.x(low) - gap),
                height=max(0.0, bottom - top),
                fill_opacity=opacity,
            )
        )

    def cell(self, x: tuple[float, float], y: tuple[float, float], opacity: float, title: str) -> None:
        """A part of the area, as dark as it is full."""
        self._parts.append(
            tag(
                "rect",
                tag("title", title),
                class_="fill",
                x=self.x(x[0]),
                y=self.y(y[1]),
                width=self.x(x[1]) - self.x(x[0]),
                height=self.y(y[0]) - self.y(y[1]),
                fill_opacity=opacity,
            )
        )

    def text(self, point: Point, text: str, anchor: str = "start", dx: float = 0, dy: float = 0) -> None:
        """A word at a point."""
        self._parts.append(
            tag("text", text, x=self.x(point[0]) + dx, y=self.y(point[1]) + dy, text_anchor=anchor, class_="name")
        )

    def svg(self, label: str) -> Html:
        """The picture; ``label`` says to those who do not see it what it shows."""
        return tag(
            "svg",
            *self._axes(),
            *self._parts,
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            role="img",
            aria_label=label,
        )

    def _axes(self) -> Iterable[Html]:
        right, bottom = self.width - RIGHT, self.height - BOTTOM
        for mark in self.y_axis.marks:
            y = self.y(mark)
            yield tag("line", class_="rule", x1=self.left, y1=y, x2=right, y2=y)
            yield tag("text", tick(mark, self.y_axis.step), x=self.left - 7, y=y + 4, text_anchor="end")
        yield tag("line", class_="base", x1=self.left, y1=bottom, x2=right, y2=bottom)
        for mark in self.x_axis.marks:
            x = self.x(mark)
            yield tag("line", class_="base", x1=x, y1=bottom, x2=x, y2=bottom + 4)
            yield tag("text", tick(mark, self.x_axis.step), x=x, y=bottom + 17, text_anchor="middle")
        middle = (self.left + right) / 2
        yield tag("text", self.x_axis.name, x=middle, y=self.height - 5, text_anchor="middle")
        if self.y_axis.name:
            turn = f"translate(11 {(TOP + bottom) / 2:.1f}) rotate(-90)"
            yield tag("text", self.y_axis.name, transform=turn, text_anchor="middle")


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of 10, at least so much."""
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= least * (1 - 1e-9))
