"""Encoded rows: a batch for one call, a dataset for a training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from ctypes import byref, c_void_p
from itertools import chain

from .adapter import Adapter, Composition
from .errors import GraftError, Status, invalid
from .handle import Handle
from .library import lib
from .tokenizer import Tokenizer, encode_options
from .values import int_array, path_bytes, text_array

#: What may act on a row: an adapter as trained, a composition, or what the session has.
RowAdapter = Adapter | Composition | None


class Batch(Handle):
    """Rows of tokens for one call, end to end without padding.

    :param maximum_length: truncates longer rows; 0: as ``tokenizer.json`` says.
    :param labels: the number of each row's label, where it is to be trained on.
    """

    _release_function = "graft_batch_release"

    def __init__(
        self,
        tokenizer: Tokenizer,
        texts: Sequence[str],
        *,
        pairs: Sequence[str] | None = None,
        labels: Sequence[int] | None = None,
        maximum_length: int = 0,
    ) -> None:
        if pairs is not None and len(pairs) != len(texts):
            raise invalid(f"pairs: expected {len(texts)}, one for each text; found {len(pairs)}")
        first = text_array(texts)
        second = None if pairs is None else text_array(pairs)
        options = encode_options(maximum_length)
        out = c_void_p()
        lib.graft_batch_encode(tokenizer.pointer, first, second, len(first), byref(options), byref(out))
        super().__init__(out)
        if labels is not None:
            self.set_labels(labels)

    @classmethod
    def from_tokens(
        cls,
        rows: Sequence[Sequence[int]],
        *,
        type_ids: Sequence[Sequence[int]] | None = None,
        labels: Sequence[int] | None = None,
    ) -> Batch:
        """Rows of token ids that are already known; ``type_ids`` has the same lengths, and is all 0 when None."""
        if type_ids is not None and [len(row) for row in type_ids] != [len(row) for row in rows]:
            raise invalid("type_ids: expected as many in each row as there are tokens")
        tokens = int_array(list(chain.from_iterable(rows)), "tokens")
        types = None if type_ids is None else int_array(list(chain.from_iterable(type_ids)), "type_ids")
        lengths = int_array([len(row) for row in rows], "lengths")
        out = c_void_p()
        lib.graft_batch_create(tokens, types, lengths, len(lengths), byref(out))
        batch = cls.__new__(cls)
        Handle.__init__(batch, out)
        if labels is not None:
            batch.set_labels(labels)
        return batch

    def set_labels(self, labels: Sequence[int]) -> None:
        """The number of each row's label, from 0."""
        numbers = int_array(labels, "labels")
        lib.graft_batch_set_labels(self.pointer, numbers, len(numbers))

    def set_token_labels(self, labels: Sequence[Sequence[int]]) -> None:
        """What the token before each token should predict, for a language model: the token itself, or -100 where it
        does not count."""
        if [len(row) for row in labels] != [end - start for start, end in zip(self.row_starts, self.row_starts[1:])]:
            raise invalid("labels: expected as many in each row as there are tokens")
        numbers = int_array(list(chain.from_iterable(labels)), "labels")
        lib.graft_batch_set_token_labels(self.pointer, numbers, len(numbers))

    def set_adapters(self, adapters: Sequence[RowAdapter]) -> None:
        """What acts on each row; None: what the session has."""
        made: dict[int, Composition] = {}  # one for each adapter that stands for itself
        handles = (c_void_p * len(adapters))()
        for row, adapter in enumerate(adapters):
            if isinstance(adapter, Adapter):
                adapter = made.setdefault(id(adapter), Composition(adapter))
            handles[row] = None if adapter is None else adapter.pointer.value
        lib.graft_batch_set_adapters(self.pointer, handles, len(handles))

    @property
    def row_starts(self) -> list[int]:
        """First token of each row, and at the end the number of tokens."""
        starts: list[int] = lib.graft_batch_row_starts(self.pointer)[: len(self) + 1]
        return starts

    @property
    def token_count(self) -> int:
        """Tokens of all rows."""
        return int(lib.graft_batch_token_count(self.pointer))

    def __len__(self) -> int:
        return int(lib.graft_batch_row_count(self.pointer))


