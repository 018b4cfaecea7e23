"""Sessions continue texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ctypes import byref
from types import MappingProxyType
from typing import Literal, SupportsIndex

from .adapter import RowAdapter
from .batch import Batch
from .declarations import UNLIMITED_LENGTH, TokenCallback
from .generation import Constraint, Continuation, Receiver, generate_options
from .handle import Handle, exclusive
from .interrupts import Interrupts
from .library import lib
from .tokenizer import Tokenizer
from .values import text_list


class GeneratingHandle(Handle):
    """What a session does with a language model."""

    _tokenizer: Tokenizer

    @exclusive
    def generate(
        self,
        prompts: Iterable[str],
        *,
        adapters: Iterable[RowAdapter] | None = None,
        maximum_tokens: int = 128,
        minimum_tokens: int = 0,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        typical_p: float = 1.0,
        repetition_penalty: float = 1.0,
        frequency_penalty: float = 0.0,
        presence_penalty: float = 0.0,
        no_repeat_ngram_size: int = 0,
        logit_bias: Mapping[int, float] = MappingProxyType({}),
        seed: SupportsIndex | Iterable[int] = 0,
        samples: int = 1,
        beams: int = 1,
        length_penalty: float = 1.0,
        early_stopping: bool | Literal["never"] = False,
        likely: int | None = None,
        prompt_lookup_tokens: int = 0,
        stop_tokens: Iterable[int] | None = None,
        stop_strings: Iterable[str] = (),
        constraint: Constraint | Iterable[Constraint | None] | None = None,
        on_text: Callable[[int, str], bool | None] | None = None,
    ) -> list[Continuation]:
        """What each prompt goes on with, or where the model has an encoder that reads it, what it
        becomes, as its translation: the text of the new tokens, and what is known of them. Ctrl-C
        stops it after the tokens under way.

        A prompt that is longer than the model allows is an error. Logits are changed as
        transformers does, first by ``logit_bias`` and the penalties, last by ``typical_p``.

        :param maximum_tokens: new tokens a row, at most as many as the model has positions left.
        :param minimum_tokens: before so many new ones, no stop token comes.
        :param temperature: 0: always the likeliest token.
        :param top_k: chooses among the likeliest so many; 0: all.
        :param top_p: above 0 to 1: chooses among the likeliest that together have this probability.
        :param min_p: 0 to 1: chooses among those with this share of the likeliest one's
            probability.
        :param typical_p: above 0 to 1: chooses among those that together have this probability and
            whose information is nearest to the entropy.
        :param repetition_penalty: above 0: makes tokens that the row has less likely where it is
            above 1.
        :param frequency_penalty: what a token's logit loses for each time that it came after the
            prompt, as OpenAI defines it.
        :param presence_penalty: the same, once for a token that came.
        :param no_repeat_ngram_size: no so many tokens come in a sequence that the row has had; 0:
            any may.
        :param logit_bias: by tokens what is added to their logits; ``-math.inf`` for one that never
            comes.
        :param seed: of all rows, or one for each. A row's text depends on its prompt, its adapter
            and its seed alone.
        :param samples: texts of each prompt, which come one after another; each draws for itself.
            With beams, the best of these.
        :param beams: above 1: follows so many texts of a prompt at a time, those that are likeliest
            as a whole; nothing comes before the search has ended. As transformers' ``num_beams``.
        :param length_penalty: beams are ranked by the sum of their log-probabilities, divided by
            their length to this power.
        :param early_stopping: when a search ends that has ``beams`` texts that ended: False: when
            the best that goes on would be no better if it ended now; True: at once; "never": when
            it cannot become better at its longest.
        :param likely: of how many of the likeliest tokens log-probabilities are wanted, beside that
            of the chosen one; None: of none at all.
        :param prompt_lookup_tokens: guesses at most so many tokens at a time, as they came behind
            the latest two before, and reads those that are right in one step: the same texts,
            sooner where they quote their prompts; 0: none. As transformers'
            ``prompt_lookup_num_tokens``, and not with beams.
        :param stop_tokens: tokens that end a row; None: the model's ends of text.
        :param stop_strings: texts before the first of which a row ends.
        :param constraint: what each text has to be, or one for each prompt, None for anything:
            ``{"choices": ["yes", "no"]}`` one of these, ``{"regex": "[0-9]+"}`` what an expression
            matches as a whole, ``{"json_schema": {...}}`` JSON that is valid for a schema.
        :param on_text: receives the number of a text, and its text as it comes; True ends the text.
            An exception ends the call.
        """
        texts = text_list(prompts, "prompts")
        options = generate_options(
            len(texts),
            seed=seed,
            samples=samples,
            beams=beams,
            length_penalty=length_penalty,
            early_stopping=early_stopping,
            stop_tokens=stop_tokens,
            stop_strings=stop_strings,
            constraint=constraint,
            logit_bias=logit_bias,
            likely=likely,
            maximum_tokens=maximum_tokens,
            minimum_tokens=minimum_tokens,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            typical_p=typical_p,
            repetition_penalty=repetition_penalty,
            frequency_penalty=frequency_penalty,
            presence_penalty=presence_penalty,
            no_repeat_ngram_size=no_repeat_ngram_size,
            prompt_lookup_tokens=prompt_lookup_tokens,
        )
        interrupts = Interrupts(lambda _: None)
        receiver = Receiver(len(texts) * max(0, options.sample_count), samples, on_text, lambda: interrupts.count)
        with Batch.from_utf8(self._tokenizer, texts, None, UNLIMITED_LENGTH, adapters) as batch, interrupts:
            callback = TokenCallback(receiver.receive)
            lib.graft_session_generate(
                self.pointer, self._tokenizer.pointer, batch.pointer, byref(options), callback, None
            )
        if receiver.failures:
            raise receiver.failures[0]
        return receiver.texts
