"""What the library computes, as Python has it."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import Array, c_float
from typing import TYPE_CHECKING, Any, overload

from .errors import GraftError, Status

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

#: Rows and columns that a representation shows.
SHOWN_ROWS, SHOWN_COLUMNS = 3, 4


class Matrix(Sequence["memoryview[float]"]):
    """Numbers in float32, [rows, columns]: a sequence of its rows, which are memoryviews. Sessions
    make them.

    >>> vectors = session.embed(["Good morning.", "Good evening."])
    >>> len(vectors), vectors[0][3], max(vectors[1]), list(vectors[-1])
    >>> numpy.asarray(vectors) @ query

    Rows, slices of rows and numpy arrays are views of the same memory, which lives as long as one
    of them. numpy's functions take a matrix as they take an array; the package does without numpy.
    """

    def __init__(self, numbers: Array[c_float] | bytearray, rows: int, columns: int) -> None:
        self._numbers: memoryview[Any] = memoryview(numbers).cast("B").cast("f")
        # Which of the memory's rows are this matrix's: a slice of rows is a slice of this.
        self._rows = range(rows)
        self._columns = columns

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self._rows), self._columns

    def tolist(self) -> list[list[float]]:
        """A copy as a list of rows, each a list."""
        return [list(row) for row in self]

    def numpy(self) -> NDArray[float32]:
        """A numpy array of the same memory. Raises :class:`GraftError` where numpy is not
        installed."""
        try:
            return self.__array__()
        except ImportError as error:
            raise GraftError(Status.UNSUPPORTED, f"numpy() needs numpy: {error}; tolist() does without") from error

    def contiguous(self) -> memoryview[float]:
        """The numbers, row after row: of the same memory, or a copy where the matrix has some of a
        larger one's rows."""
        if self._rows.step == 1:
            first = self._rows.start * self._columns
            return self._numbers[first : first + len(self) * self._columns]
        return memoryview(bytearray().join(self)).cast("f")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[float32]:
        """How numpy takes a matrix: as it is, unless asked for a copy or for numbers of another
        type."""
        import numpy

        row_bytes = 4 * self._columns
        array = numpy.ndarray(
            self.shape, numpy.float32, self._numbers, self._rows.start * row_bytes, (self._rows.step * row_bytes, 4)
        )
        if copy is None:  # which numpy 1 cannot be told
            return numpy.asarray(array, dtype)
        return numpy.array(array, dtype, copy=copy)

    @overload
    def __getitem__(self, rows: int) -> memoryview[float]: ...

    @overload
    def __getitem__(self, rows: slice) -> Matrix: ...

    def __getitem__(self, rows: int | slice) -> memoryview[float] | Matrix:
        if isinstance(rows, slice):
            part = Matrix.__new__(Matrix)
            part._numbers, part._rows, part._columns = self._numbers, self._rows[rows] or range(0), self._columns
            return part
        try:
            first = self._rows[rows] * self._columns
        except TypeError:
            raise TypeError(
                f"a Matrix is indexed by the number of a row or a slice of rows, found {type(rows).__name__}: "
                f"numpy() gives an array, which takes more"
            ) from None
        except IndexError:
            raise IndexError(f"row {rows} of a Matrix of {len(self)} rows") from None
        return self._numbers[first : first + self._columns]

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        """Whether shapes and numbers are equal."""
        if not isinstance(other, Matrix):
            return NotImplemented
        return self.shape == other.shape and all(row == theirs for row, theirs in zip(self, other))

    def __reduce__(self) -> tuple[type[Matrix], tuple[bytearray, int, int]]:
        return Matrix, (bytearray().join(self), *self.shape)

    def __repr__(self) -> str:
        def listed(shown: list[str], count: int) -> str:
            return ", ".join(shown + ["..."] if count > len(shown) else shown)

        rows = [listed([f"{number:.4g}" for number in row[:SHOWN_COLUMNS]], len(row)) for row in self[:SHOWN_ROWS]]
        numbers = listed([f"[{row}]" for row in rows], len(self))
        return f"<graft.Matrix [{len(self)}, {self._columns}]{': ' if numbers else ''}{numbers}>"
