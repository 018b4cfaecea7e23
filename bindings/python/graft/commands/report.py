"""Makes one page of HTML about an adapter: measures, curves, mistakes, weights, recipe.

The page needs no network. With a FILE as of `graft train` it shows what the adapter makes of it,
and the gradients of its loss; with --log, how the training went; and in any case weights and
settings.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..adapter import Adapter
from ..dataset import Dataset
from ..files import require_place
from ..logs.history import History
from ..model import Model
from ..reports.predictions import predictions_of
from ..reports.report import report
from ..table_tasks.table_task import Adapted
from ..tokenizer import Tokenizer
from .arguments import add_model
from .files import asking_of, read_labelled, task_named
from .options import add_options
from .output import Output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("adapter", type=Path, metavar="ADAPTER", help="folder of the adapter")
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="file to measure on (default: none)")
    parser.add_argument(
        "--output", type=Path, default=Path("report.html"), metavar="PAGE", help="file to write (default: %(default)s)"
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="that `graft train --log` wrote")
    parser.add_argument("--title", metavar="TEXT", help="of the page (default: what the adapter is for)")
    add_options(parser, "report")


def run(arguments: argparse.Namespace, output: Output) -> None:
    require_place(arguments.output)
    model, tokenizer = Model(arguments.model, arguments.precision, arguments.threads), Tokenizer(arguments.model)
    adapter = Adapter.load(model, arguments.adapter)
    data: dict[str, Any] = {"model": str(arguments.model), "adapter": str(arguments.adapter)}
    history = None if arguments.log is None else History.read(arguments.log)
    predictions, rows, settings = None, None, {}
    if arguments.file is not None:
        table, task = read_labelled(arguments.file, arguments, task_named(adapter, arguments))
        asking = asking_of(arguments)
        settings = {**task.training(tokenizer, table), **asking.objective}
        rows = Dataset.from_table(
            tokenizer,
            table,
            task=task.name,
            label_names=adapter.labels or None,
            all_pieces=arguments.all_pieces,
            maximum_length=arguments.maximum_length or adapter.maximum_length or 0,
            end_tokens=model.end_tokens[:1],
        )
        adapted = Adapted(model, tokenizer, adapter, arguments.threads, arguments.maximum_length)
        predictions = predictions_of(adapted, table, task, asking)
        data |= {"report_file": str(arguments.file), "report_rows": len(table)}
    report(
        arguments.output,
        title=arguments.title,
        predictions=predictions,
        history=history,
        adapter=adapter,
        model=model,
        gradient_rows=rows,
        gradient_settings=settings,
        recipe={"data": data},
    )
    evaluation = None if predictions is None else predictions.evaluation
    if evaluation is not None:
        output.line(str(evaluation))
    output.line(f"report in {arguments.output}")
    measured = {} if evaluation is None else {"row_count": evaluation.row_count, **evaluation.values}
    output.result({"report": str(arguments.output), "task": adapter.task, **measured})
