"""What a session is given for each row, and how it is cut into calls of the library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

from .adapter import RowAdapter, compositions
from .errors import rows_named
from .values import require_length, text_list

#: One call of the library has at most so many rows, and no more once it has so many bytes of text:
#: a second's work for a small model. Python sees Ctrl-C between calls; results do not depend on
#: them.
ROWS_PER_CALL, BYTES_PER_CALL = 512, 16384


def rows_from(first: int) -> AbstractContextManager[None]:
    """Errors of a call of the library name the caller's row, of which the call's first is this."""
    return rows_named(lambda row: f"row {first + row}")


class SessionRows:
    """What a caller gives for each row, as lists of one length."""

    def __init__(
        self, texts: Iterable[str], pairs: Iterable[str] | None, adapters: Iterable[RowAdapter] | None
    ) -> None:
        self.texts = text_list(texts, "texts")
        self.pairs = None if pairs is None else text_list(pairs, "pairs")
        self.adapters = None if adapters is None else compositions(adapters)
        for name, values in (("pairs", self.pairs), ("adapters", self.adapters)):
            if values is not None:
                require_length(values, len(self), name)

    def __len__(self) -> int:
        return len(self.texts)

    def calls(self, limits: list[int] | None = None) -> Iterator[slice]:
        """The rows of each call of the library; those of one call have one limit."""
        first = size = 0
        for row in range(len(self)):
            has_other_limit = limits is not None and limits[row] != limits[first]
            if row - first == ROWS_PER_CALL or size >= BYTES_PER_CALL or has_other_limit:
                yield slice(first, row)
                first, size = row, 0
            size += len(self.texts[row]) + (0 if self.pairs is None else len(self.pairs[row]))
        if first < len(self):
            yield slice(first, len(self))
