"""Measures an adapter on a file.

The file is as of `graft train`, for the task that the adapter was trained for.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..adapter import Adapter
from ..model import Model
from ..table_tasks.table_task import Adapted
from ..tokenizer import Tokenizer
from .arguments import add_model
from .files import asking_of, read_labelled, task_named
from .options import add_options
from .output import Output
from .train import measures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("adapter", type=Path, metavar="ADAPTER", help="folder of the adapter")
    parser.add_argument("file", type=Path, metavar="FILE", help="file to measure on")
    parser.add_argument("--confusion", action="store_true", help="print which labels are taken for which")
    add_options(parser, "evaluate")


def run(arguments: argparse.Namespace, output: Output) -> None:
    model, tokenizer = Model(arguments.model, arguments.precision, arguments.threads), Tokenizer(arguments.model)
    adapter = Adapter.load(model, arguments.adapter)
    table, task = read_labelled(arguments.file, arguments, task_named(adapter, arguments))
    adapted = Adapted(model, tokenizer, adapter, arguments.threads, arguments.maximum_length)
    evaluation = task.evaluate(adapted, table, asking_of(arguments))
    output.line(str(evaluation))
    if arguments.confusion and evaluation.confusion:
        output.line(f"\nrow: true label, column: predicted\n{evaluation.confusion_table()}")
    confusion = {"labels": evaluation.labels, "confusion": evaluation.confusion} if arguments.confusion else {}
    output.result({"task": adapter.task, **(measures(evaluation) or {}), **confusion})
