"""Sessions fill masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ctypes import c_float, c_int32, c_int64
from typing import NamedTuple

from .adapter import RowAdapter
from .batch import Batch
from .errors import invalid
from .handle import Handle, exclusive
from .library import lib
from .session_rows import SessionRows
from .tokenizer import Tokenizer
from .values import c_number


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
        mask = self._tokenizer.mask_token
        if mask is None:
            raise invalid("the tokenizer has no token that masks")
        best = c_number(c_int64, count, "count")
        found: list[list[list[FilledMask]]] = []
        for _, batch, _ in self._batches(SessionRows(texts, None, adapters)):
            starts = (c_int64 * (len(batch) + 1))()
            # As many as there can be.
            tokens = (c_int32 * (batch.token_count * max(best, 1)))()
            shares = (c_float * len(tokens))()
            lib.graft_session_fill_masks(
                self.pointer, batch.pointer, mask, best, tokens, shares, len(tokens), starts
            )
            for first, end in zip(starts, starts[1:]):
                places = range(first * best, end * best, best)
                found.append([self._filled(tokens[at : at + best], shares[at : at + best]) for at in places])
        return found

    def _filled(self, tokens: list[int], shares: list[float]) -> list[FilledMask]:
        return [
            FilledMask(token, self._tokenizer.decode([token], skip_special_tokens=False).strip(), share)
            for token, share in zip(tokens, shares)
            if token >= 0
        ]
