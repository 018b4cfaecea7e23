"""Encoded rows for one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ctypes import Array, byref, c_int32, c_void_p
from itertools import chain
from typing import TYPE_CHECKING, Any

from .adapter import RowAdapter, compositions
from .errors import invalid
from .handle import Handle
from .library import lib
from .lost_tokens import warn_of_cuts, warn_of_unknown_tokens
from .tokenizer import Tokenizer, encode_options
from .values import as_list, c_number, float_rows, int_array, name_bytes, require_length, text_array, text_list

#: Tokens that a window shares with the one before it, where nothing else is said.
STRIDE = 128

if TYPE_CHECKING:
    from .data.table import Table


class Batch(Handle):
    """Rows of tokens for one call, end to end without padding.

    :param pairs: second segments, one for each text.
    :param maximum_length: truncates longer rows; 0: the tokenizer's ``maximum_length``.
    :param labels: the number of each row's label, where it is to be trained on.
    :param targets: of each row the numbers that its outputs should be, where it is to be trained
        on: a number, or as many as the head has labels.
    """

    _release_function = "graft_batch_release"

    #: Of each row the number of the caller's row that it was made of; None: they are the same, and
    #: none: it is not known.
    origins: Sequence[int] | None = None

    def __init__(
        self,
        tokenizer: Tokenizer,
        texts: Iterable[str],
        *,
        pairs: Iterable[str] | None = None,
        labels: Iterable[int] | None = None,
        targets: Iterable[float] | Iterable[Iterable[float]] | None = None,
        maximum_length: int = 0,
    ) -> None:
        first = text_list(texts, "texts")
        second = None if pairs is None else text_list(pairs, "pairs")
        if second is not None:
            require_length(second, len(first), "pairs")
        self._encode(tokenizer, first, second, maximum_length)
        if labels is not None:
            self.set_column("labels", labels)
        if targets is not None:
            self.set_column("targets", targets)

    def _encode(
        self,
        tokenizer: Tokenizer,
        texts: list[bytes],
        pairs: list[bytes] | None,
        maximum_length: int,
        keep_words: bool = False,
    ) -> None:
        options = encode_options(texts, pairs, maximum_length)
        options.keep_words = 1 if keep_words else 0
        second = None if pairs is None else text_array(pairs)
        out = c_void_p()
        lib.graft_batch_encode(
            Tokenizer.pointer_of(tokenizer), text_array(texts), second, len(texts), byref(options), byref(out)
        )
        super().__init__(out)

    @classmethod
    def from_utf8(
        cls,
        tokenizer: Tokenizer,
        texts: list[bytes],
        pairs: list[bytes] | None,
        maximum_length: int,
        adapters: Iterable[RowAdapter] | None = None,
    ) -> Batch:
        """The same for texts that were checked and encoded before, and what acts on each row; None:
        what the session has."""
        batch = cls.__new__(cls)
        batch._encode(tokenizer, texts, pairs, maximum_length)
        if adapters is not None:
            batch.set_adapters(adapters)
        return batch

    @classmethod
    def of_words(cls, tokenizer: Tokenizer, texts: Iterable[str], *, maximum_length: int = 0) -> Batch:
        """Rows whose words are known, for ``"masked_language_model"`` with ``masking``."""
        batch = cls.__new__(cls)
        batch._encode(tokenizer, text_list(texts, "texts"), None, maximum_length, keep_words=True)
        return batch

    @classmethod
    def of_sources(
        cls,
        tokenizer: Tokenizer,
        sources: Iterable[str],
        targets: Iterable[str],
        *,
        target_tokenizer: Tokenizer | None = None,
        maximum_length: int = 0,
    ) -> Batch:
        """Rows and what they should become, as :meth:`Dataset.from_sources` has them."""
        wanted = as_list(targets, "targets", "strings")
        batch = cls(tokenizer, sources, maximum_length=maximum_length)
        require_length(wanted, len(batch), "targets", "source")
        with Batch(target_tokenizer or tokenizer.of_targets, wanted, maximum_length=maximum_length) as rows:
            batch.set_targets(rows)
            # A data set says this of its rows, which are the sources.
            warn_of_cuts(len(rows), rows.truncated_row_count, rows.maximum_length or 0, "targets")
            warn_of_unknown_tokens(rows.token_count, rows.unknown_token_count)
        return batch

    def mask_each(self, mask_token: int) -> Batch:
        """Each row of :meth:`of_words` as often as it has tokens of words, with another one of them
        replaced by ``mask_token`` each time, and as its label."""
        out = c_void_p()
        lib.graft_batch_mask_each(self.pointer, c_number(c_int32, mask_token, "mask_token"), byref(out))
        batch = Batch.__new__(Batch)
        Handle.__init__(batch, out)
        batch.origins = ()
        return batch

    @classmethod
    def from_table(
        cls,
        tokenizer: Tokenizer,
        table: Table,
        *,
        label_names: Iterable[str] | None = None,
        scheme: str = "IOB2",
        all_pieces: bool = False,
        maximum_length: int = 0,
        stride: int = STRIDE,
        task: str | None = None,
        mask_each: bool = False,
        end_tokens: Iterable[int] = (),
    ) -> Batch:
        """The rows of a table, as :meth:`Dataset.from_table` has them: for steps of a training on
        what is larger than memory."""
        from .table_tasks.listed import batch_of  # which needs this module
        from .table_tasks.table_task import Making

        names = None if label_names is None else as_list(label_names, "label_names", "strings")
        making = Making(names, scheme, all_pieces, maximum_length, stride, mask_each, list(end_tokens))
        return batch_of(tokenizer, table, task, making)[0]

    @classmethod
    def from_tokens(
        cls,
        rows: Iterable[Iterable[int]],
        *,
        type_ids: Iterable[Iterable[int]] | None = None,
        labels: Iterable[int] | None = None,
    ) -> Batch:
        """Rows of token ids that are already known; ``type_ids`` has the same lengths, and is all 0
        when None."""
        tokens, lengths = _flat(rows, "tokens")
        types, type_lengths = (None, lengths) if type_ids is None else _flat(type_ids, "type_ids")
        if list(type_lengths) != list(lengths):
            raise invalid("type_ids: expected as many in each row as there are tokens")
        out = c_void_p()
        lib.graft_batch_create(tokens, types, lengths, len(lengths), byref(out))
        batch = cls.__new__(cls)
        Handle.__init__(batch, out)
        if labels is not None:
            batch.set_column("labels", labels)
        return batch

    def set_column(self, name: str, values: Iterable[Any]) -> None:
        """What a task learns from, in place of what the batch had under that name:

        - ``"labels"``: the number of each row's label, from 0; for ``"multiple_choice"`` 1 for the
          right choice of a group and 0 for the others.
        - ``"targets"``: of each row a number, or as many as the head has labels: the values of
          ``"regression"``, or for ``"multi_label_classification"`` 1 or 0, or a probability, for
          each label.
        - ``"group_places"``: of each row its place in its group of rows that belong together, which
          stand one after the other: 0 the anchor, which begins a group, 1 what is like it, and 2, 3
          and so on what is not; for the loss ``"dpo"`` 0 the preferred answer and 1 the other.
        - ``"token_labels"``: a list for each row, with a number for each of its tokens: its label,
          or for a ``"language_model"`` what the token before it should predict, so the token
          itself; or for a ``"masked_language_model"`` what a token is that was masked; -100 where
          it does not count.
        - ``"token_words"``: as those, the number of the word that each token is of; -1 for tokens
          that are of none.
        - ``"answer_spans"``: of each row the tokens at which its answer starts and ends, counted
          from 0; places outside the row do not count.
        - ``"reference_log_probabilities"``: for the loss ``"dpo"`` a number for each row: the sum
          over its labelled tokens by another model than the base, where that is the reference.
        """
        column = name_bytes(name, "name")
        if name in ("targets", "reference_log_probabilities"):
            numbers, width = float_rows(values, name)
            lib.graft_batch_set_floats(self.pointer, column, numbers, len(numbers) // width, width)
            return
        if name in ("token_labels", "token_words"):
            labels, lengths = _flat(values, name)
            starts = self.row_starts
            if list(lengths) != [end - start for start, end in zip(starts, starts[1:])]:
                raise invalid(f"{name}: expected as many in each row as there are tokens")
        elif name == "answer_spans":
            labels, lengths = _flat(values, name)
            if set(lengths) - {2}:
                raise invalid(f"{name}: expected two in each row")
            lib.graft_batch_set_integers(self.pointer, column, labels, len(labels) // 2, 2)
            return
        else:
            labels = int_array(values, name)
        lib.graft_batch_set_integers(self.pointer, column, labels, len(labels), 1)

    def set_targets(self, targets: Batch) -> None:
        """What each row should become, for ``"seq_2_seq_lm"``: a batch of as many rows, encoded
        alike, which is copied. Its column ``"token_labels"``, if it has one, says which of its
        tokens count."""
        lib.graft_batch_set_targets(self.pointer, Batch.pointer_of(targets))

    def set_adapters(self, adapters: Iterable[RowAdapter]) -> None:
        """What acts on each row; None: what the session has."""
        rows = compositions(adapters)
        handles = (c_void_p * len(rows))(*[None if row is None else row.pointer.value for row in rows])
        lib.graft_batch_set_adapters(self.pointer, handles, len(handles))

    def origin(self, row: int) -> int | None:
        """The number of the caller's row that a row was made of; None: it is not known."""
        if self.origins is None:
            return row
        return self.origins[row] if row < len(self.origins) else None

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


def _flat(rows: Iterable[Iterable[int]], name: str) -> tuple[Array[c_int32], Array[c_int32]]:
    """Rows end to end, and their lengths."""
    lists = [as_list(row, f"{name}[{number}]", "integers") for number, row in enumerate(as_list(rows, name, "rows", 2))]
    return int_array(chain.from_iterable(lists), name), int_array(map(len, lists), "lengths")
