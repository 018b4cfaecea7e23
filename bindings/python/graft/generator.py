"""Texts that go on beside each other, of which some join while others are under way."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import byref, c_int64, c_void_p
from typing import TYPE_CHECKING

from .adapter import RowAdapter
from .batch import Batch
from .declarations import UNLIMITED_LENGTH, SessionOptions, TokenCallback
from .generation import GenerationSettings, NewToken, generate_options, new_token
from .handle import Handle, exclusive
from .library import initialised, lib
from .model import Model
from .tokenizer import Tokenizer
from .values import c_number, set_numbers, text_list

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .generation import TokenPointer


class Generator(Handle):
    """Texts that go on beside each other, one token in each step; new ones join at any time.

    What a text becomes does not depend on when it joins, or on what goes on beside it. Texts that
    begin alike, under the same adapter, share the work on what they have in common.

    >>> generator = graft.Generator(model, tokenizer)
    >>> generator.add(["Once upon a time"], maximum_tokens=20)
    >>> while len(generator):
    ...     for token in generator.step():
    ...         print(token.row, token.text)

    :param threads: threads of one step; 0: one per core. Results do not depend on it.
    :param pass_token_count: tokens worked on at a time, which bounds memory; 0: chosen.
    """

    _release_function = "graft_generator_release"

    def __init__(self, model: Model, tokenizer: Tokenizer, threads: int = 0, *, pass_token_count: int = 0) -> None:
        options = initialised(SessionOptions, "graft_session_options_init")
        set_numbers(options, thread_count=threads, pass_token_count=pass_token_count)
        out = c_void_p()
        pointer = Tokenizer.pointer_of(tokenizer)
        lib.graft_generator_create(Model.pointer_of(model), pointer, byref(options), byref(out))
        super().__init__(out)
        self._tokenizer = tokenizer

    @exclusive
    def add(
        self,
        prompts: Iterable[str],
        *,
        adapters: Iterable[RowAdapter] | None = None,
        **settings: Unpack[GenerationSettings],
    ) -> list[int]:
        """Takes prompts whose texts begin with the next step, and returns the numbers of their
        rows. ``settings`` are those of :meth:`Session.generate`. The adapters cannot be trained
        until the texts have ended."""
        texts = text_list(prompts, "prompts")
        options = generate_options(len(texts), **settings)
        first = c_int64()
        with Batch.from_utf8(self._tokenizer, texts, None, UNLIMITED_LENGTH, adapters) as batch:
            lib.graft_generator_add(self.pointer, batch.pointer, byref(options), byref(first))
        return list(range(first.value, first.value + len(texts)))

    @exclusive
    def step(self) -> list[NewToken]:
        """The next token of each text under way. A beam search has none before it ends, and then
        all of its texts at once."""
        tokens: list[NewToken] = []
        failures: list[BaseException] = []

        def receive(_data: int | None, pointer: TokenPointer) -> int:
            try:
                tokens.append(new_token(pointer.contents))
                return 0
            except BaseException as error:  # C cannot pass it on: raised below instead
                failures.append(error)
                return 1

        lib.graft_generator_step(self.pointer, TokenCallback(receive), None)
        if failures:
            raise failures[0]
        return tokens

    def __len__(self) -> int:
        """Rows that have texts under way, counted once for each of their samples."""
        return int(lib.graft_generator_row_count(self.pointer))

    @exclusive
    def remove(self, row: int) -> None:
        """Ends the texts of a row."""
        lib.graft_generator_remove(self.pointer, c_number(c_int64, row, "row"))

    @property
    def memory(self) -> int:
        """Bytes of working memory and of what is kept of texts."""
        return int(lib.graft_generator_memory(self.pointer))
