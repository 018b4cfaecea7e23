"""Answers in contexts: questions and contexts to windows that a model can read, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ctypes import Array, c_double, c_float, c_int32, c_int64
from typing import TYPE_CHECKING, NamedTuple

from .batch import Batch
from .declarations import AnswerStruct
from .library import lib
from .tokenizer import Tokenizer
from .values import c_number, require_length, text_list
from .windows import TextWindows

if TYPE_CHECKING:
    from .data.row_values import Answer

ANSWERS = "question_answering"
#: Of an answer.
MAXIMUM_TOKENS = 30


class FoundAnswer(NamedTuple):
    """A stretch of a context that was found to answer a question."""

    #: "" where the question was found to have no answer.
    text: str
    #: First character in the context, and ``end`` is the one past the last.
    start: int
    end: int
    #: The sum of the logits of its start and its end.
    score: float
    #: The score of no answer, less that of the best answer: where it is above a threshold, the
    #: question has none.
    no_answer_score: float


class AnswerWindows(TextWindows):
    """Questions with their contexts, cut into windows: the rows of a batch."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        questions: Iterable[str],
        contexts: Iterable[str],
        maximum_length: int,
        stride: int,
    ) -> None:
        first, second = text_list(questions, "questions"), text_list(contexts, "contexts")
        require_length(second, len(first), "contexts", "question")
        super().__init__(tokenizer, second, maximum_length, stride, questions=first)

    def answered(self, answers: Sequence[Sequence[Answer]]) -> Batch:
        """The windows as rows with the answers' places: of each question the first of them, if it
        has any."""
        batch = self.batch()
        batch.set_column("answer_spans", self.spans(answers))
        return batch

    def spans(self, answers: Sequence[Sequence[Answer]]) -> list[tuple[int, int]]:
        """The tokens of each window at which the answer starts and ends; 0 and 0 for none."""
        stretches = [(own[0].start, own[0].start + len(own[0].text)) if own else (-1, -1) for own in answers]
        given = (c_int64 * (2 * len(stretches)))(*(place for stretch in stretches for place in stretch))
        labels = (c_int32 * (2 * len(self)))()
        lib.graft_windows_label(self.pointer, given, len(stretches), labels, len(labels))
        return list(zip(labels[::2], labels[1::2]))

    def answers(
        self, logits: Array[c_float], contexts: Sequence[str], count: int, maximum_tokens: int
    ) -> list[list[FoundAnswer]]:
        """The best answers to each question by the logits of all tokens of the windows, the best
        first."""
        best = c_number(c_int32, count, "count")
        out = (AnswerStruct * (self.text_count * max(0, count)))()
        scores = (c_double * self.text_count)()
        longest = c_number(c_int32, maximum_tokens, "maximum_tokens")
        lib.graft_windows_answers(self.pointer, logits, len(logits), best, longest, out, len(out), scores)
        return [
            [
                FoundAnswer(context[e.first_character : e.end_character], e.first_character, e.end_character, e.score, score)
                for e in out[row * count : (row + 1) * count]
                if e.window >= 0
            ]
            for row, (context, score) in enumerate(zip(contexts, scores))
        ]
