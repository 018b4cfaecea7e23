"""Exact search among stored vectors."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from ctypes import POINTER, c_float, c_int32, c_int64, cast
from itertools import chain
from typing import Any, NamedTuple, Union

from .errors import invalid
from .library import lib
from .matrix import Matrix
from .values import as_list, c_number

Vectors = Union[Matrix, Sequence[Sequence[float]], Iterable[Iterable[float]], Any]


class Neighbour(NamedTuple):
    """A stored vector that is near to a query."""

    #: Among the stored vectors.
    place: int
    #: With the query: of vectors of length 1, their cosine.
    product: float


def nearest(
    vectors: Vectors, queries: Vectors, best_count: int = 10, *, threads: int = 0
) -> list[list[Neighbour]]:
    """The stored vectors with the largest products with each query, the nearest first: of vectors
    of length 1, as :meth:`Session.embed` makes them, by cosine.

    >>> stored = session.embed(texts)
    >>> for found in nearest(stored, session.embed(["Where is my parcel?"]), 3)[0]:
    ...     print(texts[found.place], found.product)

    Every vector is compared, in about the time that reading them takes. A matrix and a numpy array
    of float32 are searched where they are; anything else is copied first.

    :param vectors: [vectors, width]: a :class:`Matrix`, a numpy array, or sequences of numbers.
    :param queries: [queries, width].
    :param best_count: how many are wanted of each query; there may be fewer.
    :param threads: at most; 0: one per core.
    """
    stored, asked = _Floats(vectors, "vectors"), _Floats(queries, "queries")
    if stored.count and asked.count and stored.width != asked.width:
        raise invalid(f"queries: expected {stored.width} numbers in each, as vectors have, found {asked.width}")
    wanted = c_number(c_int64, best_count, "best_count")
    kept = max(1, min(wanted, stored.count)) if wanted > 0 else wanted
    size = max(asked.count * kept, 0)
    places, products = (c_int64 * size)(), (c_float * size)()
    lib.graft_nearest(
        stored.pointer,
        stored.count,
        stored.width or asked.width or 1,
        asked.pointer,
        asked.count,
        kept,
        c_number(c_int32, threads, "threads"),
        places,
        products,
        size,
    )
    found = [Neighbour(place, product) for place, product in zip(places, products)]
    return [
        [neighbour for neighbour in found[first : first + kept] if neighbour.place >= 0]
        for first in range(0, size, max(kept, 1))
    ]


class _Floats:
    """Rows of numbers in float32, one after the other, and what keeps them alive."""

    def __init__(self, rows: Any, name: str) -> None:
        self.owner: Any
        if hasattr(rows, "__array__") and not isinstance(rows, Matrix):
            import numpy

            numbers = numpy.ascontiguousarray(rows, numpy.float32)
            if numbers.ndim != 2:
                raise invalid(f"{name}: expected an array of two dimensions, found {numbers.ndim}")
            self.owner, (self.count, self.width) = numbers, numbers.shape
            self.pointer = numbers.ctypes.data_as(POINTER(c_float))
            return
        if not isinstance(rows, Matrix):
            lists = [as_list(row, f"{name}[{index}]", "numbers") for index, row in enumerate(as_list(rows, name, "vectors"))]
            widths = {len(row) for row in lists}
            if len(widths) > 1:
                raise invalid(
                    f"{name}: expected as many numbers in each, found {', '.join(map(str, sorted(widths)))}"
                )
            try:
                listed = bytearray(array("f", chain.from_iterable(lists)))
            except (TypeError, OverflowError) as error:
                raise TypeError(f"{name}: {error}") from None
            rows = Matrix(listed, len(lists), widths.pop() if widths else 0)
        self.count, self.width = rows.shape
        self.owner = (c_float * (self.count * self.width)).from_buffer(rows.contiguous())
        self.pointer = cast(self.owner, POINTER(c_float))
