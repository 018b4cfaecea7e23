"""A curve with fewer points that looks the same."""

from __future__ import annotations

import math
from collections.abc import Iterable

Point = tuple[float, float]
#: Columns into which a curve is divided, more than a picture has dots across.
COLUMNS = 1000
#: How far the thinned curve may be off, as a part of the picture.
TOLERANCE = 0.001


def thinned(points: Iterable[Point], tolerance: float = TOLERANCE) -> list[Point]:
    """The points of a curve that a picture needs, in their order: none that is left out is further
    from the line between those that are kept than ``tolerance`` and a column of the grid, as parts
    of the curve's width and height.

    Of each column of a fine grid the first, lowest, highest and last point stay (M4: Jugel et al.
    2014), and of these those that Douglas and Peucker's method keeps. O(n).
    """
    given = [point for point in points if math.isfinite(point[0]) and math.isfinite(point[1])]
    if len(given) <= 2:
        return given
    xs, ys = [x for x, _ in given], [y for _, y in given]
    left, bottom = min(xs), min(ys)
    width, height = max(xs) - left or 1.0, max(ys) - bottom or 1.0
    if len(given) > 4 * COLUMNS:
        given = _by_columns(given, left, width)
    return _straightened(given, (left, bottom), (width, height), tolerance)


def _by_columns(points: list[Point], left: float, width: float) -> list[Point]:
    kept: list[Point] = []
    start = 0
    column = -1
    for place, (x, _) in enumerate(points):
        own = int((x - left) / width * COLUMNS)
        if own != column:
            kept += _corners(points, start, place)
            start, column = place, own
    return kept + _corners(points, start, len(points))


def _corners(points: list[Point], start: int, end: int) -> list[Point]:
    if end - start <= 4:
        return points[start:end]
    places = range(start, end)
    low, high = min(places, key=lambda place: points[place][1]), max(places, key=lambda place: points[place][1])
    return [points[place] for place in sorted({start, low, high, end - 1})]


def _straightened(points: list[Point], origin: Point, size: Point, tolerance: float) -> list[Point]:
    """Douglas and Peucker 1973, with a list in place of recursion."""
    scaled = [((x - origin[0]) / size[0], (y - origin[1]) / size[1]) for x, y in points]
    keeps = [False] * len(points)
    keeps[0] = keeps[-1] = True
    waiting = [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        furthest, place = tolerance, -1
        (x0, y0), (x1, y1) = scaled[first], scaled[last]
        dx, dy = x1 - x0, y1 - y0
        length = math.hypot(dx, dy)
        for middle in range(first + 1, last):
            x, y = scaled[middle]
            # Beside a piece of no length, or beyond its ends, the nearest is a point of it.
            part = 0.0 if length == 0 else min(1.0, max(0.0, ((x - x0) * dx + (y - y0) * dy) / length**2))
            distance = math.hypot(x - x0 - part * dx, y - y0 - part * dy)
            if distance > furthest:
                furthest, place = distance, middle
        if place >= 0:
            keeps[place] = True
            waiting += [(first, place), (place, last)]
    return [point for point, keep in zip(points, keeps) if keep]
