"""Inference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from ctypes import Array, byref, c_float, c_int32, c_int64, c_void_p, sizeof
from typing import Literal

from .adapter import Adapter, Composition, RowAdapter, compositions
from .answering import AnsweringHandle
from .answers import ANSWERS
from .batch import STRIDE, Batch
from .choosing import ChoosingHandle
from .declarations import POOLING_CHOICES, POOLING_DEFAULT, SessionOptions
from .entities import TAGS, Entity, Sentence, TokenRow, names_array, sentence_of, token_rows
from .errors import GraftError, Status, invalid, rows_named
from .generating import GeneratingHandle
from .handle import exclusive
from .library import initialised, lib
from .lost_tokens import warn_of_cuts, warn_of_unknown_tokens
from .mask_filling import MaskFillingHandle
from .matrix import Matrix
from .model import Model
from .session_rows import SessionRows, rows_from
from .thresholds import thresholds_of
from .tokenizer import Tokenizer
from .values import as_list, c_number, choice, set_numbers
from .windows import TextWindows, shared_tokens

Pooling = Literal["mean", "first", "last", "max", "weighted_mean", "mean_sqrt_length"]

#: A ``normalize`` that leaves it to the model's folder.
DECLARED = -1


def _tail(numbers: Array[c_float], first: int) -> tuple[Array[c_float], int]:
    """The numbers from ``first`` on, in the same memory, and how many they are."""
    count = len(numbers) - first
    return (c_float * count).from_buffer(numbers, first * sizeof(c_float)), count


class Session(AnsweringHandle, ChoosingHandle, GeneratingHandle, MaskFillingHandle):
    """Working memory and active adapters for one stream of calls: one session for each thread that
    runs a model. Threads that share one take turns.

    Texts are any iterable of strings, and pairs and adapters are one for each text. Rows are cut
    where those that their adapter was trained on were, else at the tokenizer's ``maximum_length``,
    and always where the model ends; a warning says how many. Calls use the tokenizer, so it must
    not be released before the session.

    :param adapter: acts on every row that names none of its own; None: the plain model.
    :param threads: threads of one call; 0: one per core. Results do not depend on it.
    :param pass_token_count: tokens worked on at a time, which bounds memory; 0: chosen.
    :param maximum_length: cuts all rows there instead; at most the model's.
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
        maximum_length: int = 0,
    ) -> None:
        options = initialised(SessionOptions, "graft_session_options_init")
        set_numbers(options, thread_count=threads, pass_token_count=pass_token_count)
        Tokenizer.pointer_of(tokenizer)
        out = c_void_p()
        lib.graft_session_create(Model.pointer_of(model), byref(options), byref(out))
        super().__init__(out)
        self._tokenizer = tokenizer
        # The model may be released before the session.
        self._width = model.hidden_size
        self._embedding_width = model.embedding_size
        self._prompts = {name: model.prompt(name) for name in model.prompt_names}
        self._default_prompt: str | GraftError
        try:
            self._default_prompt = model.prompt()
        except GraftError as error:  # raised where a text is embedded: prompts are for that alone
            self._default_prompt = error
        self._longest = model.maximum_length
        self._vocabulary_size = max(model.vocabulary_size, tokenizer.vocabulary_size)
        self._declared_length = tokenizer.maximum_length
        self._maximum_length = c_number(c_int32, maximum_length, "maximum_length")
        if not 0 <= self._maximum_length <= self._longest:
            raise invalid(
                f"maximum_length: expected 0 to {self._longest}, which the model takes; found {maximum_length}"
            )
        self._own_labels = self._labels = model.labels
        self._own_task = self._task = model.task
        self._adapter_length: int | None = None
        if adapter is not None:
            self.set_adapter(adapter)

    @exclusive
    def set_adapter(self, adapter: Adapter | Composition | None) -> None:
        """What acts from now on on every row that names no adapter of its own; None detaches."""
        (composition,) = compositions([adapter])
        lib.graft_session_set_adapters(self.pointer, None if composition is None else composition.pointer)
        self._labels = self._own_labels if composition is None else composition.labels
        self._task = self._own_task if composition is None else composition.task
        self._adapter_length = None if composition is None else composition.maximum_length

    @exclusive
    def embed(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        pooling: Pooling | None = None,
        normalize: bool | None = None,
        *,
        prompt_name: str | None = None,
        adapters: Iterable[RowAdapter] | None = None,
    ) -> Matrix:
        """One vector a text: [texts, hidden_size], or without ``pooling`` [texts,
        model.embedding_size].

        What is not given is as sentence-transformers' files in the model's folder declare it. Where
        these ask for what the library does not do, the status of the error is UNSUPPORTED.

        :param pooling: of the last hidden states of a text's tokens: their mean, the first, the
            last, the largest of each element, the mean weighted by the tokens' places, or the sum
            divided by the root of their number. None: as declared, with all that is done to it
            there; else the mean.
        :param normalize: whether vectors have length 1. None: as declared, else they have.
        :param prompt_name: of the declared prompt that is put before each text; None: the declared
            default, if any.
        """
        rows = SessionRows(texts, pairs, adapters)
        if prompt := self._prompt(prompt_name):
            rows.texts = [prompt.encode() + text for text in rows.texts]
        number = POOLING_DEFAULT if pooling is None else choice(pooling, POOLING_CHOICES, "pooling")
        normalizes = DECLARED if normalize is None else 1 if normalize else 0
        width = self._embedding_width if pooling is None else self._width
        numbers = (c_float * (len(rows) * width))()
        for first, batch, _ in self._batches(rows):
            part, capacity = _tail(numbers, first * width)
            with rows_from(first):
                lib.graft_session_embed(self.pointer, batch.pointer, number, normalizes, part, capacity)
        return Matrix(numbers, len(rows), width)

    @exclusive
    def hidden_states(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        layer: int = -1,
        *,
        adapters: Iterable[RowAdapter] | None = None,
    ) -> list[Matrix]:
        """The states of each text's tokens, [tokens, hidden_size], after ``layer``: 1 to the
        model's layer count, 0 for the embeddings, -1 for the last."""
        states: list[Matrix] = []
        for first, batch, _ in self._batches(SessionRows(texts, pairs, adapters)):
            with rows_from(first):
                states.extend(self._states(batch, layer))
        return states

    @exclusive
    def batch_hidden_states(self, batch: Batch, layer: int = -1) -> list[Matrix]:
        """The same for a batch of given tokens, none of whose rows may be longer than the model
        allows."""
        return self._states(batch, layer)

    @exclusive
    def classify(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        *,
        adapters: Iterable[RowAdapter] | None = None,
    ) -> Matrix:
        """Logits, or the values of ``"regression"``: [texts, labels], of the heads of the rows'
        adapters, else of the model's own. Where they differ in labels, shorter rows end in
        -infinity. A row without any head is an error."""
        rows = SessionRows(texts, pairs, adapters)
        numbers, columns = self._logits(rows)
        return Matrix(numbers, len(rows), columns)

    @exclusive
    def predict_proba(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        *,
        adapters: Iterable[RowAdapter] | None = None,
    ) -> Matrix:
        """Probabilities: [texts, labels]; each row sums to 1, but for
        ``"multi_label_classification"``, where each label has its own. Where adapters differ in
        labels, shorter rows end in 0.
        """
        rows = SessionRows(texts, pairs, adapters)
        columns = max(map(len, self._row_labels(rows)), default=len(self._labels))
        labels, probabilities = self._best(rows, max(1, columns))
        numbers = (c_float * (len(rows) * columns))()
        for place, (label, probability) in enumerate(zip(labels, probabilities)):
            if label >= 0:
                numbers[place // columns * columns + label] = probability
        return Matrix(numbers, len(rows), columns)

    @exclusive
    def predict(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        *,
        adapters: Iterable[RowAdapter] | None = None,
    ) -> list[str]:
        """The name of each text's likeliest label."""
        rows = SessionRows(texts, pairs, adapters)
        labels, _ = self._best(rows, 1)
        return [names[label] for names, label in zip(self._row_labels(rows), labels)]

    @exclusive
    def predict_best(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        count: int = 3,
        *,
        adapters: Iterable[RowAdapter] | None = None,
    ) -> list[list[tuple[str, float]]]:
        """The ``count`` likeliest labels of each text with their probabilities, the likeliest
        first; fewer where a text's adapter has fewer."""
        rows = SessionRows(texts, pairs, adapters)
        labels, probabilities = self._best(rows, count)
        best: list[list[tuple[str, float]]] = []
        for row, names in enumerate(self._row_labels(rows)):
            places = range(row * count, (row + 1) * count)
            best.append([(names[labels[place]], probabilities[place]) for place in places if labels[place] >= 0])
        return best

    @exclusive
    def predict_labels(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        *,
        threshold: float | Iterable[float] = 0.5,
        adapters: Iterable[RowAdapter] | None = None,
    ) -> list[list[str]]:
        """The names of all labels of each text whose probability is at least ``threshold``, for
        ``"multi_label_classification"``, in the order of the labels.

        :param threshold: from 0 to 1, of all labels or one for each.
        """
        rows = SessionRows(texts, pairs, adapters)
        names_of_rows = self._row_labels(rows)
        least = {count: thresholds_of(threshold, count) for count in set(map(len, names_of_rows))}
        columns = max(1, max(least, default=0))
        labels, probabilities = self._best(rows, columns)
        found: list[list[str]] = []
        for row, names in enumerate(names_of_rows):
            own = least[len(names)]
            places = [place for place in range(row * columns, (row + 1) * columns) if labels[place] >= 0]
            likely = sorted(labels[place] for place in places if probabilities[place] >= own[labels[place]])
            found.append([names[label] for label in likely])
        return found

    @exclusive
    def tag(
        self, texts: Iterable[str], *, adapters: Iterable[RowAdapter] | None = None, stride: int = STRIDE
    ) -> list[list[Entity]]:
        """The named entities of each text, by a head of ``"token_classification"`` whose labels are
        tags, "O" and such as "B-PER". Texts that are too long are read in windows.

        :param stride: tokens that a window shares with the one before it, at most half of them: the
            label of each is that of the window in which the most tokens are around it.
        """
        given = as_list(texts, "texts", "strings")
        rows = SessionRows(given, None, adapters)
        sentences = [Sentence(text, None) for text in rows.texts]
        found: list[list[Entity]] = []
        names = self._row_labels(rows)
        # Rows of one adapter have one list.
        arrays = {id(own): names_array(own) for own in {id(own): own for own in names}.values()}
        for (tokens, labels), text, own in zip(self._tags(rows, sentences, stride), given, names):
            entities = tokens.entities(labels, arrays[id(own)])
            found.append(
                [
                    Entity(e.type.decode(), e.first_character, e.end_character, text[e.first_character : e.end_character])
                    for e in entities
                ]
            )
        return found

    @exclusive
    def tag_words(
        self, sentences: Iterable[Iterable[str]], *, adapters: Iterable[RowAdapter] | None = None, stride: int = STRIDE
    ) -> list[list[str]]:
        """The label of each word of each sentence, by a head of ``"token_classification"``: that of
        its first token. Words without a token have "O", or else the first label.

        :param stride: as of :meth:`tag`.
        """
        given = [sentence_of(words, f"sentences[{row}]") for row, words in enumerate(as_list(sentences, "sentences", "lists", 2))]
        rows = SessionRows([sentence.text.decode() for sentence in given], None, adapters)
        found: list[list[str]] = []
        for (tokens, labels), names in zip(self._tags(rows, given, stride), self._row_labels(rows)):
            outside = names.index("O") if "O" in names else 0
            found.append([names[label] for label in tokens.word_labels(labels, outside)])
        return found

    def _tags(
        self, rows: SessionRows, sentences: list[Sentence], stride: int
    ) -> Iterator[tuple[TokenRow, Array[c_int32]]]:
        """The tokens of each row and their likeliest labels."""
        self._require(rows, of_tokens=True)
        limits, count, unknown = self._row_limits(rows), 0, 0
        for part in rows.calls(limits):
            texts, limit = rows.texts[part], limits[part.start]
            with rows_from(part.start):
                windows = TextWindows(self._tokenizer, texts, limit, shared_tokens(stride, limit))
            with windows, windows.batch() as batch, token_rows(self._tokenizer, sentences[part]) as tokens:
                if rows.adapters is not None:
                    batch.set_adapters(windows.of_each(rows.adapters[part]))
                # What a head with a chain of labels labels together.
                windows.label(batch, [row.first_tokens() for row in tokens], None)
                labels = (c_int32 * batch.token_count)()
                with rows_from(part.start), rows_named(lambda row: f"row {batch.origin(row)}"):
                    lib.graft_session_predict(self.pointer, batch.pointer, 1, labels, None, len(labels))
                yield from zip(tokens, windows.join(labels, [row.count for row in tokens]))
                count, unknown = count + batch.token_count, unknown + batch.unknown_token_count
        warn_of_unknown_tokens(count, unknown)

    def _require(self, rows: SessionRows, *, of_tokens: bool) -> None:
        """Refuses rows whose heads have numbers of tokens where those of rows are wanted, and the
        other way round."""
        for row, own in enumerate(rows.adapters or [None] * len(rows)):
            task = self._task if own is None else own.task
            if task is not None and (task == ANSWERS or (task == TAGS) != of_tokens):
                expected = f"{TAGS}; see classify and predict" if of_tokens else "one of rows; see tag and tag_words"
                if task == ANSWERS:
                    expected = "another; see answer"
                raise invalid(f"row {row} has a head for {task}; expected {expected}")

    def _prompt(self, name: str | None) -> str:
        """What stands before each text that is embedded."""
        if isinstance(self._default_prompt, GraftError):
            raise self._default_prompt
        if name is None:
            return self._default_prompt
        if name not in self._prompts:
            known = ", ".join(f'"{known}"' for known in self._prompts) or "none"
            raise GraftError(Status.NOT_FOUND, f'the model has no prompt "{name}"; it has {known}')
        return self._prompts[name]

    def _states(self, batch: Batch, layer: int) -> list[Matrix]:
        pointer, number = Batch.pointer_of(batch), c_number(c_int32, layer, "layer")
        numbers = (c_float * (batch.token_count * self._width))()
        lib.graft_session_hidden_states(self.pointer, pointer, number, numbers, len(numbers))
        states = Matrix(numbers, batch.token_count, self._width)
        starts = batch.row_starts
        return [states[start:end] for start, end in zip(starts, starts[1:])]

    @property
    def tokenizer(self) -> Tokenizer:
        """The one that it was made with."""
        return self._tokenizer

    @property
    def memory(self) -> int:
        """Bytes of working memory, which stays for the next call."""
        return int(lib.graft_session_memory(self.pointer))

    def _row_labels(self, rows: SessionRows) -> list[list[str]]:
        """What each row's logits stand for."""
        if rows.adapters is None:
            return [self._labels] * len(rows)
        return [self._labels if own is None else own.labels for own in rows.adapters]

    def _best(self, rows: SessionRows, count: int) -> tuple[Array[c_int32], Array[c_float]]:
        """The numbers and the probabilities of each row's likeliest labels."""
        self._require(rows, of_tokens=False)
        wanted = c_number(c_int64, count, "count")
        total = len(rows) * max(0, count)
        labels, probabilities = (c_int32 * total)(), (c_float * total)()
        for first, batch, _ in self._batches(rows):
            part, capacity = _tail(probabilities, first * count)
            numbers = (c_int32 * capacity).from_buffer(labels, first * count * sizeof(c_int32))
            with rows_from(first):
                lib.graft_session_predict(self.pointer, batch.pointer, wanted, numbers, part, capacity)
        return labels, probabilities

    def _logits(self, rows: SessionRows) -> tuple[Array[c_float], int]:
        self._require(rows, of_tokens=False)
        columns = max(map(len, self._row_labels(rows)), default=len(self._labels))
        count = len(rows) * columns
        numbers = (c_float * count)(*([-math.inf] * count))
        for first, batch, _ in self._batches(rows):
            self._classify(batch, numbers, first, columns)
        return numbers, columns

    def _classify(self, batch: Batch, numbers: Array[c_float], first: int, columns: int) -> None:
        """Writes the batch's logits to rows ``first`` … of ``numbers``; a batch may need fewer
        columns."""
        written = c_int64(0)
        part, capacity = _tail(numbers, first * columns)
        with rows_from(first):
            lib.graft_session_classify(self.pointer, batch.pointer, part, capacity, byref(written))
        if written.value == columns:
            return
        if not 0 < written.value < columns:
            raise GraftError(Status.INTERNAL, f"expected at most {columns} logits a row; found {written.value}")
        narrow = part[: len(batch) * written.value]
        for row in range(len(batch)):
            logits = narrow[row * written.value : (row + 1) * written.value]
            start = (first + row) * columns
            logits += [-math.inf] * (columns - written.value)
            numbers[start : start + columns] = logits  # type: ignore[assignment]

    def _batches(self, rows: SessionRows) -> Iterator[tuple[int, Batch, int]]:
        """Each call's first row, its batch, and the limit that the tokenizer was given. Warns at
        the end of what the texts lost."""
        cut = longest = tokens = unknown = 0
        limits = self._row_limits(rows)
        for part in rows.calls(limits):
            pairs = None if rows.pairs is None else rows.pairs[part]
            limit = limits[part.start]
            # The tokenizer's own limit may have its own way of cutting.
            given = 0 if limit == self._declared_length else limit
            adapters = None if rows.adapters is None else rows.adapters[part]
            with rows_from(part.start):
                batch = Batch.from_utf8(self._tokenizer, rows.texts[part], pairs, given, adapters)
            with batch:
                yield part.start, batch, given
                if batch.truncated_row_count:
                    cut, longest = cut + batch.truncated_row_count, max(longest, limit)
                tokens, unknown = tokens + batch.token_count, unknown + batch.unknown_token_count
        warn_of_cuts(len(rows), cut, longest)
        warn_of_unknown_tokens(tokens, unknown)

    def _row_limits(self, rows: SessionRows) -> list[int]:
        """Where each row is cut."""
        own = rows.adapters or [None] * len(rows)
        return [self._limit(self._adapter_length if adapter is None else adapter.maximum_length) for adapter in own]

    def _limit(self, adapter_length: int | None) -> int:
        return self._maximum_length or min(adapter_length or self._declared_length or self._longest, self._longest)
