"""Sessions score candidates."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import Array, c_float

from .adapter import RowAdapter
from .candidates import candidate_rows, repeated, slices_of
from .errors import invalid, rows_named
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
        first, second, counts = candidate_rows(texts, candidates, "candidates")
        own = None
        if adapters is not None:
            given = as_list(adapters, "adapters", "adapters")
            require_length(given, len(counts), "adapters")
            own = repeated(given, counts)
        texts_of = repeated(range(len(counts)), counts)
        with rows_named(lambda row: f"row {texts_of[row]}"):
            numbers, columns = self._logits(SessionRows(first, second, own))
        if columns != 1:
            raise invalid(f"the rows' heads have up to {columns} outputs; expected 1, a score")
        return [numbers[rows] for rows in slices_of(counts)]
