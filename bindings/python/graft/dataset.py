"""Encoded rows for a training."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from ctypes import byref, c_void_p
from itertools import chain
from typing import TYPE_CHECKING, Any

from .batch import STRIDE, Batch
from .candidate_batches import choice_batch, grouped_batch, ranking_batch
from .candidates import lists_of, repeated
from .conversations import conversation_batch, prompt_batch
from .entities import Entity, sentence_of
from .errors import GraftError, invalid, with_source
from .handle import Handle
from .label_numbers import label_sets, named_labels
from .library import lib
from .lost_tokens import warn_of_cuts, warn_of_unknown_tokens
from .preferences import preference_batch
from .token_labels import labels_of_entities, labels_of_words
from .tokenizer import Tokenizer
from .values import as_list, name_list, require_length, text_list
from .windows import tagged_batch

if TYPE_CHECKING:
    from .data.records import Places
    from .data.table import Table


class Dataset(Handle):
    """Labelled rows on which to train or evaluate.

    A warning says when rows were cut, or when the tokenizer does not know much of the texts.

    :param labels: one for each text: numbers from 0, or names. For ``"multi_label_classification"``
        a list of names for each text, which may be empty.
    :param targets: instead of labels, the numbers of each text, as :meth:`Batch.set_column` has
        them.
    :param label_names: the names, in the order of their numbers. When None and ``labels`` are
        names: those that occur, sorted. A test set that may lack some needs the training set's,
        ``adapter.labels``.
    :param maximum_length: truncates longer rows; 0: the tokenizer's ``maximum_length``. What is
        trained on these rows remembers it.
    """

    _release_function = "graft_dataset_release"

    def __init__(
        self,
        tokenizer: Tokenizer,
        texts: Iterable[str],
        labels: Iterable[int] | Iterable[str] | Iterable[Iterable[str]] | None = None,
        *,
        targets: Iterable[float] | Iterable[Iterable[float]] | None = None,
        pairs: Iterable[str] | None = None,
        label_names: Iterable[str] | None = None,
        maximum_length: int = 0,
    ) -> None:
        texts = as_list(texts, "texts", "strings")
        if (labels is None) == (targets is None):
            raise invalid("labels, targets: expected one of the two")
        names = None if label_names is None else as_list(label_names, "label_names", "strings")
        numbers = None
        if labels is not None:
            given = as_list(labels, "labels", "numbers or names")
            require_length(given, len(texts), "labels")
            if any(isinstance(label, (list, tuple, set, frozenset)) for label in given):
                names, targets = label_sets(given, names)
            else:
                names, numbers = named_labels(given, names)
        #: Names of the labels in the order of their numbers; empty when only numbers were given.
        self.label_names = [name.decode() for name in name_list(names or [], "label_names")]
        out = c_void_p()
        lib.graft_dataset_create(byref(out))
        super().__init__(out)
        with Batch(
            tokenizer, texts, pairs=pairs, labels=numbers, targets=targets, maximum_length=maximum_length
        ) as batch:
            self.append(batch)

    @classmethod
    def from_texts(
        cls,
        tokenizer: Tokenizer,
        texts: Iterable[str],
        *,
        mask_each: bool = False,
        maximum_length: int = 0,
    ) -> Dataset:
        """Texts without labels, for ``"masked_language_model"``, whose trainer masks their words.

        :param mask_each: masks every token of a word in turn, in a row of its own: the
            ``"perplexity"`` of such rows is the pseudo-perplexity of the texts. They take memory
            for the squares of the texts' lengths.
        :param maximum_length: as of the class.
        """
        with Batch.of_words(tokenizer, texts, maximum_length=maximum_length) as rows:
            if not mask_each:
                return cls.from_batch(rows)
            if tokenizer.mask_token is None:
                raise invalid("the tokenizer has no token that masks")
            with rows.mask_each(tokenizer.mask_token) as masked:
                return cls.from_batch(masked)

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
        """Reads a file of ``text TAB label`` or ``text TAB pair TAB label`` lines, in UTF-8,
        without quotes. Labels are names, even those that look like numbers; empty lines are
        skipped.

        :param header: whether the first line names the columns; None: it does if its last word is
            one that names labels, such as "label", or is no number where all others are. A first
            line whose label stands on no other line, while theirs repeat, may be either, and is an
            error that asks for this argument.
        """
        names = None if label_names is None else as_list(label_names, "label_names", "strings")
        from .table import read_table

        rows = read_table(path, header, names)
        try:
            return cls(
                tokenizer,
                [row[0] for row in rows],
                [row[-1] for row in rows],
                pairs=[row[1] for row in rows] if rows and len(rows[0]) == 3 else None,
                label_names=names,
                maximum_length=maximum_length,
            )
        except GraftError as error:
            raise with_source(os.fsdecode(path), error) from None

    @classmethod
    def from_words(
        cls,
        tokenizer: Tokenizer,
        sentences: Iterable[Iterable[str]],
        labels: Iterable[Iterable[str]],
        *,
        label_names: Iterable[str] | None = None,
        all_pieces: bool = False,
        maximum_length: int = 0,
        stride: int = STRIDE,
    ) -> Dataset:
        """Words, each with a label, for ``"token_classification"``, such as tags of named entities.
        The words of a sentence are encoded with blanks between them; the first token of a word
        stands for it.

        :param sentences: lists of words.
        :param labels: a name for each word.
        :param label_names: as of the class.
        :param all_pieces: gives every token of a word a label, rather than the first alone: that of
            one that goes on.
        :param maximum_length: as of the class, but that longer sentences become windows, each a
            row.
        :param stride: tokens that a window shares with the one before it, at most half of them;
            what is shared is learned in one of them.
        """
        rows = [sentence_of(words, f"sentences[{row}]") for row, words in enumerate(as_list(sentences, "sentences", "lists", 2))]
        given = [as_list(row, f"labels[{number}]", "names") for number, row in enumerate(as_list(labels, "labels", "lists", 2))]
        require_length(given, len(rows), "labels", "sentence")
        for number, (own, row) in enumerate(zip(given, rows)):
            require_length(own, len(row.words or []) // 2, f"labels[{number}]", "word")
        names = None if label_names is None else as_list(label_names, "label_names", "strings")
        tags, known = labels_of_words(tokenizer, rows, given, names, all_pieces)
        return cls._of_tokens(tokenizer, [row.text for row in rows], tags, known, maximum_length, stride)

    @classmethod
    def from_entities(
        cls,
        tokenizer: Tokenizer,
        texts: Iterable[str],
        entities: Iterable[Iterable[Entity | tuple[int, int, str]]],
        *,
        label_names: Iterable[str] | None = None,
        scheme: str = "IOB2",
        all_pieces: bool = False,
        maximum_length: int = 0,
        stride: int = STRIDE,
    ) -> Dataset:
        """Texts with named entities, for ``"token_classification"``.

        :param entities: of each text those in it, as :class:`Entity` or as first character, the one
            past the last, and type. A word that an entity shares a character with is its; words are
            the tokenizer's, divided at punctuation, and token by token in scripts without blanks.
        :param label_names: tags, "O" and such as "B-PER"; None: those of the types that occur.
        :param scheme: of these: ``"IOB2"`` or ``"IOBES"``.
        :param all_pieces: as of :meth:`from_words`.
        :param maximum_length: as of :meth:`from_words`.
        :param stride: as of :meth:`from_words`.
        """
        rows = as_list(texts, "texts", "strings")
        given = [list(row) for row in as_list(entities, "entities", "lists", 2)]
        if len(given) != len(rows):
            raise invalid(f"entities: expected {len(rows)} lists, one for each text; found {len(given)}")
        names = None if label_names is None else as_list(label_names, "label_names", "strings")
        tags, known = labels_of_entities(tokenizer, rows, given, names, scheme, all_pieces)
        return cls._of_tokens(tokenizer, text_list(rows, "texts"), tags, known, maximum_length, stride)

    @classmethod
    def from_groups(
        cls,
        tokenizer: Tokenizer,
        groups: Iterable[Iterable[str]],
        *,
        targets: Iterable[float] | None = None,
        maximum_length: int = 0,
    ) -> Dataset:
        """Texts that belong together, for ``"sentence_embedding"``.

        :param groups: lists of an anchor, a text that is like it, and any that are not.
        :param targets: for the losses that learn how alike the two texts of a pair are: a number
            for each.
        :param maximum_length: as of the class.
        """
        rows = lists_of(groups, "groups", "strings")
        counts = list(map(len, rows))
        values = None if targets is None else as_list(targets, "targets", "numbers")
        if values is not None:
            require_length(values, len(rows), "targets", "group")
            values = repeated(values, counts)
        texts = chain.from_iterable(rows)
        with grouped_batch(tokenizer, texts, counts, targets=values, maximum_length=maximum_length) as batch:
            return cls.from_batch(batch)

    @classmethod
    def from_sources(
        cls,
        tokenizer: Tokenizer,
        sources: Iterable[str],
        targets: Iterable[str],
        *,
        target_tokenizer: Tokenizer | None = None,
        maximum_length: int = 0,
    ) -> Dataset:
        """Texts and what they should become, for ``"seq_2_seq_lm"``: translations, summaries.

        :param target_tokenizer: where targets have another; None: :attr:`Tokenizer.of_targets`.
        :param maximum_length: as of the class, of sources and of targets.
        """
        with Batch.of_sources(
            tokenizer, sources, targets, target_tokenizer=target_tokenizer, maximum_length=maximum_length
        ) as batch:
            return cls.from_batch(batch)

    @classmethod
    def from_choices(
        cls,
        tokenizer: Tokenizer,
        questions: Iterable[str],
        choices: Iterable[Iterable[str]],
        right: Iterable[int],
        *,
        maximum_length: int = 0,
    ) -> Dataset:
        """Questions with choices, for ``"multiple_choice"``: a row has a question, and a choice as
        its second segment.

        :param choices: of each question two or more.
        :param right: the place of the right one of each, from 0.
        :param maximum_length: as of the class.
        """
        with choice_batch(tokenizer, questions, choices, right, maximum_length) as batch:
            return cls.from_batch(batch)

    @classmethod
    def from_rankings(
        cls,
        tokenizer: Tokenizer,
        queries: Iterable[str],
        candidates: Iterable[Iterable[str]],
        targets: Iterable[Iterable[float]],
        *,
        maximum_length: int = 0,
    ) -> Dataset:
        """Queries with candidates, for ``"regression"`` of one value with a loss of rankings: a row
        has a query, and a candidate as its second segment.

        :param candidates: of each query.
        :param targets: how relevant each is.
        :param maximum_length: as of the class.
        """
        with ranking_batch(tokenizer, queries, candidates, targets, maximum_length) as batch:
            return cls.from_batch(batch)

    @classmethod
    def from_conversations(
        cls,
        tokenizer: Tokenizer,
        conversations: Iterable[Iterable[Mapping[str, Any]]],
        *,
        maximum_length: int = 0,
    ) -> Dataset:
        """Conversations, for a ``"language_model"`` that learns what the assistant says in them.

        :param conversations: lists of messages, as :meth:`Tokenizer.apply_chat_template` takes
            them; the tokenizer's folder has the template.
        :param maximum_length: as of the class.
        """
        rows = lists_of(conversations, "conversations", "messages")
        with conversation_batch(tokenizer, rows, maximum_length) as batch:
            return cls.from_batch(batch)

    @classmethod
    def from_prompts(
        cls,
        tokenizer: Tokenizer,
        prompts: Iterable[str],
        completions: Iterable[str],
        *,
        end_tokens: Iterable[int] = (),
        maximum_length: int = 0,
    ) -> Dataset:
        """Texts that go on, for a ``"language_model"`` that learns how: what comes after a prompt.

        :param completions: one for each prompt, behind it with a blank where neither has one.
        :param end_tokens: learned behind each, so that the model ends there, such as
            ``model.end_tokens[:1]``.
        :param maximum_length: as of the class.
        """
        first, second = (text_list(given, name) for given, name in ((prompts, "prompts"), (completions, "completions")))
        require_length(second, len(first), "completions", "prompt")
        texts, wanted = ([text.decode() for text in own] for own in (first, second))
        with prompt_batch(tokenizer, texts, wanted, list(end_tokens), maximum_length) as batch:
            return cls.from_batch(batch)

    @classmethod
    def from_preferences(
        cls,
        tokenizer: Tokenizer,
        prompts: Iterable[str] | Iterable[Iterable[Mapping[str, Any]]],
        chosen: Iterable[str],
        rejected: Iterable[str],
        *,
        end_tokens: Iterable[int] = (),
        maximum_length: int = 0,
    ) -> Dataset:
        """Prompts with two answers, of which the first is preferred, for ``"language_model"`` with
        the loss ``"dpo"``: two rows for each.

        :param prompts: texts, with answers as :meth:`from_prompts` has completions, or
            conversations, which the folder's chat template writes with their answers.
        :param end_tokens: behind each answer to a text, as of :meth:`from_prompts`.
        :param maximum_length: as of the class.
        """
        with preference_batch(tokenizer, prompts, chosen, rejected, list(end_tokens), maximum_length) as batch:
            return cls.from_batch(batch)

    @classmethod
    def from_table(
        cls,
        tokenizer: Tokenizer,
        table: Table | Iterable[Table],
        *,
        label_names: Iterable[str] | None = None,
        scheme: str = "IOB2",
        all_pieces: bool = False,
        maximum_length: int = 0,
        stride: int = STRIDE,
        task: str | None = None,
        mask_each: bool = False,
        end_tokens: Iterable[int] = (),
    ) -> Dataset:
        """The rows of a table, for the task that its columns are of: tags or entities for
        ``"token_classification"``, labels for ``"multi_label_classification"``, a label for
        ``"sequence_classification"``, a target for ``"regression"``, questions with contexts and
        answers for ``"question_answering"``, candidates with the right one for
        ``"multiple_choice"`` or with their relevance for rankings, sources with outputs for
        ``"seq_2_seq_lm"``, messages, or prompts with completions, for a ``"language_model"``, or
        prompts with an answer that is preferred and another, for its loss ``"dpo"``. A label that
        is not among the names is an error that says where it stands.

        :param table: or several, such as those of :meth:`Table.stream`, of which one at a time is
            in memory as texts: then labels need ``label_names``.
        :param label_names: as of the class, and tags for entities. When None, of one class alone
            there is nothing to learn, and that is an error.
        :param scheme: as of :meth:`from_entities`.
        :param all_pieces: as of :meth:`from_words`.
        :param maximum_length: as of the class.
        :param stride: as of :meth:`from_words`, and tokens of a question's context that a window
            shares with the one before it, where contexts are too long: each window, with the whole
            question, is a row, and those without the answer have none. Of several answers the first
            is learned.
        :param task: what the table is for, where its columns do not say it: texts are for
            ``"masked_language_model"``, pairs with targets for ``"ranking"``.
        :param mask_each: as of :meth:`from_texts`.
        :param end_tokens: as of :meth:`from_prompts`; a chat template has its own.
        """
        from .data.columns import LEARNED
        from .data.table import Table
        from .table_tasks.listed import batch_of  # which needs this module
        from .table_tasks.table_task import Making

        names = None if label_names is None else as_list(label_names, "label_names", "strings")
        making = Making(names, scheme, all_pieces, maximum_length, stride, mask_each, list(end_tokens))
        dataset, tables = None, []
        for part in [table] if isinstance(table, Table) else table:
            if not isinstance(part, Table):
                raise TypeError(f"table: expected a graft.Table, as Table.read makes, found {type(part).__name__}")
            if names is None and part is not table and set(LEARNED[:-1]) & set(part.columns):
                raise invalid("label_names: expected names, since each of several tables may lack some")
            if not len(part):
                raise invalid(f"{part.source}: it has no rows")
            batch, known = batch_of(tokenizer, part, task, making)
            with batch:
                if dataset is None:
                    dataset = cls.from_batch(batch)
                    dataset.label_names = known
                else:
                    dataset.append(batch)
                tables.append((len(dataset) - len(batch), part.places, batch))
        if dataset is None:
            raise invalid("table: expected rows, found no table")
        dataset._tables = tables
        return dataset

    @classmethod
    def _of_tokens(
        cls,
        tokenizer: Tokenizer,
        texts: list[bytes],
        labels: list[list[int]],
        names: list[str],
        maximum_length: int,
        stride: int,
    ) -> Dataset:
        with tagged_batch(tokenizer, texts, labels, names, maximum_length, stride) as batch:
            dataset = cls.from_batch(batch)
        dataset.label_names = names
        return dataset

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
        """Copies the rows of a labelled batch to the end. Of batches with different limits, the
        data set has the largest, or none if one has none."""
        lib.graft_dataset_append(self.pointer, Batch.pointer_of(batch))
        if batch.truncated_row_count and not self._warned_of_cuts:
            warn_of_cuts(len(batch), batch.truncated_row_count, batch.maximum_length or 0)
            self._warned_of_cuts = True
        if not self._warned_of_unknown_tokens:
            self._warned_of_unknown_tokens = warn_of_unknown_tokens(self.token_count, self.unknown_token_count)

    def place(self, row: int) -> str | None:
        """Where what a row of a table was made of stands. None: it is not known."""
        for first, places, batch in reversed(self._tables):
            if row >= first:
                origin = batch.origin(row - first)
                return None if origin is None else places.name(origin)
        return None

    #: The first row of each table, where its rows stand, and what they became.
    _tables: Sequence[tuple[int, Places, Batch]] = ()
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
