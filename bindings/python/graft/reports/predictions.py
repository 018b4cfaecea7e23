"""What an adapter made of rows whose truth is known, as reports and figures look at it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from .. import evaluation as measuring
from ..adapter import Adapter
from ..data.columns import learned_column
from ..data.measuring import Texts, texts_of, token_counts
from ..data.table import Table
from ..entities import TAGS
from ..errors import invalid
from ..metrics import Evaluation
from ..model import Model
from ..session import Session
from ..tokenizer import Tokenizer
from ..values import as_list, require_length

LABELS, SETS, VALUES = "sequence_classification", "multi_label_classification", "regression"
#: Rows that are predicted at a time.
CHUNK = 512


class Predictions:
    """Truth and predictions of rows, with their texts: what :func:`report` and
    :mod:`graft.figures` show beside an :class:`Evaluation`, which :attr:`evaluation` is.

    >>> graft.Predictions(["ham", "spam"], [[0.9, 0.1], [0.4, 0.6]], labels=["ham", "spam"])
    >>> graft.Predictions.of(model, tokenizer, adapter, graft.Table.read("test.tsv"))

    :param truth: of each row: the name of its label; the names of its labels; its number, or its
        numbers; the tags of its words.
    :param predicted: of each row: a probability for each label, or one for the second of two; its
        number, or numbers; the tags of its words.
    :param task: ``"sequence_classification"``, ``"multi_label_classification"``, ``"regression"``
        or ``"token_classification"``.
    :param labels: the names of the labels in the order of the probabilities, of those that have
        probabilities.
    :param texts: of each row. None: no texts are shown.
    :param lengths: of each row, in tokens. None: texts have their lengths in characters.
    :param maximum_length: tokens where longer rows were cut. None: none were.
    :param threshold: the probability from which on a label is chosen, where there may be several,
        or where there is one probability a row.
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
    ) -> None:
        if task not in (LABELS, SETS, VALUES, TAGS):
            raise invalid(f"task: expected one of {', '.join((LABELS, SETS, VALUES, TAGS))}; found {task!r}")
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
        self._evaluation: Evaluation | None = None
        self._of_characters = False
        if task in (LABELS, SETS):
            self._take_labels()
        elif task == VALUES:
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
    ) -> Predictions:
        """Predicts the rows of a table that has what they are, as :meth:`Table.read` gives it.

        :param threads: 0: one per core.
        :param maximum_length: tokens where longer rows are cut; 0: where those that the adapter
            was trained on were.
        """
        column = learned_column(table)
        if column is None:
            raise invalid(f"table: expected a column to compare with, found {', '.join(table.columns)}")
        texts, of_characters = texts_of(table), False
        with Session(model, tokenizer, adapter, threads, maximum_length=maximum_length) as session:
            if column == "entities":
                of_characters = True
                truth = [_characters(text, own) for text, own in zip(texts.first, table[column])]
                found: list[Any] = [_characters(text, own) for text, own in zip(texts.first, session.tag(texts.first))]
            elif column == "tags":
                truth, found = table[column], session.tag_words(table["words"])
            else:
                truth, found = table[column], _predicted(session, texts, column == "target")
        lengths, _ = token_counts(tokenizer, texts)
        limit = maximum_length or adapter.maximum_length or tokenizer.maximum_length
        shown = (
            texts.first
            if texts.second is None
            else [f"{one}\n{other}" for one, other in zip(texts.first, texts.second)]
        )
        made = cls(
            truth,
            found,
            task=adapter.task or LABELS,
            labels=adapter.labels,
            texts=shown,
            lengths=lengths,
            maximum_length=limit,
            threshold=threshold,
        )
        made._of_characters = of_characters
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
        if self.task == VALUES:
            return measuring.values(self.truth, self.predicted)
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


def _predicted(session: Session, texts: Texts, are_values: bool) -> list[list[float]]:
    rows: list[list[float]] = []
    predict = session.classify if are_values else session.predict_proba
    for start in range(0, len(texts.first), CHUNK):
        second = None if texts.second is None else texts.second[start : start + CHUNK]
        rows += predict(texts.first[start : start + CHUNK], second).tolist()
    return rows


def _characters(text: str, entities: Iterable[Any]) -> list[str]:
    """Entities as tags of a text's characters, of which those that begin one are B."""
    tags = ["O"] * len(text)
    for entity in entities:
        tags[entity.start : entity.end] = [f"I-{entity.type}"] * (entity.end - entity.start)
        tags[entity.start] = f"B-{entity.type}"
    return tags


def _listed(rows: Any) -> list[Any]:
    """Rows as lists: of an array, a matrix, or lists."""
    if hasattr(rows, "tolist"):
        listed: list[Any] = rows.tolist()
        return listed
    values = as_list(rows, "predicted", "values", 2)
    return [row.tolist() if hasattr(row, "tolist") else list(row) if isinstance(row, tuple) else row for row in values]


def _rows(values: list[Any]) -> list[list[float]]:
    return [[float(number) for number in row] if isinstance(row, Iterable) else [float(row)] for row in values]
