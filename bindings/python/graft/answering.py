"""Sessions answer questions."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import c_float

from .answers import ANSWERS, MAXIMUM_TOKENS, AnswerWindows, FoundAnswer
from .batch import STRIDE
from .errors import invalid, rows_named
from .handle import Handle, exclusive
from .library import lib
from .lost_tokens import warn_of_unknown_tokens
from .session_rows import SessionRows, rows_from
from .tokenizer import Tokenizer
from .values import as_list


class AnsweringHandle(Handle):
    """What a session does with a head of answers."""

    _tokenizer: Tokenizer
    _task: str | None
    _adapter_length: int | None

    def _limit(self, adapter_length: int | None) -> int:
        """Where rows are cut."""
        raise NotImplementedError

    @exclusive
    def answer(
        self,
        questions: Iterable[str],
        contexts: Iterable[str],
        *,
        threshold: float | None = None,
        maximum_tokens: int = MAXIMUM_TOKENS,
        stride: int = STRIDE,
    ) -> list[FoundAnswer]:
        """The stretch of each context that answers its question best, by a head of
        ``"question_answering"``. Contexts that are too long are read in windows.

        :param threshold: of ``no_answer_score``, above which the answer is "": the
            ``best_f1_threshold`` of :func:`evaluation.answers` on rows for validation; None: every
            question has an answer.
        :param maximum_tokens: most tokens of an answer.
        :param stride: tokens of the context that a window shares with the one before it.
        """
        found = [best[0] for best in self._answers(questions, contexts, 1, maximum_tokens, stride)]
        if threshold is None:
            return found
        return [own._replace(text="", start=0, end=0) if own.no_answer_score > threshold else own for own in found]

    @exclusive
    def answer_best(
        self,
        questions: Iterable[str],
        contexts: Iterable[str],
        count: int = 3,
        *,
        maximum_tokens: int = MAXIMUM_TOKENS,
        stride: int = STRIDE,
    ) -> list[list[FoundAnswer]]:
        """The ``count`` stretches of each context that answer its question best, the best first and
        no two the same; fewer where a context has fewer."""
        return self._answers(questions, contexts, count, maximum_tokens, stride)

    def _answers(
        self, questions: Iterable[str], contexts: Iterable[str], count: int, maximum_tokens: int, stride: int
    ) -> list[list[FoundAnswer]]:
        if self._task != ANSWERS:
            raise invalid(f"expected an adapter or a model for {ANSWERS}; found one for {self._task or 'no task'}")
        first, second = as_list(questions, "questions", "strings"), as_list(contexts, "contexts", "strings")
        found: list[list[FoundAnswer]] = []
        limit, tokens, unknown = self._limit(self._adapter_length), 0, 0
        for part in SessionRows(first, second, None).calls():
            with rows_from(part.start):
                windows = AnswerWindows(self._tokenizer, first[part], second[part], limit, stride)
                with windows, windows.batch() as batch:
                    logits = (c_float * (2 * batch.token_count))()
                    with rows_named(lambda row: f"row {batch.origin(row)}"):
                        lib.graft_session_classify(self.pointer, batch.pointer, logits, len(logits), None)
                    found += windows.answers(logits, second[part], count, maximum_tokens)
                    tokens, unknown = tokens + batch.token_count, unknown + batch.unknown_token_count
        warn_of_unknown_tokens(tokens, unknown)
        return found