class Dataset(Handle):
    """Labelled rows on which to train or evaluate.

    :param labels: numbers from 0, or names.
    :param label_names: the names, in the order of their numbers. When None and ``labels`` are names: those that
        occur, sorted.
    :param maximum_length: truncates longer rows; 0: as ``tokenizer.json`` says.
    """

    _release_function = "graft_dataset_release"

    def __init__(
        self,
        tokenizer: Tokenizer,
        texts: Sequence[str],
        labels: Sequence[int | str],
        *,
        pairs: Sequence[str] | None = None,
        label_names: Sequence[str] | None = None,
        maximum_length: int = 0,
    ) -> None:
        if len(labels) != len(texts):
            raise invalid(f"labels: expected {len(texts)}, one for each text; found {len(labels)}")
        if label_names is None and any(isinstance(label, str) for label in labels):
            label_names = sorted({str(label) for label in labels})
        #: Names of the labels in the order of their numbers; empty when only numbers were given.
        self.label_names = list(label_names or [])
        numbers = _label_numbers(labels, self.label_names)
        out = c_void_p()
        lib.graft_dataset_create(byref(out))
        super().__init__(out)
        with Batch(tokenizer, texts, pairs=pairs, labels=numbers, maximum_length=maximum_length) as batch:
            self.append(batch)

    @classmethod
    def from_tsv(
        cls,
        tokenizer: Tokenizer,
        path: str | os.PathLike[str],
        *,
        label_names: Sequence[str] | None = None,
        maximum_length: int = 0,
    ) -> Dataset:
        """Reads a file of ``text TAB label`` or ``text TAB pair TAB label`` lines, in UTF-8, without a header."""
        try:
            with open(path_bytes(path), encoding="utf-8", newline="") as file:
                content = file.read()
        except OSError as error:
            status = Status.NOT_FOUND if isinstance(error, FileNotFoundError) else Status.IO
            raise GraftError(status, f"{path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise GraftError(Status.CORRUPT_FILE, f"{path}: byte {error.start} is not UTF-8") from error
        rows = [line.rstrip("\r").split("\t") for line in content.split("\n") if line.strip()]
        width = len(rows[0]) if rows else 2
        for number, row in enumerate(rows, 1):
            if len(row) != width or width not in (2, 3):
                raise GraftError(
                    Status.CORRUPT_FILE,
                    f"{path}: expected text TAB label or text TAB pair TAB label, the same on every line; "
                    f"found {len(row)} columns in row {number}",
                )
        return cls(
            tokenizer,
            [row[0] for row in rows],
            [row[-1] for row in rows],
            pairs=[row[1] for row in rows] if width == 3 else None,
            label_names=label_names,
            maximum_length=maximum_length,
        )

    @classmethod
    def from_batch(cls, batch: Batch) -> Dataset:
        """The rows of a batch that has labels, such as those that a language model learns from."""
        dataset = cls.__new__(cls)
        out = c_void_p()
        lib.graft_dataset_create(byref(out))
        Handle.__init__(dataset, out)
        dataset.label_names = []
        dataset.append(batch)
        return dataset

    def append(self, batch: Batch) -> None:
        """Copies the rows of a labelled batch to the end."""
        lib.graft_dataset_append(self.pointer, batch.pointer)

    def __len__(self) -> int:
        return int(lib.graft_dataset_row_count(self.pointer))


def _label_numbers(labels: Sequence[int | str], names: Sequence[str]) -> list[int]:
    known = {name: number for number, name in enumerate(names)}
    numbers = []
    for row, label in enumerate(labels):
        if not isinstance(label, str):
            numbers.append(int(label))
        elif label in known:
            numbers.append(known[label])
        else:
            raise invalid(f"labels: row {row} has {label!r}, which is not among {', '.join(known)}")
    return numbers
