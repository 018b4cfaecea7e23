"""Text to tokens and back."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from ctypes import byref, c_int64, c_void_p, create_string_buffer
from typing import NamedTuple

from .declarations import EncodeOptions
from .errors import GraftError, Status
from .handle import Handle
from .library import initialised, lib
from .values import file_array, int_array, path_bytes, set_numbers, sizes, text_bytes


class Encoding(NamedTuple):
    """The tokens of one text or pair: lists of one length."""

    ids: list[int]
    #: Segment (0 or 1) of each token.
    type_ids: list[int]
    #: First character and character past the last of each token in its text; (0, 0) for special
    #: tokens.
    offsets: list[tuple[int, int]]
    #: The same in bytes of UTF-8.
    byte_offsets: list[tuple[int, int]]
    #: The word in its text that each token belongs to; None for special tokens.
    word_ids: list[int | None]


def encode_options(
    texts: list[bytes], pairs: list[bytes] | None, maximum_length: int, add_special_tokens: bool = True
) -> EncodeOptions:
    """Options of an encoding of these texts; a maximum of 0 is the tokenizer's."""
    options = initialised(EncodeOptions, "graft_encode_options_init")
    options.text_sizes = sizes(texts)
    if pairs is not None:
        options.pair_sizes = sizes(pairs)
    set_numbers(options, maximum_length=maximum_length, add_special_tokens=1 if add_special_tokens else 0)
    return options


class Tokenizer(Handle):
    """The tokenizer of a model folder: ``tokenizer.json``, or ``vocab.txt`` where that is missing.

    Of a GGUF file, the one inside it.
    """

    _release_function = "graft_tokenizer_release"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        out = c_void_p()
        lib.graft_tokenizer_load(path_bytes(path), byref(out))
        super().__init__(out)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Tokenizer:
        """The same from files in memory: ``tokenizer.json`` or ``vocab.txt``, and those that stand
        beside it in a model's folder, by their names."""
        array, out = file_array(files), c_void_p()
        lib.graft_tokenizer_load_files(array, len(array), byref(out))
        tokenizer = cls.__new__(cls)
        Handle.__init__(tokenizer, out)
        return tokenizer

    @property
    def vocabulary_size(self) -> int:
        """Ids run from 0 to this, exclusive."""
        return int(lib.graft_tokenizer_vocabulary_size(self.pointer))

    @property
    def maximum_length(self) -> int | None:
        """Most tokens of a row, as the folder declares it in ``sentence_bert_config.json``, else in
        ``tokenizer_config.json``, else in ``tokenizer.json``; None where none of them sets a
        limit."""
        return int(lib.graft_tokenizer_maximum_length(self.pointer)) or None

    def encode(
        self, text: str, pair: str | None = None, *, maximum_length: int = 0, add_special_tokens: bool = True
    ) -> Encoding:
        """Tokens of ``text``, with ``pair`` as second segment.

        :param maximum_length: cuts off what is longer, from the longest segment first; 0: the
            tokenizer's.
        :param add_special_tokens: those that the model expects around a text, such as ``[CLS]``.
        """
        first = text_bytes(text, "text")
        second = None if pair is None else text_bytes(pair, "pair")
        options = encode_options([first], None if second is None else [second], maximum_length, add_special_tokens)
        out = c_void_p()
        lib.graft_tokenizer_encode(self.pointer, first, second, byref(options), byref(out))
        try:
            count = lib.graft_encoding_token_count(out)
            characters = lib.graft_encoding_character_offsets(out)[: 2 * count]
            bytes_ = lib.graft_encoding_byte_offsets(out)[: 2 * count]
            return Encoding(
                ids=lib.graft_encoding_ids(out)[:count],
                type_ids=lib.graft_encoding_type_ids(out)[:count],
                offsets=list(zip(characters[::2], characters[1::2])),
                byte_offsets=list(zip(bytes_[::2], bytes_[1::2])),
                word_ids=[None if word < 0 else word for word in lib.graft_encoding_word_ids(out)[:count]],
            )
        finally:
            lib.graft_encoding_release(out)

    def decode(self, ids: Iterable[int], *, skip_special_tokens: bool = True) -> str:
        """Text of token ids; one outside the vocabulary is an error of status INCOMPATIBLE."""
        tokens = int_array(ids, "ids")
        needed = c_int64(0)
        arguments = (self.pointer, tokens, len(tokens), 1 if skip_special_tokens else 0)
        try:
            lib.graft_tokenizer_decode(*arguments, None, 0, byref(needed))
        except GraftError as error:
            if error.status != Status.BUFFER_TOO_SMALL:
                raise
        text = create_string_buffer(max(1, needed.value))
        lib.graft_tokenizer_decode(*arguments, text, len(text), byref(needed))
        return text.raw[: needed.value - 1].decode("utf-8")  # all of it: a byte token may be a NUL
