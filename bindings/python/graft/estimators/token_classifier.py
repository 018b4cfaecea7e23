"""Labels of words, and named entities in texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import chain
from typing import Any

from ..batch import STRIDE
from ..dataset import Dataset
from ..entities import TAGS, Entity, byte_stretches, sentence_of, tag_names
from ..errors import invalid
from ..tokenizer import Tokenizer
from ..trainer import Trainer
from ..values import name_bytes, require_length, shown
from .arrays import ROW, array, rows_of
from .trained import TrainedEstimator, check_call


@dataclass(repr=False, eq=False)
class TokenClassifier(TrainedEstimator):
    """Labels words, or finds named entities in texts: an estimator as scikit-learn's, which it
    needs not.

    ``X`` is a list of words for each sentence, and ``y`` a list of their labels for each, such as
    "O" and "B-PER". Or ``X`` is texts, and ``y`` a list of the entities in each, as
    :meth:`Dataset.from_entities` takes them. What is predicted has the form of ``y`` for that of
    ``X``, whichever it was fitted on.
    """

    _: KW_ONLY
    #: Whether each token of a word learns the word's label, rather than the first alone.
    all_pieces: bool = False
    #: Of the tags that entities become: ``"IOB2"`` or ``"IOBES"``.
    scheme: str = "IOB2"
    #: Whether a sentence's labels are likely together, by which follows which: see
    #: :meth:`Adapter.set_head`. Not with ``all_pieces``: the labels that follow each other are
    #: those of words.
    crf: bool = False
    #: Tokens that the windows of a text that is longer than the model share.
    stride: int = STRIDE

    def fit(self, X: Any, y: Any = None, **unsupported: Any) -> TokenClassifier:
        """Trains an adapter on sentences of words and their labels, or on texts and the
        entities in them."""
        check_call(y, unsupported)
        if self.crf and self.all_pieces:
            raise invalid("all_pieces: with crf the labels that follow each other are those of words; expected False")
        sentences, given = _rows(X, y)
        if not sentences:
            raise invalid("X: expected sentences; found 0 samples")
        names = self._names(sentences, given)
        if len(names) < 2:
            raise invalid(f"y: expected two labels or more, or entities; found one label alone or none: {names!r}")
        self._fit(
            lambda tokenizer, rows: self._dataset(
                tokenizer, [sentences[row] for row in rows], [given[row] for row in rows], names
            ),
            len(sentences),
            TAGS,
            names,
            crf=self.crf,
        )
        #: The labels, in the order of their numbers.
        self.classes_ = array(names)
        return self

    def predict(self, X: Any) -> list[list[str]] | list[list[Entity]]:
        """The label of each word of each sentence, or the entities in each text."""
        session, sentences = self._session(), rows_of(X, "X", "sentences")
        tag = session.tag if _are_texts(sentences) else session.tag_words
        return tag(sentences, stride=self.stride)

    def score(self, X: Any, y: Any) -> float:
        """The F1 of the entities, as seqeval has it; where labels are no tags the accuracy of the
        words."""
        base, adapter = self._opened()
        assert adapter is not None
        sentences, given = _rows(X, y)
        rows = self._dataset(base.tokenizer, sentences, given, adapter.labels)
        with Trainer(base.model, adapter, threads=self.threads) as trainer:
            measured = trainer.evaluate(rows, confusion=False).values
        f1 = measured.get("entity_f1", math.nan)
        return measured["accuracy"] if math.isnan(f1) else f1

    def _dataset(
        self, tokenizer: Tokenizer, sentences: Sequence[Any], given: Sequence[Any], names: list[str]
    ) -> Dataset:
        make = Dataset.from_entities if _are_texts(sentences) else Dataset.from_words
        return make(
            tokenizer,
            sentences,
            given,
            label_names=names,
            all_pieces=self.all_pieces,
            maximum_length=self.maximum_length,
            stride=self.stride,
        )

    def _names(self, sentences: Sequence[Any], given: list[list[Any]]) -> list[str]:
        if not _are_texts(sentences):
            return sorted(set(chain.from_iterable(given)))
        stretches = [byte_stretches(text, row, place) for place, (text, row) in enumerate(zip(sentences, given))]
        types = {kind.decode() for row in stretches for kind, _, _ in row}
        return tag_names(types, self.scheme) if types else []


def _rows(X: Any, y: Any) -> tuple[list[Any], list[list[Any]]]:
    """Sentences of words or texts, and the labels or the entities of each."""
    sentences, given = rows_of(X, "X", "sentences"), rows_of(y, "y", "lists")
    require_length(given, len(sentences), "y", ROW)
    for row, (sentence, own) in enumerate(zip(sentences, given)):
        if isinstance(sentence, str) != isinstance(sentences[0], str):
            raise invalid(f"X[{row}]: expected what X[0] is, a text or a list of words; found {shown(sentence)}")
        if not isinstance(own, (list, tuple)):
            raise invalid(f"y[{row}]: expected a list of labels or entities; found {shown(own)}")
        if isinstance(sentence, str):
            continue
        sentence_of(sentence, f"X[{row}]")
        require_length(own, len(sentence), f"y[{row}]", "word")
        for place, label in enumerate(own):
            name_bytes(label, f"y[{row}][{place}]")
    return sentences, [list(row) for row in given]


def _are_texts(sentences: Sequence[Any]) -> bool:
    return bool(sentences) and isinstance(sentences[0], str)
