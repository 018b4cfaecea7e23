"""How good the texts are that an adapter writes, while it learns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from .. import evaluation
from ..adapter import Adapter
from ..callbacks import Callback
from ..errors import invalid
from ..metrics import Evaluation, Metrics
from ..model import Model
from ..session import Session
from ..tokenizer import Tokenizer
from ..trainer import Trainer
from ..values import as_list

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..generation import GenerationSettings


class TextMeasures(Callback):
    """Has the adapter of each checkpoint write texts, and measures them. The trainer needs a
    ``checkpoint_path``, since nobody can use an adapter in the middle of its training.

    >>> measures = graft.TextMeasures(model, tokenizer, sources, translations, beams=4)
    >>> with graft.Trainer(model, adapter, checkpoint_path="run", callbacks=[measures]) as trainer:
    ...     trainer.fit(rows)
    >>> measures.evaluations[-1].bleu

    :param sources: what the texts are written of: rows that nothing is learned from.
    :param references: as of :func:`evaluation.texts`.
    :param tokenize: as there.
    :param threads: 0: one per core.
    :param settings: those of :meth:`Session.generate`.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        sources: Iterable[str],
        references: Iterable[str] | Iterable[Iterable[str]],
        *,
        tokenize: Literal["13a", "zh", "char"] = "13a",
        threads: int = 0,
        **settings: Unpack[GenerationSettings],
    ) -> None:
        self._model, self._tokenizer, self._threads = model, tokenizer, threads
        self._sources = as_list(sources, "sources", "strings")
        self._references = as_list(references, "references", "strings", 2)
        self._tokenize, self._settings = tokenize, settings
        #: Of each checkpoint.
        self.evaluations: list[Evaluation] = []
        #: After how many steps each was written.
        self.steps: list[int] = []
        self._latest = 0  # told of last, which is before the checkpoint

    def on_train_begin(self, trainer: Trainer) -> None:
        """Refuses a trainer that writes no checkpoints."""
        if trainer.recipe["training"]["checkpoint_path"] is None:
            raise invalid("checkpoint_path: expected one, since texts are written by the adapter of a checkpoint")

    def on_step_end(self, metrics: Metrics) -> None:
        """Counts."""
        self._latest = metrics.step

    def on_save(self, path: str) -> None:
        """Writes texts and measures them."""
        with Adapter.load(self._model, path) as adapter:
            with Session(self._model, self._tokenizer, adapter, self._threads) as session:
                written = session.generate(self._sources, **self._settings)
        self.evaluations.append(evaluation.texts(written, self._references, tokenize=self._tokenize))
        self.steps.append(self._latest)
