"""Text to tokens and back."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from ctypes import byref, c_int64, c_void_p, create_string_buffer
from typing import Any, Literal, NamedTuple, overload

from .declarations import EncodeOptions
from .errors import GraftError, Status
from .handle import Handle
from .library import initialised, lib
from .values import file_array, int_array, json_text, path_bytes, set_numbers, sizes, text_bytes

#: Marian's pieces of the language that texts become.
TARGETS = "target.spm"


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
    texts: Sequence[bytes] | None,
    pairs: Sequence[bytes] | None,
    maximum_length: int,
    add_special_tokens: bool = True,
) -> EncodeOptions:
    """Options of an encoding of these texts; a maximum of 0 is the tokenizer's."""
    options = initialised(EncodeOptions, "graft_encode_options_init")
    if texts is not None:
        options.text_sizes = sizes(texts)
    if pairs is not None:
        options.pair_sizes = sizes(pairs)
    set_numbers(options, maximum_length=maximum_length, add_special_tokens=1 if add_special_tokens else 0)
    return options


class Tokenizer(Handle):
    """The tokenizer of a model folder: ``tokenizer.json``, or else a file of SentencePiece
    (``spiece.model``, ``spm.model``, ``sentencepiece.bpe.model`` or ``tokenizer.model``),
    ``vocab.json`` with ``merges.txt``, Marian's ``vocab.json`` with ``source.spm`` and
    ``target.spm``, or ``vocab.txt``.

    Of a GGUF file, the one inside it.
    """

    _release_function = "graft_tokenizer_release"

    #: Where it was read from; "" in memory.
    _folder = ""
    #: Once it is asked for, where it is another.
    _of_targets: Tokenizer | None = None

    def __init__(self, path: str | os.PathLike[str]) -> None:
        out = c_void_p()
        lib.graft_tokenizer_load(path_bytes(path), byref(out))
        super().__init__(out)
        self._folder = os.fsdecode(path)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Tokenizer:
        """The same from files in memory: ``tokenizer.json`` or what stands for it, and those that
        stand beside it in a model's folder, by their names."""
        array, out = file_array(files), c_void_p()
        lib.graft_tokenizer_load_files(array, len(array), byref(out))
        tokenizer = cls.__new__(cls)
        Handle.__init__(tokenizer, out)
        return tokenizer

    @property
    def of_targets(self) -> Tokenizer:
        """That of texts which others become: of a folder of Marian's without ``tokenizer.json`` the
        one of ``target.spm``, else itself."""
        if self._of_targets is None and self._is_of_two_languages():
            from pathlib import Path  # which most programs have no use for

            paths = [path for path in Path(self._folder).iterdir() if path.suffix in (".json", ".spm")]
            files = {path.name: path.read_bytes() for path in paths}
            self._of_targets = Tokenizer.from_files(files | {"source.spm": files[TARGETS]})
        return self._of_targets or self

    def _is_of_two_languages(self) -> bool:
        def has(name: str) -> bool:
            return os.path.exists(os.path.join(self._folder, name))

        return self._folder != "" and has(TARGETS) and not has("tokenizer.json")

    @property
    def vocabulary_size(self) -> int:
        """Ids run from 0 to this, exclusive."""
        return int(lib.graft_tokenizer_vocabulary_size(self.pointer))

    @property
    def mask_token(self) -> int | None:
        """The number of the token that masks others; None where there is none."""
        token = int(lib.graft_tokenizer_mask_token(self.pointer))
        return None if token < 0 else token

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
        arguments = (self.pointer, tokens, len(tokens), 1 if skip_special_tokens else 0)
        return _text(lib.graft_tokenizer_decode, arguments, 0)

    @overload
    def apply_chat_template(
        self,
        conversation: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] | None = None,
        documents: Sequence[Mapping[str, Any]] | None = None,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool | str = False,
        *,
        tokenize: Literal[False],
        return_dict: bool = True,
        return_assistant_tokens_mask: Literal[False] = False,
        **variables: Any,
    ) -> str: ...

    @overload
    def apply_chat_template(
        self,
        conversation: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] | None = None,
        documents: Sequence[Mapping[str, Any]] | None = None,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool | str = False,
        *,
        tokenize: Literal[True] = True,
        return_dict: Literal[False],
        return_assistant_tokens_mask: Literal[False] = False,
        **variables: Any,
    ) -> list[int]: ...

    @overload
    def apply_chat_template(
        self,
        conversation: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] | None = None,
        documents: Sequence[Mapping[str, Any]] | None = None,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool | str = False,
        *,
        tokenize: Literal[True] = True,
        return_dict: Literal[True] = True,
        return_assistant_tokens_mask: bool = False,
        **variables: Any,
    ) -> dict[str, list[int]]: ...

    def apply_chat_template(
        self,
        conversation: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] | None = None,
        documents: Sequence[Mapping[str, Any]] | None = None,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool | str = False,
        *,
        tokenize: bool = True,
        return_dict: bool = True,
        return_assistant_tokens_mask: bool = False,
        **variables: Any,
    ) -> str | list[int] | dict[str, list[int]]:
        """A conversation as the text, or the tokens, that the model was trained on: what
        transformers' method of this name gives, by the chat template of the tokenizer's folder.

        :param conversation: messages with ``role`` and ``content``, and what else the template
            reads.
        :param tools: descriptions of functions, as JSON schemas.
        :param documents: texts that the conversation may speak of, with what the template reads of
            them.
        :param chat_template: the name of one of the folder's templates, or a template.
        :param add_generation_prompt: end with the start of an answer.
        :param continue_final_message: end within the last message, so that the model goes on with
            it; or the name of the member that goes on.
        :param tokenize: tokens; otherwise the text.
        :param return_dict: ``input_ids`` and ``attention_mask`` by name; otherwise the ids alone.
        :param return_assistant_tokens_mask: ``assistant_masks``, too: 1 for tokens that the
            assistant says, by the template's ``generation`` blocks. Where it has none, they are
            what an answer adds to the text before it.
        :param variables: what else the template sees, by name; before the special tokens.
        """
        if return_assistant_tokens_mask and not (tokenize and return_dict):
            raise ValueError("return_assistant_tokens_mask: expected tokenize and return_dict to be true")
        options = {
            "chat_template": chat_template,
            "tools": tools,
            "documents": documents,
            "add_generation_prompt": add_generation_prompt,
            "continue_final_message": continue_final_message,
            "return_assistant_tokens_mask": return_assistant_tokens_mask,
            "variables": variables,
        }
        arguments = (self.pointer, json_text(conversation, "conversation"), json_text(options, "options"))
        if not tokenize:
            return _text(lib.graft_tokenizer_apply_template, arguments, 4 * len(arguments[1]) + 4096)
        out = c_void_p()
        lib.graft_tokenizer_encode_messages(*arguments, byref(out))
        try:
            count = lib.graft_encoding_token_count(out)
            ids: list[int] = lib.graft_encoding_ids(out)[:count]
            if not return_dict:
                return ids
            tokens = {"input_ids": ids, "attention_mask": [1] * count}
            if return_assistant_tokens_mask:
                tokens["assistant_masks"] = lib.graft_encoding_assistant_mask(out)[:count]
            return tokens
        finally:
            lib.graft_encoding_release(out)


def _text(function: Any, arguments: tuple[object, ...], room: int) -> str:
    """Text that a function writes; it is called again where it needs more room."""
    needed = c_int64(0)
    text = create_string_buffer(room) if room else None
    try:
        function(*arguments, text, room, byref(needed))
        if text is not None:
            return text.raw[: needed.value - 1].decode("utf-8")
    except GraftError as error:
        if error.status != Status.BUFFER_TOO_SMALL:
            raise
    text = create_string_buffer(max(1, needed.value))
    function(*arguments, text, len(text), byref(needed))
    return text.raw[: needed.value - 1].decode("utf-8")  # all of it: a byte token may be a NUL
