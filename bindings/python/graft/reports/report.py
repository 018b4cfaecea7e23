"""A page about a training: what it was, how it went and what came of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..adapter import Adapter
from ..dataset import Dataset
from ..errors import GraftError, Status, invalid
from ..files import write_text
from ..library import lib
from ..logs.history import History
from ..metrics import Evaluation
from ..model import Model
from ..recipe import recipe_of_adapter, recipe_of_model, versions
from ..trainer import LOSS_SETTINGS
from ..values import of_json
from . import adapter_maps, answers, labels, measures, probabilities, regression, texts, training, vectors
from .numbers import counted, spelt
from .page import page, recipe_section
from .parts import Section
from .predictions import Predictions
from .weights import files_of, gradient_norms, norms

TASKS = {
    "sequence_classification": "classification",
    "multi_label_classification": "classification with several labels",
    "regression": "regression",
    "token_classification": "named entities",
    "language_model": "language modelling",
    "masked_language_model": "masked words",
    "multiple_choice": "multiple choice",
    "question_answering": "answers to questions",
    "seq_2_seq_lm": "writing texts of others",
    "sentence_embedding": "vectors of sentences",
}


class Report:
    """What :func:`report` made: a page of HTML, which notebooks show."""

    def __init__(self, html: str) -> None:
        #: The whole page.
        self.html = html

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the page to a file."""
        write_text(path, self.html)

    def _repr_html_(self) -> str:
        """In a frame of its own, so that neither style reaches into the other."""
        from html import escape

        return f'<iframe srcdoc="{escape(self.html)}" sandbox="" width="100%" height="800" style="border:0"></iframe>'

    def __repr__(self) -> str:
        return f"<graft.Report, {len(self.html):,} characters>"


