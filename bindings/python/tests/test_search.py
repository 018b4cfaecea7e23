"""Exact search: the nearest vectors, of matrices, arrays and lists."""

from __future__ import annotations

from ctypes import c_float
from typing import Any

import numpy
import pytest

import graft


def expected(vectors: numpy.ndarray, queries: numpy.ndarray, best: int) -> list[list[int]]:
    products = queries.astype(numpy.float64) @ vectors.astype(numpy.float64).T
    return [list(numpy.argsort(-row, kind="stable")[:best]) for row in products]


def test_the_nearest_are_those_of_numpy_in_their_order() -> None:
    random = numpy.random.default_rng(0)
    vectors = random.standard_normal((500, 37), dtype=numpy.float32)
    queries = random.standard_normal((7, 37), dtype=numpy.float32)
    found = graft.nearest(vectors, queries, 9)
    assert [[one.place for one in row] for row in found] == expected(vectors, queries, 9)
    for row, query in zip(found, queries):
        for one in row:
            assert one.product == pytest.approx(float(vectors[one.place] @ query), abs=1e-4)
    # The same, to the bit, however the numbers are given, asked together or alone.
    matrix = graft.Matrix((c_float * vectors.size).from_buffer_copy(vectors), *vectors.shape)
    assert graft.nearest(matrix, queries.tolist(), 9, threads=1) == found
    assert graft.nearest(vectors[::1].astype(numpy.float64), queries, 9) == found
    assert [graft.nearest(matrix, [query], 9)[0] for query in queries] == found
    assert graft.nearest(matrix[::2], queries, 1) == graft.nearest(vectors[::2], queries, 1)
    assert graft.nearest(matrix[100:], queries, 3) == graft.nearest(vectors[100:], queries, 3)


def test_there_may_be_fewer_than_wanted_or_none() -> None:
    assert [one.place for one in graft.nearest([[1, 0], [0, 1]], [[0, 3]], 5)[0]] == [1, 0]
    assert graft.nearest([], [[1, 2]]) == [[]]
    assert graft.nearest([[1, 2]], []) == []
    assert graft.nearest(numpy.zeros((0, 2), numpy.float32), numpy.zeros((0, 2), numpy.float32)) == []


@pytest.mark.parametrize(
    ("vectors", "queries", "best", "kind", "message"),
    [
        ([[1, 2]], [[1, 2, 3]], 1, graft.GraftError, "queries: expected 2 numbers in each"),
        ([[1, 2], [1]], [[1, 2]], 1, graft.GraftError, "vectors: expected as many numbers in each, found 1, 2"),
        ([[1, 2]], [[1, 2]], 0, graft.GraftError, "best_count must be 1 to"),
        ([[1, 2]], [[1, 2]], -1, graft.GraftError, "best_count must be 1 to"),
        ([[1, float("nan")]], [[1, 2]], 1, graft.GraftError, "vector 0"),
        ([[1e30, 0]], [[1e30, 0]], 1, graft.GraftError, "not finite"),
        ([["a", "b"]], [[1, 2]], 1, TypeError, "vectors"),
        (["ab"], [[1, 2]], 1, TypeError, "vectors"),
        (numpy.zeros(3), [[1, 2]], 1, graft.GraftError, "vectors: expected an array of two dimensions, found 1"),
        ([1, 2], [[1, 2]], 1, TypeError, "vectors"),
        (7, [[1, 2]], 1, TypeError, "vectors"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    vectors: Any, queries: Any, best: int, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        graft.nearest(vectors, queries, best)
