"""What an adapter made of rows whose truth is known, as reports and figures look at it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from ..adapter import Adapter
from ..candidates import lists_of
from ..data.table import Table
from ..errors import invalid
from ..metrics import Evaluation
from ..model import Model
from ..table_tasks.listed import task_of
from ..table_tasks.table_task import Adapted, Asking, TableTask
from ..thresholds import thresholds_of
from ..tokenizer import Tokenizer
from ..values import as_list, float_of, require_length, shown
from .evaluating import evaluate
from .kinds import CHOICES, HIDDEN, LABELS, PREFERRED, RANKINGS, SETS, TASKS, TEXTS, VALUES, VECTORS
from .predicting import found_by


class Predictions:
    """Truth and predictions of rows, with their texts: what :func:`report` and
    :mod:`graft.figures` show beside an :class:`Evaluation`, which :attr:`evaluation` is.

    What the truth of a row is, and what is predicted of it, depends on the ``task``:

    - ``"sequence_classification"``: the name of its label; a probability for each label, or one for
      the second of two.
    - ``"multi_label_classification"``: the names of its labels; a probability for each label.
    - ``"regression"``: its number, or its numbers; the same.
    - ``"token_classification"``: the tags of its words; the same.
    - ``"question_answering"``: the answers that are accepted; the answer.
    - ``"sentence_embedding"``: how alike a pair was judged; the cosine of its vectors.
    - ``"multiple_choice"``: the place of the right candidate, from 0; a probability for each.
    - ``"ranking"``: how relevant each candidate is, 0 or more; a score for each.
    - ``"masked_language_model"``: a word that was hidden; the one that was guessed, and the
      probability of the hidden one, as ``("cloudy", 0.25)``.
    - ``"seq_2_seq_lm"`` and ``"language_model"``: what should be written, a text or several of
      which each is accepted; the text that was written.
    - ``"preferences"``: the place of the answer that is preferred, 0 or 1; the rewards of both.

    >>> graft.Predictions(["ham", "spam"], [[0.9, 0.1], [0.4, 0.6]], labels=["ham", "spam"])
    >>> graft.Predictions.of(model, tokenizer, adapter, graft.Table.read("test.tsv"))

    :param truth: of each row.
    :param predicted: of each row.
    :param task: one of the above.
    :param labels: the names of the labels in the order of the probabilities, of those that have
        probabilities.
    :param texts: of each row. None: no texts are shown.
    :param lengths: of each row, in tokens; where words were hidden, of each text that has some.
        None: texts have their lengths in characters.
    :param target_lengths: the same of what should be written.
    :param candidates: of each row, of choices, rankings and preferences. None: they are shown as
        numbers.
    :param maximum_length: tokens where longer rows were cut, or that windows had. None: none were.
    :param threshold: the probability from which on a label is chosen, where there may be several
        (one of all, or one of each), or where there is one probability a row.
    :param script: of answers, whose exact match and F1.
    :param tokenize: of texts that were written, as of :func:`evaluation.texts`.
    """

    def __init__(
        self,
        truth: Iterable[Any],
        predicted: Iterable[Any],
        *,
        task: str = LABELS,
        labels: Sequence[Any] = (),
        texts: Iterable[str] | None = None,
        lengths: Iterable[int] | None = None,
        target_lengths: Iterable[int] | None = None,
        candidates: Iterable[Iterable[str]] | None = None,
        maximum_length: int | None = None,
        threshold: float | Iterable[float] = 0.5,
        script: Literal["squad", "cmrc"] = "squad",
        tokenize: Literal["13a", "zh", "char"] = "13a",
    ) -> None:
        if task not in TASKS:
            raise invalid(f"task: expected one of {', '.join(TASKS)}; found {task!r}")
        self.task = task
        self.labels = [str(label) for label in labels]
        self.maximum_length = maximum_length
        if task != SETS and isinstance(threshold, Iterable):
            raise invalid(f"threshold: expected a number, since a row has one label; found {shown(threshold)}")
        #: Of each label; where a row has one of two, of the second.
        self.thresholds = thresholds_of(threshold, len(self.labels))
        self.truth: list[Any] = as_list(truth, "truth", "values", 2)
        self.predicted: list[Any] = _listed(predicted)
        count = len(self.truth)
        require_length(self.predicted, count, "predicted", "row of truth")
        self.texts = None if texts is None else as_list(texts, "texts", "strings")
        self.lengths, self.target_lengths = (
            None if given is None else [int(length) for length in as_list(given, name, "numbers")]
            for name, given in (("lengths", lengths), ("target_lengths", target_lengths))
        )
        self.candidates = None if candidates is None else lists_of(candidates, "candidates", "strings")
        for name, column in (
            ("texts", self.texts),
            ("lengths", None if task == HIDDEN else self.lengths),
            ("target_lengths", self.target_lengths),
            ("candidates", self.candidates),
        ):
            if column is not None:
                require_length(column, count, name, "row of truth")
        if not count:
            raise invalid("truth: expected rows, found none")
        self.script: Literal["squad", "cmrc"] = script
        self.tokenize: Literal["13a", "zh", "char"] = tokenize
        #: What vectors find: of texts whose pair is alike the place of that among others.
        self.retrieval: Evaluation | None = None
        #: What a trainer measures of texts that are to be written, by name.
        self.measured: dict[str, float] = {}
        #: Whether tags are of characters rather than of words.
        self.of_characters = False
        self._evaluation: Evaluation | None = None
        if task in (LABELS, SETS):
            self._take_labels()
        elif task in (CHOICES, RANKINGS, PREFERRED):
            self._take_candidates()
        elif task == HIDDEN:
            self._take_hidden()
        elif task in TEXTS:
            self.truth = [
                [row] if isinstance(row, str) else as_list(row, f"truth[{number}]", "strings")
                for number, row in enumerate(self.truth)
            ]
        elif task in (VALUES, VECTORS):
            self.truth, self.predicted = _rows(self.truth), _rows(self.predicted)

    def _take_labels(self) -> None:
        if not self.labels:
            raise invalid("labels: expected the names of the labels, in the order of the probabilities")
        self.predicted = [row if isinstance(row, list) else [1 - row, row] for row in self.predicted]
        for row, own in enumerate(self.predicted):
            if len(own) != len(self.labels):
                raise invalid(f"predicted[{row}]: expected {len(self.labels)}, one for each label; found {len(own)}")
        if self.task == LABELS:
            self.truth = list(map(str, self.truth))
        else:
            self.truth = [
                list(map(str, as_list(row, f"truth[{number}]", "labels"))) for number, row in enumerate(self.truth)
            ]
        known = set(self.labels)
        for row, truth in enumerate(self.truth):
            for label in [truth] if self.task == LABELS else truth:
                if label not in known:
                    raise invalid(f"truth[{row}]: label {label!r} is not among {', '.join(self.labels[:20])}")

    def _take_candidates(self) -> None:
        """A number for each candidate of each row, and of choices the place of the right one."""
        self.predicted = lists_of(self.predicted, "predicted", "numbers")
        if self.task == RANKINGS:
            self.truth = lists_of(self.truth, "truth", "numbers")
        for row, own in enumerate(self.predicted):
            if not own:
                raise invalid(f"predicted[{row}]: expected a number for each candidate, found none")
            for place, number in enumerate(own):
                if not math.isfinite(float_of(number)):
                    raise invalid(f"predicted[{row}][{place}]: expected a finite number, found {shown(number)}")
            if self.task == PREFERRED and len(own) != 2:
                raise invalid(f"predicted[{row}]: expected the rewards of two answers, found {len(own)}")
            if self.candidates is not None:
                require_length(own, len(self.candidates[row]), f"predicted[{row}]", "candidate")
            if self.task == RANKINGS:
                require_length(self.truth[row], len(own), f"truth[{row}]", "candidate")
            elif self.truth[row] not in range(len(own)):
                raise invalid(f"truth[{row}]: expected 0 to {len(own) - 1}, found {shown(self.truth[row])}")

    def _take_hidden(self) -> None:
        for row, own in enumerate(self.predicted):
            if not isinstance(own, Sequence) or len(own) != 2 or not 0 <= float_of(own[1]) <= 1:
                expected = "expected a word and the probability of the hidden one"
                raise invalid(f"predicted[{row}]: {expected}, found {shown(own)}")

    @classmethod
    def of(
        cls,
        model: Model,
        tokenizer: Tokenizer,
        adapter: Adapter,
        table: Table,
        *,
        task: str | None = None,
        threads: int = 0,
        maximum_length: int = 0,
        threshold: float | Iterable[float] = 0.5,
        script: Literal["squad", "cmrc"] = "squad",
        tokenize: Literal["13a", "zh", "char"] = "13a",
        generation: Mapping[str, Any] = MappingProxyType({}),
    ) -> Predictions:
        """Predicts the rows of a table that has what they are, as :meth:`Table.read` gives it. Of
        masked words each token of each text is hidden in turn, of more than 2,000 some of them; of
        pairs of texts that are alike, without a judgement, the ranking of the second among those of
        the first 1,000 rows; of conversations the latest answer. Of preferences, pairs are left out
        of which an answer is cut away, with a warning.

        :param task: what the table is for, where the adapter's head does not say it: ``"ranking"``
            of pairs with targets.
        :param threads: 0: one per core.
        :param maximum_length: tokens where longer rows are cut; 0: where those that the adapter
            was trained on were.
        :param generation: of texts that are written: arguments of :meth:`Session.generate`.
        """
        least = list(threshold) if isinstance(threshold, Iterable) else threshold
        asking = Asking(threshold=least, script=script, tokenize=tokenize, generation=generation)
        adapted = Adapted(model, tokenizer, adapter, threads, maximum_length)
        return predictions_of(adapted, table, task_of(table, task or adapter.task), asking)

    @property
    def evaluation(self) -> Evaluation:
        """What :mod:`graft.evaluation` measures of them. Of texts that :meth:`of` wrote it has the
        loss and accuracy of the tokens that should be written, too."""
        if self._evaluation is None:
            self._evaluation = evaluate(self)
        return self._evaluation

    def rights(self) -> list[bool]:
        """Whether each row is right: of labels, choices and hidden words."""
        if self.task == HIDDEN:
            return [truth == guess for truth, (guess, _) in zip(self.truth, self.predicted)]
        names: Sequence[Any] = self.labels if self.task == LABELS else range(max(map(len, self.predicted)))
        return [names[chosen] == truth for truth, chosen in zip(self.truth, self.chosen())]

    def marks(self) -> list[list[int]]:
        """1 for each label that a row has and 0 for the others."""
        if self.task == SETS:
            return [[int(label in row) for label in self.labels] for row in map(set, self.truth)]
        return [[int(label == row) for label in self.labels] for row in self.truth]

    def column(self, label: int) -> tuple[list[int], list[float]]:
        """Of each row 1 if it has a label and 0 otherwise, and the probability that it has."""
        name = self.labels[label]
        has = [int(name in row) if self.task == SETS else int(row == name) for row in self.truth]
        return has, [row[label] for row in self.predicted]

    def chosen(self) -> list[int]:
        """The number of the label, or of the choice, that each row is given."""
        if self.task == LABELS and len(self.labels) == 2:
            return [int(row[1] >= self.thresholds[1]) for row in self.predicted]
        return [row.index(max(row)) for row in self.predicted]


def predictions_of(adapted: Adapted, table: Table, task: TableTask, asking: Asking) -> Predictions:
    """As :meth:`Predictions.of`, of all that an adapter may be asked."""
    found = found_by(task, adapted, table, asking)
    made = Predictions(
        found.truth,
        found.predicted,
        task=found.task,
        labels=adapted.adapter.labels,
        texts=found.texts,
        lengths=found.lengths,
        target_lengths=found.target_lengths,
        candidates=found.candidates,
        # A text that another is written of is never cut.
        maximum_length=None if found.task in TEXTS else adapted.limit,
        threshold=asking.threshold,
        script=asking.script,
        tokenize=asking.tokenize,
    )
    made.of_characters, made.retrieval, made.measured = found.of_characters, found.retrieval, found.measured
    made._evaluation = found.evaluation
    return made


def _listed(rows: Any) -> list[Any]:
    """Rows as lists: of an array, a matrix, or lists."""
    if hasattr(rows, "tolist"):
        listed: list[Any] = rows.tolist()
        return listed
    values = as_list(rows, "predicted", "values", 2)
    return [row.tolist() if hasattr(row, "tolist") else list(row) if isinstance(row, tuple) else row for row in values]


def _rows(values: list[Any]) -> list[list[float]]:
    return [[float_of(number) for number in row] if isinstance(row, Iterable) else [float_of(row)] for row in values]
