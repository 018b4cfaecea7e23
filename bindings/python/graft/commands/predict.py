"""Predicts labels, numbers or named entities of texts, or answers to questions.

Reads a text from each line, or `text TAB pair`, or the texts of a csv, tsv, jsonl or json file, and
writes a line for it as soon as some are read:

  label TAB probability TAB text        of several: the labels, with "," between them, TAB text
  number TAB text                       for regression
  TYPE:start:end ... TAB text           for named entities, in characters
  answer TAB question TAB context       to a question, whose context is the pair; empty for none
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..adapter import Adapter
from ..answers import ANSWERS
from ..data.measuring import Texts
from ..entities import TAGS
from ..model import Model
from ..session import Session
from ..tokenizer import Tokenizer
from .arguments import add_length, add_model, number, positive
from .files import SEPARATOR, add_reading, add_stride, read_texts, require_task
from .output import Output

#: Of the lines of a part, what machines get of each, without the text.
Predict = Callable[[Texts], list[dict[str, Any]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("adapter", type=Path, metavar="ADAPTER", help="folder of the adapter")
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="of texts (default: -, standard input)")
    add_reading(parser)
    add_length(parser, "that of what it was trained on")
    parser.add_argument(
        "--top", type=positive, default=1, metavar="N", help="so many labels of each, the likeliest first (default: 1)"
    )
    parser.add_argument(
        "--threshold",
        type=number(float, 0, 1),
        default=0.5,
        metavar="P",
        help="probability from which a text has a label, where it may have several (default: %(default)s)",
    )
    add_stride(parser)
    parser.add_argument(
        "--no-answer-threshold",
        type=number(float, float("-inf")),
        metavar="SCORE",
        help="of no_answer_score, above which a question has no answer (default: every one has)",
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    model, tokenizer = Model(arguments.model, arguments.precision, arguments.threads), Tokenizer(arguments.model)
    adapter = Adapter.load(model, arguments.adapter)
    session = Session(model, tokenizer, adapter, arguments.threads, maximum_length=arguments.maximum_length)
    predict = _predict_for(adapter, session, arguments)
    rows: list[dict[str, Any]] = []
    for part in read_texts(arguments.file, arguments):
        found = predict(part)
        for place, row in enumerate(found):
            texts = [part.first[place], *([] if part.second is None else [part.second[place]])]
            output.line("\t".join([_line(row), *texts]))
            if output.is_json:
                rows.append({"text": texts[0], **({"pair": texts[1]} if len(texts) > 1 else {}), **row})
    output.result({"task": adapter.task, "predictions": rows})


def _predict_for(adapter: Adapter, session: Session, arguments: argparse.Namespace) -> Predict:
    def labels(part: Texts) -> list[dict[str, Any]]:
        return [
            {"label": best[0][0], "probability": best[0][1], "best": [list(pair) for pair in best]}
            for best in session.predict_best(part.first, part.second, arguments.top)
        ]

    def sets(part: Texts) -> list[dict[str, Any]]:
        return [
            {"labels": found} for found in session.predict_labels(part.first, part.second, threshold=arguments.threshold)
        ]

    def numbers(part: Texts) -> list[dict[str, Any]]:
        return [{"values": list(row)} for row in session.classify(part.first, part.second)]

    def entities(part: Texts) -> list[dict[str, Any]]:
        return [{"entities": [entity._asdict() for entity in found]} for found in session.tag(part.first)]

    def answers(part: Texts) -> list[dict[str, Any]]:
        contexts = [""] * len(part.first) if part.second is None else part.second
        found = session.answer(
            part.first, contexts, threshold=arguments.no_answer_threshold, stride=arguments.stride
        )
        return [{"answer": answer.text, **{name: value for name, value in answer._asdict().items() if name != "text"}} for answer in found]

    by_task = {
        "sequence_classification": labels,
        "multi_label_classification": sets,
        "regression": numbers,
        TAGS: entities,
        ANSWERS: answers,
    }
    return by_task[require_task(adapter, arguments.adapter)]


def _line(row: dict[str, Any]) -> str:
    """A prediction as people get it."""
    if "best" in row:
        return "\t".join(f"{label}\t{probability:.4f}" for label, probability in row["best"])
    if "answer" in row:
        return " ".join(row["answer"].split())
    if "labels" in row:
        return SEPARATOR.join(row["labels"])
    if "values" in row:
        return "\t".join(f"{value:.6g}" for value in row["values"])
    return " ".join(f"{entity['type']}:{entity['start']}:{entity['end']}" for entity in row["entities"])
