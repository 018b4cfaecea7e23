"""Measures an adapter on a file.

The file is as of `graft train`, for the task that the adapter was trained for.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..adapter import Adapter
from ..answers import ANSWERS
from ..dataset import Dataset
from ..model import Model
from ..session import Session
from ..tokenizer import Tokenizer
from ..trainer import Trainer
from .arguments import add_length, add_model
from .files import add_reading, add_script, add_stride, measure_answers, read_labelled, require_task
from .output import Output
from .train import measures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("adapter", type=Path, metavar="ADAPTER", help="folder of the adapter")
    parser.add_argument("file", type=Path, metavar="FILE", help="file to measure on")
    add_reading(parser)
    add_length(parser, "that of what it was trained on")
    add_stride(parser)
    add_script(parser)
    parser.add_argument("--confusion", action="store_true", help="print which labels are taken for which")


def run(arguments: argparse.Namespace, output: Output) -> None:
    model, tokenizer = Model(arguments.model, arguments.precision, arguments.threads), Tokenizer(arguments.model)
    adapter = Adapter.load(model, arguments.adapter)
    require_task(adapter, arguments.adapter)
    table, _ = read_labelled(arguments.file, arguments, adapter.task)
    if adapter.task == ANSWERS:
        session = Session(model, tokenizer, adapter, arguments.threads, maximum_length=arguments.maximum_length)
        evaluation = measure_answers(session, table, arguments)
    else:
        length = arguments.maximum_length or adapter.maximum_length or 0
        rows = Dataset.from_table(tokenizer, table, label_names=adapter.labels or None, maximum_length=length)
        with Trainer(model, adapter, threads=arguments.threads) as trainer:
            evaluation = trainer.evaluate(rows)
    output.line(str(evaluation))
    if arguments.confusion and evaluation.confusion:
        output.line(f"\nrow: true label, column: predicted\n{evaluation.confusion_table()}")
    confusion = {"labels": evaluation.labels, "confusion": evaluation.confusion} if arguments.confusion else {}
    output.result({"task": adapter.task, **(measures(evaluation) or {}), **confusion})
