"""Texts, or questions with contexts, cut into windows that a model can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ctypes import Array, byref, c_int32, c_void_p, sizeof
from itertools import chain
from typing import TypeVar

from .batch import Batch
from .entities import names_array
from .handle import Handle
from .library import lib
from .tokenizer import Tokenizer, encode_options
from .values import c_number, text_array

Row = TypeVar("Row")


class TextWindows(Handle):
    """Texts cut into windows: the rows of a batch."""

    _release_function = "graft_windows_release"

    def __init__(
        self,
        tokenizer: Tokenizer,
        texts: Sequence[bytes],
        maximum_length: int,
        stride: int,
        *,
        questions: Sequence[bytes] | None = None,
    ) -> None:
        pointer, out = Tokenizer.pointer_of(tokenizer), c_void_p()
        first = None if questions is None else text_array(questions)
        options, shared = encode_options(questions, texts, maximum_length), c_number(c_int32, stride, "stride")
        lib.graft_windows_encode(pointer, first, text_array(texts), len(texts), byref(options), shared, byref(out))
        super().__init__(out)
        self.text_count = len(texts)

    def __len__(self) -> int:
        return int(lib.graft_windows_count(self.pointer))

    def batch(self) -> Batch:
        """The windows as rows."""
        out = c_void_p()
        lib.graft_windows_batch(self.pointer, byref(out))
        batch = Batch.__new__(Batch)
        Handle.__init__(batch, out)
        batch.origins = self.of_each(range(self.text_count))
        return batch

    def of_each(self, rows: Sequence[Row]) -> list[Row]:
        """What each text has, once for each of its windows."""
        starts = lib.graft_windows_starts(self.pointer)[: self.text_count + 1]
        return [row for row, start, end in zip(rows, starts, starts[1:]) for _ in range(start, end)]

    def label(self, batch: Batch, labels: Sequence[Sequence[int]], names: Sequence[str] | None) -> None:
        """Gives the windows' tokens the labels of the texts', in every window that has the token;
        with their names in one of them alone, so that no entity is divided."""
        given = list(chain.from_iterable(labels))
        numbers, out = (c_int32 * len(given))(*given), (c_int32 * batch.token_count)()
        known = None if names is None else names_array(names)
        count = 0 if names is None else len(names)
        lib.graft_windows_spread(self.pointer, numbers, len(numbers), known, count, out, len(out))
        lib.graft_batch_set_integers(batch.pointer, b"token_labels", out, len(out), 1)

    def join(self, labels: Array[c_int32], counts: Sequence[int]) -> Iterator[Array[c_int32]]:
        """The labels of each text's tokens, of which there are ``counts``, from those of all
        windows'."""
        out = (c_int32 * sum(counts))()
        lib.graft_windows_join(self.pointer, labels, len(labels), out, len(out))
        first = 0
        for count in counts:
            yield (c_int32 * count).from_buffer(out, first * sizeof(c_int32))
            first += count


def shared_tokens(stride: int, maximum_length: int) -> int:
    """Tokens that windows share: ``stride``, or less where windows are short, at most half of
    them."""
    return min(stride, max(0, maximum_length // 2 - 1)) if maximum_length else stride


def tagged_batch(
    tokenizer: Tokenizer,
    texts: list[bytes],
    labels: list[list[int]],
    names: list[str],
    maximum_length: int,
    stride: int,
) -> Batch:
    """Texts as rows, cut into windows where they are longer, from a label for each of their
    tokens."""
    shared = shared_tokens(stride, maximum_length or tokenizer.maximum_length or 0)
    with TextWindows(tokenizer, texts, maximum_length, shared) as windows:
        batch = windows.batch()
        windows.label(batch, labels, names)
        return batch
