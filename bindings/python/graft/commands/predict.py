"""Predicts labels, numbers or named entities of texts, answers to questions, or texts.

Reads a text from each line, or `text TAB pair`, or the texts of a csv, tsv, jsonl or json file, and
writes a line for it as soon as some are read:

  label TAB probability TAB text        of several: the labels, with "," between them, TAB text
  number TAB text                       for regression
  TYPE:start:end ... TAB text           for named entities, in characters
  answer TAB question TAB context       to a question, whose context is the pair; empty for none
  choice TAB probability TAB question TAB choices ...     of `question TAB choice TAB choice ...`
  scores ... TAB query TAB candidates ...                 of a file with candidates
  similarity TAB text TAB pair          for vectors of sentences
  word:probability|... ... TAB text     for each mask of the text; --top says how many words
  text TAB text                         that is written: a translation, an answer to a prompt

With --answers and --no-answer-scores, the answers to a file of questions with ids are also written
as the scripts of SQuAD and CMRC read them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..adapter import Adapter
from ..answers import ANSWERS
from ..data.measuring import Texts, texts_of
from ..data.squad_writing import write_predictions
from ..errors import invalid, rows_named
from ..files import require_place
from ..model import Model
from ..session import Session
from ..tokenizer import Tokenizer
from .arguments import add_model, positive
from .files import asking_of, read_texts, tasks_for
from .options import add_options
from .output import Output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("adapter", type=Path, metavar="ADAPTER", help="folder of the adapter")
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="of texts (default: -, standard input)")
    parser.add_argument(
        "--top",
        type=positive,
        default=1,
        metavar="N",
        help="so many labels of each, or words, the likeliest first (default: %(default)s)",
    )
    parser.add_argument(
        "--answers", type=Path, metavar="FILE", help="where to write the answers by the questions' ids (default: nowhere)"
    )
    parser.add_argument(
        "--no-answer-scores",
        type=Path,
        metavar="FILE",
        help="where to write no_answer_score by the questions' ids (default: nowhere)",
    )
    add_options(parser, "predict")


def run(arguments: argparse.Namespace, output: Output) -> None:
    for path in (arguments.answers, arguments.no_answer_scores):
        require_place(path)
    model, tokenizer = Model(arguments.model, arguments.precision, arguments.threads), Tokenizer(arguments.model)
    adapter = Adapter.load(model, arguments.adapter)
    tasks = tasks_for(adapter, arguments.adapter)
    session = Session(model, tokenizer, adapter, arguments.threads, maximum_length=arguments.maximum_length)
    asking = asking_of(arguments)
    files = {"answer": arguments.answers, "no_answer_score": arguments.no_answer_scores}
    written = {name: path for name, path in files.items() if path is not None}
    if written and adapter.task != ANSWERS:
        raise invalid(f"{arguments.adapter}: expected an adapter for {ANSWERS}, found one for {adapter.task}")
    rows: list[dict[str, Any]] = []
    for table in read_texts(arguments.file, arguments, tasks[-1].line_width):
        if written and "id" not in table:
            raise invalid(f"{table.source}: expected ids of the questions, as SQuAD's files have them")
        task = next((own for own in tasks if own.scores_candidates == ("candidates" in table)), tasks[-1])
        texts = texts_of(table)
        with rows_named(table.place):
            found = task.predict(session, texts, asking)
        for place, row in enumerate(found):
            given = _given(texts, table["id"] if "id" in table else None, place)
            columns = [given["text"], *given.get("candidates", []), *([given["pair"]] if "pair" in given else [])]
            output.line("\t".join([task.line(row), *columns]))
            if output.is_json or written:
                rows.append({**given, **row})
    for name, path in written.items():
        write_predictions(path, [row["id"] for row in rows], [row[name] for row in rows])
    output.result({"task": adapter.task, "predictions": rows})


def _given(texts: Texts, ids: list[str] | None, place: int) -> dict[str, Any]:
    """What is predicted on, by its names."""
    columns = {"id": ids, "text": texts.first, "pair": texts.second, "candidates": texts.candidates}
    return {name: column[place] for name, column in columns.items() if column is not None}
