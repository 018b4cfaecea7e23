"""Encoded rows: a batch for one call, a dataset for a training."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from ctypes import Array, byref, c_int32, c_void_p
from itertools import chain

from .adapter import RowAdapter, compositions
from .errors import GraftError, invalid
from .handle import Handle
from .library import lib
from .losses import warn_of_cuts, warn_of_unknown_tokens
from .table import read_table
from .tokenizer import Tokenizer, encode_options
from .values import as_list, int_array, name_list, text_array, text_list


class Batch(Handle):
    """Rows of tokens for one call, end to end without padding.

    :param pairs: second segments, one for each text.
    :param maximum_length: truncates longer rows; 0: the tokenizer's ``maximum_length``.
    :param labels: the number of each row's label, where it is to be trained on.
    """

    _release_function = "graft_batch_release"

    def __init__(
        self,
        tokenizer: Tokenizer,
        texts: Iterable[str],
        *,
        pairs: Iterable[str] | None = None,
        labels: Iterable[int] | None = None,
        maximum_length: int = 0,
    ) -> None:
        first = text_list(texts, "texts")
        second = None if pairs is None else text_list(pairs, "pairs")
        if second is not None and len(second) != len(first):
            raise invalid(f"pairs: expected {len(first)}, one for each text; found {len(second)}")
        self._encode(tokenizer, first, second, maximum_length)
        if labels is not None:
            self.set_labels(labels)

    def _encode(
        self, tokenizer: Tokenizer, texts: list[bytes], pairs: list[bytes] | None, maximum_length: int
    ) -> None:
        options = encode_options(texts, pairs, maximum_length)
        second = None if pairs is None else text_array(pairs)
        out = c_void_p()
        lib.graft_batch_encode(
            Tokenizer.pointer_of(tokenizer), text_array(texts), second, len(texts), byref(options), byref(out)
        )
        super().__init__(out)

    @classmethod
    def from_utf8(
        cls, tokenizer: Tokenizer, texts: list[bytes], pairs: list[bytes] | None, maximum_length: int
    ) -> Batch:
        """The same for texts that were checked and encoded before."""
        batch = cls.__new__(cls)
        batch._encode(tokenizer, texts, pairs, maximum_length)
        return batch

    @classmethod
    def from_tokens(
        cls,
        rows: Iterable[Iterable[int]],
        *,
        type_ids: Iterable[Iterable[int]] | None = None,
        labels: Iterable[int] | None = None,
    ) -> Batch:
        """Rows of token ids that are already known; ``type_ids`` has the same lengths, and is all 0 when None."""
        tokens, lengths = _flat(rows, "tokens")
        types, type_lengths = (None, lengths) if type_ids is None else _flat(type_ids, "type_ids")
        if list(type_lengths) != list(lengths):
            raise invalid("type_ids: expected as many in each row as there are tokens")
        out = c_void_p()
        lib.graft_batch_create(tokens, types, lengths, len(lengths), byref(out))
        batch = cls.__new__(cls)
        Handle.__init__(batch, out)
        if labels is not None:
            batch.set_labels(labels)
        return batch

    def set_labels(self, labels: Iterable[int]) -> None:
        """The number of each row's label, from 0."""
        numbers = int_array(labels, "labels")
        lib.graft_batch_set_labels(self.pointer, numbers, len(numbers))

    def set_token_labels(self, labels: Iterable[Iterable[int]]) -> None:
        """What the token before each token should predict, for a language model: the token itself, or -100 where it
        does not count."""
        numbers, lengths = _flat(labels, "labels")
        starts = self.row_starts
        if list(lengths) != [end - start for start, end in zip(starts, starts[1:])]:
            raise invalid("labels: expected as many in each row as there are tokens")
        lib.graft_batch_set_token_labels(self.pointer, numbers, len(numbers))

    def set_adapters(self, adapters: Iterable[RowAdapter]) -> None:
        """What acts on each row; None: what the session has."""
        rows = compositions(adapters)
        handles = (c_void_p * len(rows))(*[None if row is None else row.pointer.value for row in rows])
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

    @property
    def maximum_length(self) -> int | None:
        """Most tokens that a row could have; None without a limit, or for given tokens."""
        return int(lib.graft_batch_maximum_length(self.pointer)) or None

    @property
    def truncated_row_count(self) -> int:
        """Rows that lost tokens to that limit."""
        return int(lib.graft_batch_truncated_row_count(self.pointer))

    @property
    def unknown_token_count(self) -> int:
        """Tokens of the texts that are the tokenizer's unknown one."""
        return int(lib.graft_batch_unknown_token_count(self.pointer))

    def __len__(self) -> int:
        return int(lib.graft_batch_row_count(self.pointer))

    def _description(self) -> str:
        return f", {len(self)} rows, {self.token_count} tokens"


