"""Inference."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from ctypes import POINTER, Array, byref, c_float, c_int64, c_uint64, c_void_p, cast, sizeof
from typing import Literal

from .adapter import Adapter, Composition
from .dataset import Batch, RowAdapter
from .errors import GraftError, Status, invalid
from .handle import Handle
from .library import Ints, TokenCallback, initialised, lib
from .matrix import Matrix
from .model import Model
from .structs import GenerateOptions, SessionOptions
from .tokenizer import Tokenizer
from .values import int_array

Pooling = Literal["mean", "first", "last"]

POOLINGS: dict[str, int] = {"mean": 0, "first": 1, "last": 2}

#: Rows in one call of the library. Python sees Ctrl-C between calls; results do not depend on it.
ROWS_PER_CALL = 512


def _tail(numbers: Array[c_float], first: int) -> tuple[Array[c_float], int]:
    """The numbers from ``first`` on, in the same memory, and how many they are."""
    count = len(numbers) - first
    return (c_float * count).from_buffer(numbers, first * sizeof(c_float)), count


class Session(Handle):
    """Working memory and active adapters for one stream of calls: one session for each thread that runs a model.

    Rows that are longer than the model allows are truncated.

    :param adapter: acts on every row that names none of its own; None: the plain model.
    :param threads: threads of one call; 0: one per core. Results do not depend on it.
    :param pass_token_count: tokens worked on at a time, which bounds memory; 0: chosen.
    """

    _release_function = "graft_session_release"

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        adapter: Adapter | Composition | None = None,
        threads: int = 0,
        *,
        pass_token_count: int = 0,
    ) -> None:
        options = initialised(SessionOptions, "graft_session_options_init")
        options.thread_count = threads
        options.pass_token_count = pass_token_count
        out = c_void_p()
        lib.graft_session_create(model.pointer, byref(options), byref(out))
        super().__init__(out)
        self._model = model
        self._tokenizer = tokenizer
        self._width = model.hidden_size
        self._maximum_length = model.maximum_length
        self._labels: list[str] = []
        if adapter is not None:
            self.set_adapter(adapter)

    def set_adapter(self, adapter: Adapter | Composition | None) -> None:
        """What acts from now on on every row that names no adapter of its own; None detaches."""
        composition = Composition(adapter) if isinstance(adapter, Adapter) else adapter
        lib.graft_session_set_adapters(self.pointer, None if composition is None else composition.pointer)
        self._labels = [] if composition is None else composition.labels

    def embed(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        pooling: Pooling = "mean",
        normalize: bool = True,
        *,
        adapters: Sequence[RowAdapter] | None = None,
    ) -> Matrix:
        """One vector a text: [texts, hidden_size], of length 1 unless ``normalize`` is False."""
        if pooling not in POOLINGS:
            raise invalid(f"pooling: expected one of {', '.join(POOLINGS)}; found {pooling!r}")
        numbers = (c_float * (len(texts) * self._width))()
        for first, batch in self._batches(texts, pairs, adapters):
            part, capacity = _tail(numbers, first * self._width)
            lib.graft_session_embed(
                self.pointer, batch.pointer, POOLINGS[pooling], 1 if normalize else 0, part, capacity
            )
        return Matrix(numbers, len(texts), self._width)

    def hidden_states(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        layer: int = -1,
        *,
        adapters: Sequence[RowAdapter] | None = None,
    ) -> list[Matrix]:
        """The states of each text's tokens, [tokens, hidden_size], after ``layer``: 1 to the model's layer count, 0 for
        the embeddings, -1 for the last."""
        rows: list[Matrix] = []
        for _, batch in self._batches(texts, pairs, adapters):
            rows.extend(self.batch_hidden_states(batch, layer))
        return rows

    def batch_hidden_states(self, batch: Batch, layer: int = -1) -> list[Matrix]:
        """The same for a batch of given tokens."""
        numbers = (c_float * (batch.token_count * self._width))()
        lib.graft_session_hidden_states(self.pointer, batch.pointer, layer, numbers, len(numbers))
        states = Matrix(numbers, batch.token_count, self._width)
        starts = batch.row_starts
        return [states[start:end] for start, end in zip(starts, starts[1:])]

    def classify(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        adapters: Sequence[RowAdapter] | None = None,
    ) -> Matrix:
        """Logits: [texts, labels]. Where adapters differ in labels, shorter rows end in -infinity."""
        numbers, columns = self._logits(texts, pairs, adapters)
        return Matrix(numbers, len(texts), columns)

    def predict_proba(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        adapters: Sequence[RowAdapter] | None = None,
    ) -> Matrix:
        """Probabilities: [texts, labels]; each row sums to 1."""
        numbers, columns = self._logits(texts, pairs, adapters)
        for start in range(0, len(numbers), columns or 1):
            row = numbers[start : start + columns]
            largest = max(row)
            powers = [math.exp(logit - largest) for logit in row]
            total = math.fsum(powers)
            numbers[start : start + columns] = [power / total for power in powers]
        return Matrix(numbers, len(texts), columns)

    def predict(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        adapters: Sequence[RowAdapter] | None = None,
    ) -> list[str]:
        """The name of each text's likeliest label."""
        numbers, columns = self._logits(texts, pairs, adapters)
        names = []
        for row in range(len(texts)):
            logits = numbers[row * columns : (row + 1) * columns]
            own = None if adapters is None else adapters[row]
            labels = self._labels if own is None else own.labels
            names.append(labels[logits.index(max(logits))])
        return names

    def generate(
        self,
        prompts: Sequence[str],
        *,
        adapters: Sequence[RowAdapter] | None = None,
        maximum_tokens: int = 128,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        seed: int | Sequence[int] = 0,
        stop_tokens: Sequence[int] | None = None,
        on_text: Callable[[int, str], bool | None] | None = None,
    ) -> list[str]:
        """What each prompt goes on with.

        :param temperature: 0: always the likeliest token.
        :param seed: of all rows, or one for each.
        :param stop_tokens: tokens that end a row; None: the model's ends of text.
        :param on_text: receives row and text as it comes; True ends the row. An exception ends the call.
        """
        options = initialised(GenerateOptions, "graft_generate_options_init")
        options.maximum_tokens = maximum_tokens
        options.temperature = temperature
        options.top_k = top_k
        options.top_p = top_p
        options.repetition_penalty = repetition_penalty
        if isinstance(seed, int):
            options.seed = seed
        elif len(seed) == len(prompts):
            seeds = (c_uint64 * len(seed))(*seed)
            options.row_seeds = cast(seeds, POINTER(c_uint64))
        else:
            raise invalid(f"seed: expected {len(prompts)}, one for each prompt; found {len(seed)}")
        if stop_tokens is not None:
            stops = int_array([*stop_tokens, 0], "stop_tokens")
            options.stop_tokens = cast(stops, Ints)
            options.stop_token_count = len(stop_tokens)
        texts = [""] * len(prompts)
        failures: list[BaseException] = []

        def receive(_data: int | None, row: int, _token: int, text: bytes) -> int:
            # An exception would be lost in ctypes: it ends every row and is raised after the call.
            try:
                piece = text.decode("utf-8", "replace")
                texts[row] += piece
                return 1 if failures or (on_text is not None and on_text(row, piece)) else 0
            except BaseException as error:  # noqa: BLE001
                failures.append(error)
                return 1

        with Batch(self._tokenizer, prompts) as batch:
            if adapters is not None:
                batch.set_adapters(adapters)
            callback = TokenCallback(receive)
            lib.graft_session_generate(
                self.pointer, self._tokenizer.pointer, batch.pointer, byref(options), callback, None
            )
        if failures:
            raise failures[0]
        return texts

    def _logits(
        self, texts: Sequence[str], pairs: Sequence[str] | None, adapters: Sequence[RowAdapter] | None
    ) -> tuple[Array[c_float], int]:
        counts = {len(self._labels) if own is None else len(own.labels) for own in adapters or [None]}
        columns = max(counts)
        numbers = (c_float * (len(texts) * columns))(*([-math.inf] * (len(texts) * columns)))
        for first, batch in self._batches(texts, pairs, adapters):
            self._classify(batch, numbers, first, columns)
        return numbers, columns

    def _classify(self, batch: Batch, numbers: Array[c_float], first: int, columns: int) -> None:
        """Writes the batch's logits to rows ``first`` … of ``numbers``; a batch may need fewer columns."""
        written = c_int64(0)
        part, capacity = _tail(numbers, first * columns)
        lib.graft_session_classify(self.pointer, batch.pointer, part, capacity, byref(written))
        if written.value == columns:
            return
        if not 0 < written.value < columns:
            raise GraftError(Status.INTERNAL, f"expected at most {columns} logits a row; found {written.value}")
        narrow = part[: len(batch) * written.value]
        for row in range(len(batch)):
            logits = narrow[row * written.value : (row + 1) * written.value]
            start = (first + row) * columns
            numbers[start : start + columns] = logits + [-math.inf] * (columns - written.value)  # type: ignore[assignment]

    def _batches(
        self, texts: Sequence[str], pairs: Sequence[str] | None, adapters: Sequence[RowAdapter] | None
    ) -> Iterator[tuple[int, Batch]]:
        if isinstance(texts, str):
            raise TypeError("expected a list of strings, found one string: put it in a list")
        for name, values in (("pairs", pairs), ("adapters", adapters)):
            if values is not None and len(values) != len(texts):
                raise invalid(f"{name}: expected {len(texts)}, one for each text; found {len(values)}")
        for first in range(0, len(texts), ROWS_PER_CALL):
            rows = slice(first, first + ROWS_PER_CALL)
            with Batch(
                self._tokenizer,
                texts[rows],
                pairs=None if pairs is None else pairs[rows],
                maximum_length=self._maximum_length,
            ) as batch:
                if adapters is not None:
                    batch.set_adapters(adapters[rows])
                yield first, batch
