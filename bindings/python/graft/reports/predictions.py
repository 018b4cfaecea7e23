"""What an adapter made of rows whose truth is known, as reports and figures look at it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from .. import evaluation as measuring
from ..adapter import Adapter
from ..answers import ANSWERS
from ..data.measuring import texts_of, token_counts
from ..data.table import Table
from ..entities import TAGS
from ..errors import invalid
from ..metrics import Evaluation
from ..model import Model
from ..session import Session
from ..tokenizer import Tokenizer
from ..values import as_list, float_of, require_length
from .predicting import found_by

LABELS, SETS, VALUES = "sequence_classification", "multi_label_classification", "regression"
VECTORS = "sentence_embedding"
TASKS = (LABELS, SETS, VALUES, TAGS, ANSWERS, VECTORS)


class Predictions:
    """Truth and predictions of rows, with their texts: what :func:`report` and
    :mod:`graft.figures` show beside an :class:`Evaluation`, which :attr:`evaluation` is.

    >>> graft.Predictions(["ham", "spam"], [[0.9, 0.1], [0.4, 0.6]], labels=["ham", "spam"])
    >>> graft.Predictions.of(model, tokenizer, adapter, graft.Table.read("test.tsv"))

    :param truth: of each row: the name of its label; the names of its labels; its number, or its
        numbers; the tags of its words; the answers that are accepted; how alike a pair was judged.
    :param predicted: of each row: a probability for each label, or one for the second of two; its
        number, or numbers; the tags of its words; the answer; the cosine of a pair's vectors.
    :param task: ``"sequence_classification"``, ``"multi_label_classification"``, ``"regression"``,
        ``"token_classification"``, ``"question_answering"`` or ``"sentence_embedding"``.
    :param labels: the names of the labels in the order of the probabilities, of those that have
        probabilities.
    :param texts: of each row. None: no texts are shown.
    :param lengths: of each row, in tokens. None: texts have their lengths in characters.
    :param maximum_length: tokens where longer rows were cut, or that windows had. None: none were.
    :param threshold: the probability from which on a label is chosen, where there may be several,
        or where there is one probability a row.
    :param script: of answers, whose exact match and F1.
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
        maximum_length: int | None = None,
        threshold: float = 0.5,
        script: Literal["squad", "cmrc"] = "squad",
    ) -> None:
        if task not in TASKS:
            raise invalid(f"task: expected one of {', '.join(TASKS)}; found {task!r}")
        self.task = task
        self.labels = [str(label) for label in labels]
        self.threshold, self.maximum_length = threshold, maximum_length
        self.truth: list[Any] = as_list(truth, "truth", "values", 2)
        self.predicted: list[Any] = _listed(predicted)
        count = len(self.truth)
        require_length(self.predicted, count, "predicted", "row of truth")
        self.texts = None if texts is None else as_list(texts, "texts", "strings")
        self.lengths = None if lengths is None else [int(length) for length in as_list(lengths, "lengths", "numbers")]
        for name, column in (("texts", self.texts), ("lengths", self.lengths)):
            if column is not None:
                require_length(column, count, name, "row of truth")
        if not count:
            raise invalid("truth: expected rows, found none")
        self.script: Literal["squad", "cmrc"] = script
        #: What vectors find: of texts whose pair is alike the place of that among others.
        self.retrieval: Evaluation | None = None
        self._evaluation: Evaluation | None = None
        self._of_characters = False
        if task in (LABELS, SETS):
            self._take_labels()
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

    @classmethod
    def of(
        cls,
        model: Model,
        tokenizer: Tokenizer,
        adapter: Adapter,
        table: Table,
        *,
        threads: int = 0,
        maximum_length: int = 0,
        threshold: float = 0.5,
        script: Literal["squad", "cmrc"] = "squad",
    ) -> Predictions:
        """Predicts the rows of a table that has what they are, as :meth:`Table.read` gives it.

        :param threads: 0: one per core.
        :param maximum_length: tokens where longer rows are cut; 0: where those that the adapter
            was trained on were.
        """
        texts = texts_of(table)
        with Session(model, tokenizer, adapter, threads, maximum_length=maximum_length) as session:
            found = found_by(session, table, adapter.task)
        lengths, _ = token_counts(tokenizer, texts)
        limit = maximum_length or adapter.maximum_length or tokenizer.maximum_length
        shown = (
            texts.first
            if texts.second is None
            else [f"{one}\n{other}" for one, other in zip(texts.first, texts.second)]
        )
        made = cls(
            found.truth,
            found.predicted,
            task=adapter.task or LABELS,
            labels=adapter.labels,
            texts=shown,
            lengths=lengths,
            maximum_length=limit,
            threshold=threshold,
            script=script,
        )
        made._of_characters, made.retrieval = found.of_characters, found.retrieval
        return made

    @property
    def evaluation(self) -> Evaluation:
        """What :mod:`graft.evaluation` measures of them."""
        if self._evaluation is None:
            self._evaluation = self._evaluate()
        return self._evaluation

    def _evaluate(self) -> Evaluation:
        if self.task == TAGS:
            made = measuring.tags(self.truth, self.predicted)
            if self._of_characters:  # what single tags measure is of no use then
                made.values = {name: value for name, value in made.values.items() if "entity" in name}
            return made
        if self.task == ANSWERS:
            return measuring.answers(self.predicted, self.truth, script=self.script)
        if self.task in (VALUES, VECTORS):
            made = measuring.values(self.truth, self.predicted)
            if self.task == VECTORS:  # whose scale is another
                made.values = {name: made.values[name] for name in ("spearman", "pearson", "kendall")}
            return made
        if self.task == SETS:
            return measuring.label_sets(self.marks(), self.predicted, label_names=self.labels, threshold=self.threshold)
        if len(self.labels) == 2:
            second = array("d", (row[1] for row in self.predicted))
            return measuring.scores(self.truth, second, label_names=self.labels, threshold=self.threshold)
        return measuring.scores(self.truth, self.predicted, label_names=self.labels)

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
        """The number of the label that each row is given."""
        if len(self.labels) == 2:
            return [int(row[1] >= self.threshold) for row in self.predicted]
        return [row.index(max(row)) for row in self.predicted]


def _listed(rows: Any) -> list[Any]:
    """Rows as lists: of an array, a matrix, or lists."""
    if hasattr(rows, "tolist"):
        listed: list[Any] = rows.tolist()
        return listed
    values = as_list(rows, "predicted", "values", 2)
    return [row.tolist() if hasattr(row, "tolist") else list(row) if isinstance(row, tuple) else row for row in values]


def _rows(values: list[Any]) -> list[list[float]]:
    return [[float_of(number) for number in row] if isinstance(row, Iterable) else [float_of(row)] for row in values]