class Dataset(Handle):
    """Labelled rows on which to train or evaluate.

    A warning says when rows were cut, or when the tokenizer does not know much of the texts.

    :param labels: one for each text: numbers from 0, or names.
    :param label_names: the names, in the order of their numbers. When None and ``labels`` are names: those that
        occur, sorted. A test set that may lack some needs the training set's, ``adapter.labels``.
    :param maximum_length: truncates longer rows; 0: the tokenizer's ``maximum_length``. What is trained on these rows
        remembers it.
    """

    _release_function = "graft_dataset_release"

    def __init__(
        self,
        tokenizer: Tokenizer,
        texts: Iterable[str],
        labels: Iterable[int] | Iterable[str],
        *,
        pairs: Iterable[str] | None = None,
        label_names: Iterable[str] | None = None,
        maximum_length: int = 0,
    ) -> None:
        texts, given = as_list(texts, "texts", "strings"), as_list(labels, "labels", "numbers or names")
        if len(given) != len(texts):
            raise invalid(f"labels: expected {len(texts)}, one for each text; found {len(given)}")
        are_names = {isinstance(label, str) for label in given}
        if len(are_names) > 1:
            raise invalid("labels: expected numbers or names, found both")
        if label_names is None:
            label_names = sorted(set(map(str, given))) if True in are_names else []
        #: Names of the labels in the order of their numbers; empty when only numbers were given.
        self.label_names = [name.decode() for name in name_list(label_names, "label_names")]
        numbers = _label_numbers(given, self.label_names)
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
        label_names: Iterable[str] | None = None,
        maximum_length: int = 0,
        header: bool | None = None,
    ) -> Dataset:
        """Reads a file of ``text TAB label`` or ``text TAB pair TAB label`` lines, in UTF-8, without quotes. Labels are
        names, even those that look like numbers; empty lines are skipped.

        :param header: whether the first line names the columns; None: it does if its last word is one that names labels,
            such as "label", or is no number where all others are. A first line whose label stands on no other line,
            while theirs repeat, may be either, and is an error that asks for this argument.
        """
        names = None if label_names is None else as_list(label_names, "label_names", "strings")
        try:
            rows = read_table(path, header, names)
            return cls(
                tokenizer,
                [row[0] for row in rows],
                [row[-1] for row in rows],
                pairs=[row[1] for row in rows] if rows and len(rows[0]) == 3 else None,
                label_names=names,
                maximum_length=maximum_length,
            )
        except GraftError as error:
            raise GraftError(error.status, f"{os.fsdecode(path)}: {error}") from None

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
        """Copies the rows of a labelled batch to the end. Of batches with different limits, the data set has the largest,
        or none if one has none."""
        lib.graft_dataset_append(self.pointer, Batch.pointer_of(batch))
        if batch.truncated_row_count and not self._warned_of_cuts:
            warn_of_cuts(len(batch), batch.truncated_row_count, batch.maximum_length or 0)
            self._warned_of_cuts = True
        if not self._warned_of_unknown_tokens:
            self._warned_of_unknown_tokens = warn_of_unknown_tokens(self.token_count, self.unknown_token_count)

    #: Each is said once.
    _warned_of_cuts = False
    _warned_of_unknown_tokens = False

    @property
    def token_count(self) -> int:
        """Tokens of all rows."""
        return int(lib.graft_dataset_token_count(self.pointer))

    @property
    def maximum_length(self) -> int | None:
        """Most tokens that a row could have; None without a limit, or for given tokens."""
        return int(lib.graft_dataset_maximum_length(self.pointer)) or None

    @property
    def truncated_row_count(self) -> int:
        """Rows that lost tokens to that limit."""
        return int(lib.graft_dataset_truncated_row_count(self.pointer))

    @property
    def unknown_token_count(self) -> int:
        """Tokens of the texts that are the tokenizer's unknown one."""
        return int(lib.graft_dataset_unknown_token_count(self.pointer))

    def __len__(self) -> int:
        return int(lib.graft_dataset_row_count(self.pointer))

    def _description(self) -> str:
        return f", {len(self)} rows, {len(self.label_names)} label names"


def _flat(rows: Iterable[Iterable[int]], name: str) -> tuple[Array[c_int32], Array[c_int32]]:
    """Rows end to end, and their lengths."""
    lists = [as_list(row, f"{name}[{number}]", "integers") for number, row in enumerate(as_list(rows, name, "rows", 2))]
    return int_array(chain.from_iterable(lists), name), int_array(map(len, lists), "lengths")


def _label_numbers(labels: Sequence[int | str], names: Sequence[str]) -> list[int]:
    """The numbers of labels that are names; where there are names, labels that are numbers must be theirs."""
    known = {name: number for number, name in enumerate(names)}
    if len(known) != len(names):
        raise invalid(f"label_names: expected different names, found {', '.join(names)}")
    numbers: list[int] = []
    for row, label in enumerate(labels):
        if isinstance(label, str) and label not in known:
            raise invalid(f"labels: row {row} has {label!r}, which is not among {', '.join(known)}")
        numbers.append(known[label] if isinstance(label, str) else label)
    for row, number in enumerate(int_array(numbers, "labels")):
        if known and not 0 <= number < len(known):
            raise invalid(f"labels: row {row} has {number}; label_names are 0 to {len(known) - 1}")
    return numbers
