"""Named entities: words or stretches of texts to labels of tokens, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import Array, byref, c_char_p, c_int32, c_int64, c_void_p
from itertools import chain
from operator import index
from typing import Any, NamedTuple

from .declarations import UNLIMITED_LENGTH, EntityStruct
from .errors import invalid
from .library import lib
from .tokenizer import Tokenizer, encode_options
from .values import as_list, int_array, shown, text_array, text_bytes

TAGS = "token_classification"


class Entity(NamedTuple):
    """A named stretch of a text."""

    #: Such as ``"PER"``.
    type: str
    #: First character, and ``end`` is the one past the last.
    start: int
    end: int
    text: str


class Sentence(NamedTuple):
    """A text as it is encoded, and the bytes of its words: first and one past the last, end to end.
    None: those that the tokenizer finds."""

    text: bytes
    words: list[int] | None


def sentence_of(words: Iterable[str], name: str) -> Sentence:
    """Words with blanks between them."""
    parts = [text_bytes(word, f"{name}[{place}]") for place, word in enumerate(as_list(words, name, "words"))]
    if not parts or b"" in parts:
        raise invalid(f"{name}: expected words, none of which is empty; found {parts!r}")
    ranges, start = [], 0
    for part in parts:
        ranges += [start, start + len(part)]
        start += len(part) + 1
    return Sentence(b" ".join(parts), ranges)


class TokenRow:
    """All tokens of a sentence, and how its words and they belong together."""

    def __init__(self, tokenizer: Tokenizer, sentence: Sentence) -> None:
        options = encode_options([sentence.text], None, UNLIMITED_LENGTH)
        self._pointer = c_void_p()
        lib.graft_tokenizer_encode(
            Tokenizer.pointer_of(tokenizer), sentence.text, None, byref(options), byref(self._pointer)
        )
        self.count = int(lib.graft_encoding_token_count(self._pointer))
        given = sentence.words
        self._words = None if given is None else int_array(given, "words")
        self.word_count = 0 if given is None else len(given) // 2
        #: A word has a byte at least.
        self._most_words = len(sentence.text) + 1 if given is None else self.word_count

    def release(self) -> None:
        lib.graft_encoding_release(self._pointer)

    def label_words(self, labels: Sequence[int], names: Array[c_char_p], all_pieces: bool) -> list[int]:
        """A label for each token from those of the words."""
        out, numbers = (c_int32 * self.count)(), int_array(labels, "labels")
        lib.graft_encoding_label_words(
            self._pointer, self._words, numbers, len(numbers), names, len(names), int(all_pieces), out, len(out)
        )
        return list(out)

    def first_tokens(self) -> list[int]:
        """0 for each token that is the first of a word, which stands for it; -100 for others."""
        return self.label_words([0] * self._most_words, (c_char_p * 0)(), False)

    def label_entities(
        self, entities: Iterable[tuple[bytes, int, int]], names: Array[c_char_p], all_pieces: bool
    ) -> list[int]:
        """The same from types, first bytes and bytes past the last."""
        structs = [EntityStruct(type=kind, first_byte=start, end_byte=end) for kind, start, end in entities]
        given, out = (EntityStruct * len(structs))(*structs), (c_int32 * self.count)()
        lib.graft_encoding_label_entities(
            self._pointer, self._words, self.word_count, given, len(given), names, len(names), int(all_pieces), out, len(out)
        )
        return list(out)

    @property
    def end_byte(self) -> int:
        """Where the tokens end."""
        return max(lib.graft_encoding_byte_offsets(self._pointer)[: 2 * self.count], default=0)

    def entity_count(self, labels: Iterable[int], names: Array[c_char_p]) -> int:
        """How many entities the labels of the tokens spell."""
        return len(self.entities(int_array(labels, "labels"), names))

    def entities(self, labels: Array[c_int32], names: Array[c_char_p]) -> list[EntityStruct]:
        """What the labels of the tokens spell."""
        out, count = (EntityStruct * self.count)(), c_int64(0)
        lib.graft_encoding_entities(
            self._pointer, self._words, self.word_count, labels, names, len(names), out, len(out), byref(count)
        )
        return list(out[: count.value])

    def word_labels(self, labels: Iterable[int], outside: int) -> list[int]:
        """The label of each word: that of its first token; ``outside`` for one that has no
        token."""
        marks = self.label_words(range(self.word_count), (c_char_p * 0)(), False)
        found = [outside] * self.word_count
        for mark, label in zip(marks, labels):
            if mark >= 0:
                found[mark] = label
        return found


@contextmanager
def token_rows(tokenizer: Tokenizer, sentences: Iterable[Sentence]) -> Iterator[list[TokenRow]]:
    """Encodes sentences, however long, for as long as the context lasts."""
    rows: list[TokenRow] = []
    try:
        for sentence in sentences:
            rows.append(TokenRow(tokenizer, sentence))
        yield rows
    finally:
        for row in rows:
            row.release()


def tag_names(types: Iterable[str], scheme: str) -> list[str]:
    """The tags of some types of entities: "O" and those of ``scheme``."""
    prefixes = {"IOB2": "BI", "IOBES": "BIES"}.get(scheme)
    if prefixes is None:
        raise invalid(f"scheme: expected IOB2 or IOBES; found {scheme!r}")
    return ["O", *chain.from_iterable([f"{prefix}-{kind}" for prefix in prefixes] for kind in sorted(set(types)))]


def byte_stretches(text: str, entities: Iterable[Any], row: int) -> list[tuple[bytes, int, int]]:
    """Types, first bytes and bytes past the last of entities as callers give them: by
    characters."""
    stretches = []
    for entity in entities:
        start, end, kind = _parts_of(entity, row)
        if not 0 <= start < end <= len(text):
            raise invalid(f"entities: row {row} has {shown(start)} to {shown(end)} of a text of {len(text)} characters")
        first = len(text[:start].encode())
        stretches.append((text_bytes(kind, "entities"), first, first + len(text[start:end].encode())))
    return stretches


def _parts_of(entity: Any, row: int) -> tuple[int, int, str]:
    """First character, the one past the last, and type."""
    parts = (entity.start, entity.end, entity.type) if isinstance(entity, Entity) else entity
    try:
        start, end, kind = parts
        return index(start), index(end), kind
    except (TypeError, ValueError):
        raise invalid(f"entities: row {row}: expected start, end and type, found {shown(entity)}") from None


def names_array(names: Sequence[str]) -> Array[c_char_p]:
    """Labels as C has them."""
    return text_array([name.encode() for name in names])
