"""Results: rows that share memory, with numpy and without."""

from __future__ import annotations

import copy
import math
import pickle
from ctypes import c_float

import numpy
import pytest

import graft


@pytest.fixture
def matrix() -> graft.Matrix:
    """[0, 1, 2] to [9, 10, 11]."""
    return graft.Matrix((c_float * 12)(*range(12)), 4, 3)


def test_a_matrix_is_a_sequence_of_rows(matrix: graft.Matrix) -> None:
    assert (len(matrix), matrix.shape) == (4, (4, 3))
    assert matrix.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert [list(row) for row in matrix] == matrix.tolist()
    assert (matrix[1][2], max(matrix[-1]), list(matrix[numpy.int64(2)])) == (5, 11, [6, 7, 8])
    assert matrix[0].format == "f"
    assert [row[0] for row in reversed(matrix)] == [9, 6, 3, 0]
    assert matrix[2] in matrix and matrix.index(matrix[2]) == 2


@pytest.mark.parametrize(
    "rows",
    [slice(1, 3), slice(None), slice(3, None), slice(None, None, 2), slice(None, 0, -2), slice(9, None), slice(-1)],
)
def test_a_slice_is_a_matrix_of_the_same_memory(matrix: graft.Matrix, rows: slice) -> None:
    part = matrix[rows]
    assert type(part) is graft.Matrix
    assert part.tolist() == matrix.tolist()[rows] == part.numpy().tolist()
    assert part[::-1].tolist() == matrix.tolist()[rows][::-1] == part[::-1].numpy().tolist()
    for row in part:
        row[0] = 100
    assert part == matrix[rows]


def test_other_indices_are_refused(matrix: graft.Matrix) -> None:
    with pytest.raises(IndexError, match="row 4 of a Matrix of 4 rows"):
        matrix[4]
    with pytest.raises(TypeError, match=r"found tuple: numpy\(\) gives an array"):
        matrix[1, 2]  # type: ignore[call-overload]


def test_numpy_takes_it_without_copying(matrix: graft.Matrix) -> None:
    array = numpy.asarray(matrix)
    assert (array.dtype, array.shape) == (numpy.float32, (4, 3))
    array[1, 2] = 50
    assert matrix[1][2] == 50
    uncopied = (matrix.numpy(), numpy.asarray(matrix, copy=False), numpy.asarray(matrix[1:]), numpy.asarray(matrix[1]))
    for same in uncopied:
        assert numpy.shares_memory(array, same) and 50 in same
    for copied in (numpy.array(matrix), numpy.asarray(matrix, dtype=numpy.float64)):
        assert not numpy.shares_memory(array, copied) and numpy.array_equal(array, copied)
    with pytest.raises(ValueError, match="copy"):
        numpy.asarray(matrix, dtype=numpy.float64, copy=False)


def test_the_memory_lives_as_long_as_what_shows_it() -> None:
    numbers = bytearray(numpy.arange(6, dtype=numpy.float32).tobytes())
    array, row = graft.Matrix(numbers, 2, 3).numpy(), graft.Matrix(numbers, 2, 3)[1]
    with pytest.raises(BufferError):
        numbers.clear()
    assert (array.tolist(), row.tolist()) == ([[0, 1, 2], [3, 4, 5]], [3, 4, 5])


def test_it_stands_where_numpy_takes_an_array(matrix: graft.Matrix) -> None:
    array = matrix.numpy()
    assert numpy.argmax(matrix, axis=1).tolist() == [2, 2, 2, 2]
    assert numpy.dot(matrix, [1, 1, 1]).tolist() == [3, 12, 21, 30]
    assert numpy.array_equal(array @ matrix[:3], array @ array[:3])
    assert numpy.array_equal(matrix @ array.T, array @ array.T)
    assert numpy.array_equal(2 * array - matrix, array)
    assert (matrix == array).all() and (array == matrix).all()
    assert numpy.concatenate([matrix, matrix[:1]]).shape == (5, 3)


def test_matrices_are_equal_when_shapes_and_numbers_are(matrix: graft.Matrix) -> None:
    assert matrix == graft.Matrix((c_float * 12)(*range(12)), 4, 3)
    assert matrix != graft.Matrix((c_float * 12)(*range(12)), 3, 4)
    assert matrix != graft.Matrix((c_float * 12)(), 4, 3)
    assert matrix != matrix.tolist()
    assert graft.Matrix((c_float * 1)(math.nan), 1, 1) != graft.Matrix((c_float * 1)(math.nan), 1, 1)


def test_a_matrix_without_numbers_is_one_too() -> None:
    for shape in ((0, 3), (2, 0), (0, 0)):
        empty = graft.Matrix((c_float * 0)(), *shape)
        assert empty.shape == empty.numpy().shape == empty[::-1].numpy().shape == shape
        assert empty == pickle.loads(pickle.dumps(empty))


def test_copies_and_pickles_have_memory_of_their_own(matrix: graft.Matrix) -> None:
    for part in (matrix, matrix[1:3], matrix[::-1]):
        for other in (pickle.loads(pickle.dumps(part)), copy.deepcopy(part), copy.copy(part)):
            assert type(other) is graft.Matrix and other == part
            other[0][0] = 100
            assert other != part


def test_a_representation_shows_shape_and_first_numbers(matrix: graft.Matrix) -> None:
    assert repr(matrix[:2]) == "<graft.Matrix [2, 3]: [0, 1, 2], [3, 4, 5]>"
    assert repr(matrix) == "<graft.Matrix [4, 3]: [0, 1, 2], [3, 4, 5], [6, 7, 8], ...>"
    wide = graft.Matrix((c_float * 5)(0.123456, -1e9, -math.inf, 4, 5), 1, 5)
    assert repr(wide) == "<graft.Matrix [1, 5]: [0.1235, -1e+09, -inf, 4, ...]>"
    assert repr(matrix[:0]) == "<graft.Matrix [0, 3]>"
