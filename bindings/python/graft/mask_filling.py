"""Sessions fill masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ctypes import Array, c_float, c_int32, c_int64
from typing import NamedTuple

from .adapter import RowAdapter
from .batch import Batch
from .errors import invalid
from .handle import Handle, exclusive
from .library import lib
from .session_rows import SessionRows, rows_from
from .tokenizer import Tokenizer
from .values import c_number, require_length


#: Of hidden tokens, how many of the likeliest are looked at first, how many times as many next, and
#: the numbers of one call, which bound its memory.
LOOKED_AT, MORE, RANKED = 64, 32, 1 << 22


class FilledMask(NamedTuple):
    """A token that may stand where a mask does."""

    token: int
    #: The token's text.
    text: str
    #: Among all tokens of the vocabulary.
    probability: float


class MaskFillingHandle(Handle):
    """What a session does with a checkpoint's head for masked words."""

    _tokenizer: Tokenizer
    _vocabulary_size: int

    def _batches(self, rows: SessionRows) -> Iterator[tuple[int, Batch, int]]:
        """The calls of the library."""
        raise NotImplementedError

    @exclusive
    def fill_masks(
        self, texts: Iterable[str], count: int = 5, *, adapters: Iterable[RowAdapter] | None = None
    ) -> list[list[list[FilledMask]]]:
        """For each text, and each of its masks, the ``count`` likeliest tokens, the likeliest
        first. A mask is the tokenizer's own, such as ``"[MASK]"``. The model is one of a class as
        BertForMaskedLM.

        >>> session.fill_masks(["The weather is [MASK] today."], count=1)
        """
        mask = self._mask_token()
        best = c_number(c_int64, count, "count")
        found: list[list[list[FilledMask]]] = []
        for first_row, batch, _ in self._batches(SessionRows(texts, None, adapters)):
            # As many masks as there can be.
            with rows_from(first_row):
                tokens, shares, starts = self._ranked(batch, mask, best, batch.token_count)
            for first, end in zip(starts, starts[1:]):
                places = range(first * best, end * best, best)
                found.append([self._filled(tokens[at : at + best], shares[at : at + best]) for at in places])
        return found

    @exclusive
    def guess_hidden(self, rows: Sequence[Sequence[int]], places: Sequence[int]) -> list[tuple[FilledMask, float]]:
        """For each row of tokens, one of which is hidden from the model: the likeliest token there,
        and the probability of the one that stands there. The model is as of :meth:`fill_masks`.

        >>> row = tokenizer.encode("The weather is sunny today.").ids
        >>> session.guess_hidden([row], [4])

        :param places: of the hidden token in each row, from 0.
        """
        require_length(places, len(rows), "places", "row")
        for row, place in enumerate(places):
            if not 0 <= place < len(rows[row]):
                raise invalid(f"places[{row}]: expected 0 to {len(rows[row]) - 1}, found {place}")
        mask = self._mask_token()
        found: dict[int, tuple[FilledMask, float]] = {}
        waiting, best = list(range(len(rows))), min(LOOKED_AT, self._vocabulary_size)
        while waiting:
            step, left = max(1, RANKED // best), []
            for part in (waiting[start : start + step] for start in range(0, len(waiting), step)):
                hidden = [[*rows[row][: places[row]], mask, *rows[row][places[row] + 1 :]] for row in part]
                with Batch.from_tokens(hidden) as batch:
                    tokens, shares, starts = self._ranked(batch, mask, best, sum(own.count(mask) for own in hidden))
                for row, own, first in zip(part, hidden, starts):
                    # A text may have masks of its own before it.
                    at = (first + own[: places[row]].count(mask)) * best
                    ranked, truth = tokens[at : at + best], rows[row][places[row]]
                    if truth in ranked:
                        (guess,) = self._filled(ranked[:1], shares[at : at + 1])
                        found[row] = guess, shares[at + ranked.index(truth)]
                    else:
                        left.append(row)
            if left and best == self._vocabulary_size:
                truth = rows[left[0]][places[left[0]]]
                raise invalid(f"rows[{left[0]}]: token {truth} is not among the model's {self._vocabulary_size}")
            waiting, best = left, min(best * MORE, self._vocabulary_size)
        return [found[row] for row in range(len(rows))]

    def _mask_token(self) -> int:
        mask = self._tokenizer.mask_token
        if mask is None:
            raise invalid("the tokenizer has no token that masks")
        return mask

    def _ranked(
        self, batch: Batch, mask: int, best: int, most: int
    ) -> tuple[Array[c_int32], Array[c_float], Array[c_int64]]:
        """The likeliest tokens of all masks of a batch, their probabilities, and the first mask of
        each row, of which there are at most so many."""
        starts = (c_int64 * (len(batch) + 1))()
        tokens = (c_int32 * (most * max(best, 1)))()
        shares = (c_float * len(tokens))()
        lib.graft_session_fill_masks(self.pointer, batch.pointer, mask, best, tokens, shares, len(tokens), starts)
        return tokens, shares, starts

    def _filled(self, tokens: list[int], shares: list[float]) -> list[FilledMask]:
        return [
            FilledMask(token, self._tokenizer.decode([token], skip_special_tokens=False).strip(), share)
            for token, share in zip(tokens, shares)
            if token >= 0
        ]
