"""Sessions score candidates."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import Array, c_float

from .adapter import RowAdapter
from .candidates import candidate_rows
from .errors import invalid
from .handle import Handle, exclusive
from .session_rows import SessionRows
from .values import as_list, require_length


class ChoosingHandle(Handle):
    """What a session does with a head that has one score of each row."""

    def _logits(self, rows: SessionRows) -> tuple[Array[c_float], int]:
        """The numbers of all rows, and how many each has."""
        raise NotImplementedError

    @exclusive
    def score(
        self,
        texts: Iterable[str],
        candidates: Iterable[Iterable[str]],
        *,
        adapters: Iterable[RowAdapter] | None = None,
    ) -> list[list[float]]:
        """The score of each candidate of each text, by a head of ``"multiple_choice"``, or of
        ``"regression"`` of one value as one that ranks: the larger, the better. Of choices the
        softmax of the scores is how likely each is the right one.

        :param candidates: lists, one for each text.
        """
        first, second, places = candidate_rows(texts, candidates, "candidates")
        starts = [row for row, place in enumerate(places) if place == 0]
        own = None
        if adapters is not None:
            given = as_list(adapters, "adapters", "adapters")
            require_length(given, len(starts), "adapters")
            counts = [end - start for start, end in zip(starts, [*starts[1:], len(places)])]
            own = [adapter for adapter, count in zip(given, counts) for _ in range(count)]
        numbers, columns = self._logits(SessionRows(first, second, own))
        if columns != 1:
            raise invalid(f"the rows' heads have up to {columns} outputs; expected 1, a score")
        ends = [*starts[1:], len(places)]
        return [[numbers[row] for row in range(start, end)] for start, end in zip(starts, ends)]