def report(
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    evaluation: Evaluation | None = None,
    predictions: Predictions | None = None,
    history: History | str | os.PathLike[str] | None = None,
    adapter: Adapter | str | os.PathLike[str] | None = None,
    model: Model | None = None,
    gradient_rows: Dataset | None = None,
    gradient_settings: Mapping[str, Any] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Report:
    """One page of HTML, which needs no network and no scripts, about what is given of a training:
    measures with intervals, which labels are taken for which, ROC, precision and recall,
    reliability, what answers and vectors are worth, lengths, the worst mistakes, learning curves,
    maps of the adapter's weights and of the gradients, and every setting. What is not given is left
    out.

    >>> graft.report(
    ...     "report.html",
    ...     predictions=graft.Predictions.of(model, tokenizer, adapter, test),
    ...     history="training.jsonl",
    ...     adapter=adapter,
    ... )

    The same things give the same bytes. A page has the texts of its worst mistakes: who may see
    it may see these.

    :param path: the file to write; None: none is.
    :param title: None: what the adapter is for.
    :param evaluation: of a trainer, or of :mod:`graft.evaluation`; None: that of the predictions.
    :param predictions: the rows behind it, without which there are no texts, and curves only of
        two labels.
    :param history: of the training, or the file of its :class:`JsonLog`.
    :param adapter: for maps of its weights, or its folder.
    :param model: the adapter's base model, for gradients and the recipe.
    :param gradient_rows: rows, of which 64 are taken, for gradients of the loss: this needs
        ``model``, and an adapter that is loaded. None: the maps have the weights alone.
    :param gradient_settings: arguments of :class:`Trainer` that make the loss, such as
        ``{"loss": "cosent"}``, beside those that the history has. What neither has is the task's
        own.
    :param recipe: settings beside those that the history has, by the part that they are of.
    """
    kept = History.read(history) if isinstance(history, (str, os.PathLike)) else history
    measured = evaluation if evaluation is not None or predictions is None else predictions.evaluation
    settings = _recipe(kept, adapter, model, recipe)
    found = [
        None if measured is None else measures.section_of(measured),
        None if measured is None else labels.section_of(measured),
        probabilities.section_of(measured, predictions),
        None if predictions is None else regression.section_of(predictions),
        None if predictions is None else answers.section_of(predictions),
        None if predictions is None else vectors.section_of(predictions),
        None if predictions is None else texts.mistakes_of(predictions),
        None if predictions is None else texts.section_of(predictions),
        None if kept is None else training.section_of(kept),
        None if adapter is None else _maps(adapter, model, gradient_rows, _loss_settings(kept, gradient_settings)),
    ]
    sections = [section for section in found if section is not None]
    if not sections:
        raise invalid(
            "report: expected an evaluation, predictions, a history or an adapter; found none, or an empty one"
        )
    sections += [section for section in [recipe_section(settings)] if section is not None]
    of = settings.get("adapter", {})
    version = lib.graft_version_string().decode()
    made = Report(page(title or _title(of), _lede(of, measured), sections, f"Made by Graft {version}."))
    if path is not None:
        made.save(path)
    return made


def _recipe(
    history: History | None,
    adapter: Adapter | str | os.PathLike[str] | None,
    model: Model | None,
    more: Mapping[str, Any] | None,
) -> dict[str, Any]:
    found: dict[str, Any] = dict(history.recipe) if history is not None else {}
    if isinstance(adapter, Adapter):
        found["adapter"] = recipe_of_adapter(adapter)
    elif adapter is not None and "adapter" not in found:
        found["adapter"] = _of_files(files_of(os.fsdecode(adapter)))
    if model is not None:
        found["model"] = recipe_of_model(model)
    found.setdefault("versions", versions())
    for part, own in (more or {}).items():
        found[part] = {**own, **found.get(part, {})} if isinstance(own, Mapping) else own
    return found


def _of_files(files: dict[str, bytes]) -> dict[str, Any]:
    try:
        settings = of_json(files["adapter_config.json"])
        return {**settings} if isinstance(settings, dict) else {}
    except ValueError as error:
        raise GraftError(Status.CORRUPT_FILE, f"adapter_config.json: expected a JSON object: {error}") from None


def _loss_settings(history: History | None, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """What makes the loss that the adapter was trained with."""
    trained: Mapping[str, Any] = {} if history is None else history.recipe.get("training", {})
    known = {name: trained[name] for name in LOSS_SETTINGS if trained.get(name) is not None}
    return {**(given or {}), **known}


def _maps(
    adapter: Adapter | str | os.PathLike[str],
    model: Model | None,
    rows: Dataset | None,
    loss_settings: Mapping[str, Any],
) -> Section | None:
    if rows is None:
        note = "How large the parameters are. Gradients need the model and labelled rows, so they are not shown."
        given = adapter if isinstance(adapter, Adapter) else os.fsdecode(adapter)
        return adapter_maps.section_of(norms(files_of(given)), note)
    if model is None or not isinstance(adapter, Adapter):
        raise invalid("gradient_rows: expected the model and an adapter that is loaded beside them")
    try:
        gradients = gradient_norms(model, adapter, rows, loss_settings)
    except GraftError as error:
        if error.status != Status.UNSUPPORTED:
            raise
        note = f"How large the parameters are. Gradients are not shown: {error}."
        return adapter_maps.section_of(norms(files_of(adapter)), note)
    count = counted(min(64, len(rows)))
    note = (
        f"How large the parameters are, and the gradients of the loss on {count} of the rows for them: "
        "where a step would change most."
    )
    return adapter_maps.section_of(norms(files_of(adapter), gradients), note)


def _title(adapter: Mapping[str, Any]) -> str:
    task = TASKS.get(str(adapter.get("task")))
    return f"An adapter for {task}" if task else "Report of a training"


def _lede(adapter: Mapping[str, Any], evaluation: Evaluation | None) -> str:
    parts = []
    if "method" in adapter and "parameter_count" in adapter:
        parts.append(f"{spelt(str(adapter['method']))} with {counted(adapter['parameter_count'])} trained parameters")
    if adapter.get("labels"):
        parts.append(f"{counted(len(adapter['labels']))} labels")
    if evaluation is not None:
        parts.append(f"measured on {counted(evaluation.row_count)} rows")
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else "What was kept of it."
