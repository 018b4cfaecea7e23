"""Texts that go on: what is asked for, and what comes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from ctypes import POINTER, _Pointer, c_char_p, c_float, c_int32, c_uint64, c_void_p, cast, string_at
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, SupportsIndex, TypedDict

from .declarations import EARLY_STOPPING_CHOICES, TOKEN_END_CHOICES, GenerateOptions, TokenStruct
from .errors import invalid
from .library import initialised
from .values import (
    as_list,
    asks_to_stop,
    c_number,
    choice,
    int_array,
    json_text,
    require_length,
    set_numbers,
    text_list,
)

if TYPE_CHECKING:
    TokenPointer = _Pointer[TokenStruct]

End = Literal["none", "stop_token", "stop_string", "length", "constraint"]
#: What a text has to be: ``{"choices": […]}``, ``{"regex": "…"}`` or ``{"json_schema": {…}}``.
Constraint = Mapping[str, Any]
_ENDS: dict[int, Any] = {number: name for name, number in TOKEN_END_CHOICES.items()}


class NewToken(NamedTuple):
    """A token of a text under way."""

    #: The number that :meth:`Generator.add` gave to the row, and which of the row's texts it is.
    row: int
    sample: int
    id: int
    #: What it adds to its text; often empty.
    text: str
    #: Whether and why the text ends with it: as of :class:`Continuation`.
    end: End
    #: As the model gives it; NaN where none is asked for.
    log_probability: float
    #: The likeliest tokens in its place with their log-probabilities, the likeliest first.
    likely: list[tuple[int, float]]
    #: Of its whole text, from a beam search: as of :class:`Continuation`; else NaN.
    score: float


class Continuation(str):
    """What a prompt goes on with: the text of its new tokens, and what is known of them."""

    #: The new tokens, with the stop token where one ended the text.
    tokens: list[int]
    #: Why the text ends: ``"stop_token"``, ``"stop_string"``, ``"length"`` for as many tokens as
    #: were asked for or the model has positions, ``"constraint"`` where its constraint lets nothing
    #: follow, or ``"none"`` where a callback ended it.
    end: End
    #: Of each token, as the model gives it; empty where none were asked for.
    log_probabilities: list[float]
    #: For each token the likeliest ones in its place with their log-probabilities, the likeliest
    #: first; as many as were asked for.
    likely: list[list[tuple[int, float]]]
    #: Of a beam search: the sum of the log-probabilities, divided by the length to the power of
    #: ``length_penalty``; else NaN.
    score: float


class GenerationSettings(TypedDict, total=False):
    """Those of :meth:`Session.generate`."""

    maximum_tokens: int
    minimum_tokens: int
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    typical_p: float
    repetition_penalty: float
    frequency_penalty: float
    presence_penalty: float
    no_repeat_ngram_size: int
    logit_bias: Mapping[int, float]
    seed: SupportsIndex | Iterable[int]
    samples: int
    beams: int
    length_penalty: float
    early_stopping: bool | Literal["never"]
    likely: int | None
    prompt_lookup_tokens: int
    stop_tokens: Iterable[int] | None
    stop_strings: Iterable[str]
    constraint: Constraint | Iterable[Constraint | None] | None


def generate_options(
    row_count: int,
    *,
    seed: SupportsIndex | Iterable[int] = 0,
    samples: int = 1,
    beams: int = 1,
    early_stopping: bool | Literal["never"] = False,
    stop_tokens: Iterable[int] | None = None,
    stop_strings: Iterable[str] = (),
    logit_bias: Mapping[int, float] = MappingProxyType({}),
    constraint: Constraint | Iterable[Constraint | None] | None = None,
    likely: int | None = None,
    **numbers: Any,
) -> GenerateOptions:
    """The options of a call; its arrays live as long as it does."""
    for name in numbers:
        if name not in GenerationSettings.__annotations__:
            known = ", ".join(GenerationSettings.__annotations__)
            raise TypeError(f"there is no setting {name!r}; expected one of {known}")
    options = initialised(GenerateOptions, "graft_generate_options_init")
    set_numbers(
        options, sample_count=samples, beam_count=beams, likely_count=-1 if likely is None else likely, **numbers
    )
    stopping = ("yes" if early_stopping else "no") if isinstance(early_stopping, bool) else early_stopping
    options.early_stopping = choice(stopping, EARLY_STOPPING_CHOICES, "early_stopping")
    if isinstance(seed, Iterable):
        seeds = [c_number(c_uint64, number, "seed") for number in seed]
        require_length(seeds, row_count, "seed", "prompt")
        options.row_seeds = cast((c_uint64 * len(seeds))(*seeds), POINTER(c_uint64))
    else:
        set_numbers(options, seed=seed)
    if stop_tokens is not None:
        # The 0 makes it an array where there are none.
        stops = int_array([*as_list(stop_tokens, "stop_tokens", "integers"), 0], "stop_tokens")
        options.stop_tokens = cast(stops, POINTER(c_int32))
        options.stop_token_count = len(stops) - 1
    strings = text_list(stop_strings, "stop_strings")
    for index, string in enumerate(strings):
        if b"\0" in string:
            raise invalid(f"stop_strings[{index}]: expected a text without NUL, found {string!r}")
    options.stop_strings = cast((c_char_p * len(strings))(*strings), POINTER(c_char_p))
    options.stop_string_count = len(strings)
    if constraint is not None:
        texts = constraint_texts(row_count, constraint)
        options.constraints = cast((c_char_p * row_count)(*texts), POINTER(c_char_p))
    if not isinstance(logit_bias, Mapping):
        raise TypeError(f"logit_bias: expected numbers by tokens, found {type(logit_bias).__name__}")
    biases = [c_number(c_float, bias, f"logit_bias[{token}]") for token, bias in logit_bias.items()]
    options.bias_tokens = cast(int_array(list(logit_bias), "logit_bias"), POINTER(c_int32))
    options.biases = cast((c_float * len(biases))(*biases), POINTER(c_float))
    options.bias_count = len(biases)
    return options


def constraint_texts(row_count: int, constraint: Constraint | Iterable[Constraint | None]) -> list[bytes | None]:
    """That of each row as JSON, from one of all rows or one for each."""
    if isinstance(constraint, Mapping):
        return [json_text(constraint, "constraint")] * row_count
    each = as_list(constraint, "constraint", "mappings")
    require_length(each, row_count, "constraint", "prompt")
    for index, one in enumerate(each):
        if one is not None and not isinstance(one, Mapping):
            raise TypeError(f"constraint[{index}]: expected a mapping or None, found {type(one).__name__}")
    return [None if one is None else json_text(one, f"constraint[{row}]") for row, one in enumerate(each)]


def new_token(token: TokenStruct) -> NewToken:
    """What the library's callback is handed, which lives no longer than the callback."""
    # The field itself would end at a NUL in the text.
    address = c_void_p.from_buffer(token, TokenStruct.text.offset).value or 0
    return NewToken(
        token.row,
        token.sample,
        token.id,
        string_at(address, token.size).decode("utf-8", "replace"),
        _ENDS[token.end],
        token.log_probability,
        [(token.likely_tokens[i], token.likely_log_probabilities[i]) for i in range(token.likely_count)],
        token.score,
    )


class Receiver:
    """Gathers the tokens of a call, whose texts are numbered row by row and sample by sample."""

    def __init__(
        self, count: int, samples: int, on_text: Callable[[int, str], bool | None] | None, is_stopped: Callable[[], int]
    ) -> None:
        self._samples = samples
        self._on_text = on_text
        self._is_stopped = is_stopped
        self._pieces: list[list[str]] = [[] for _ in range(count)]
        self._known: list[dict[str, Any]] = [
            {"tokens": [], "end": "none", "log_probabilities": [], "likely": [], "score": math.nan} for _ in range(count)
        ]
        #: What a callback raised.
        self.failures: list[BaseException] = []

    def receive(self, _data: int | None, pointer: TokenPointer) -> int:
        """The library's callback. An exception would be lost in ctypes: it ends every row and is
        raised after the call."""
        try:
            token = new_token(pointer.contents)
            text = token.row * self._samples + token.sample
            self._note(text, token)
            stopped = self._is_stopped()
            ends = self._on_text is not None and not stopped and asks_to_stop(self._on_text(text, token.text), "on_text")
            return 1 if self.failures or ends or stopped else 0
        except BaseException as error:  # noqa: BLE001
            self.failures.append(error)
            return 1

    def _note(self, text: int, token: NewToken) -> None:
        """Keeps what is said of a token."""
        known = self._known[text]
        known["tokens"].append(token.id)
        known["end"] = token.end
        known["score"] = token.score
        if not math.isnan(token.log_probability):
            known["log_probabilities"].append(token.log_probability)
            known["likely"].append(token.likely)
        self._pieces[text].append(token.text)

    @property
    def texts(self) -> list[Continuation]:
        texts = [Continuation("".join(pieces)) for pieces in self._pieces]
        for text, known in zip(texts, self._known):
            vars(text).update(known)
        return texts
