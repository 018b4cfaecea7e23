"""Trains an adapter on a file, measures it and saves it.

Files are csv, tsv, jsonl, json or conll, as their names end, or as --format says; docs/data.md says
how columns are found. With --task masked_language_model, a line of any other file is a text. With a
validation file the adapter keeps the weights of the best epoch. What measures and settings mean is
in docs/python.md, under Evaluation and Trainer.
"""

from __future__ import annotations

import argparse
import inspect
import time
from pathlib import Path
from collections.abc import Mapping
from itertools import chain
from typing import Any

from ..data.balance import class_weights
from ..data.table import Table
from ..dataset import Dataset
from ..logs.json_log import JsonLog
from ..errors import invalid
from ..files import require_place
from ..metrics import Evaluation
from ..model import Model
from ..starting import first_adapter
from ..table_tasks.table_task import Adapted
from ..tokenizer import Tokenizer
from ..trainer import Trainer
from .arguments import add_model
from .files import asking_of, read_labelled
from .options import HELD, TRAINING, add_options
from .output import Output

#: Options that are called as :class:`Trainer` has them.
TRAINER_SETTINGS = [
    own.name
    for own in (*HELD, *TRAINING)
    if own.name in inspect.signature(Trainer.__init__).parameters and own.name not in ("class_weights", "masking")
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("train", type=Path, metavar="TRAIN", help="file to train on")
    parser.add_argument("adapter", type=Path, metavar="ADAPTER", help="folder to save the adapter in")
    parser.add_argument(
        "--validation",
        type=Path,
        metavar="FILE",
        help="measured after each epoch; the best weights are kept (default: none)",
    )
    parser.add_argument("--test", type=Path, metavar="FILE", help="measured at the end (default: none)")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FOLDER",
        help="saved each epoch, and gone on from when it is there (default: none)",
    )
    parser.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help="of JSON lines, which each step and evaluation is added to (default: none)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    add_options(parser, "train")


def run(arguments: argparse.Namespace, output: Output) -> None:
    require_place(arguments.adapter, of_folder=True)
    train, task = read_labelled(arguments.train, arguments, arguments.task)
    validation, test = (
        None if path is None else read_labelled(path, arguments, task.name)[0]
        for path in (arguments.validation, arguments.test)
    )
    model, tokenizer = Model(arguments.model, arguments.precision, arguments.threads), Tokenizer(arguments.model)

    def dataset(table: Table, names: list[str] | None, held_out: bool) -> Dataset:
        return Dataset.from_table(
            tokenizer,
            table,
            task=task.name,
            label_names=names,
            maximum_length=arguments.maximum_length,
            scheme=arguments.scheme,
            all_pieces=arguments.all_pieces,
            stride=arguments.stride,
            mask_each=held_out,
            end_tokens=model.end_tokens[:1],
        )

    rows = dataset(train, None, False)
    held_out = None if validation is None else dataset(validation, rows.label_names or None, True)
    if test is not None:  # what is wrong with it is told now, rather than after the training
        dataset(test, rows.label_names or None, True).release()
    has_pooling = task.reads_rows and arguments.pooling != "model"
    pooling = arguments.pooling if has_pooling else None
    adapter = first_adapter(
        model,
        arguments.start,
        arguments.method,
        arguments.config,
        arguments.seed,
        task.task,
        rows.label_names,
        pooling=pooling,
        dense_layer=arguments.dense_layer,
        dropout=arguments.dropout,
        crf=arguments.crf,
    )
    asking = asking_of(arguments)
    own = {**task.training(tokenizer, train), **asking.objective}
    if arguments.masking is not None:
        own["masking"] = {**own.get("masking", {}), **arguments.masking}
    output.line(f"{model}, {adapter.parameter_count:,} trained parameters, {len(train):,} rows to train on")
    started = time.monotonic()
    with Trainer(
        model,
        adapter,
        **{name: getattr(arguments, name) for name in TRAINER_SETTINGS},
        epoch_count=arguments.epochs,
        class_weights=weights_of(arguments.class_weights, train, rows.label_names),
        checkpoint_path=arguments.checkpoint,
        callbacks=[] if arguments.log is None else [JsonLog(arguments.log)],
        **own,
    ) as trainer:
        best = trainer.fit(rows, held_out, progress=not arguments.quiet)
        seconds = time.monotonic() - started
    adapted = Adapted(model, tokenizer, adapter, arguments.threads, arguments.maximum_length)
    adapter.save(arguments.adapter)
    tested = None if test is None else task.evaluate(adapted, test, asking)
    if best.evaluation is not None:
        output.line(f"best on the validation file, after step {best.step}: {best.evaluation}")
    if tested is not None:
        output.line(f"test file: {tested}")
    output.line(f"saved in {arguments.adapter}, after {seconds:.1f} seconds")
    output.result(
        {
            "adapter": str(arguments.adapter),
            "task": adapter.task,
            "labels": adapter.labels,
            "parameter_count": adapter.parameter_count,
            "row_count": len(train),
            "step": best.step,
            "seconds": seconds,
            "loss": best.loss if best.evaluation is None else None,
            "validation": measures(best.evaluation),
            "test": measures(tested),
        }
    )


def weights_of(given: str | Mapping[str, float] | None, table: Table, names: list[str]) -> list[float] | None:
    """The weight of each label: what is said of some, or "balanced" by how often each is in a
    table."""
    if given is None:
        return None
    if isinstance(given, str):
        column = next((column for column in ("label", "tags") if column in table), None)
        if column is None:
            raise invalid(f"class_weights: balanced needs label or tags; found {', '.join(table.columns)}")
        return class_weights(table[column] if column == "label" else chain.from_iterable(table[column]), names)
    unknown = [name for name in given if name not in names]
    if unknown:
        raise invalid(f"class_weights: label {unknown[0]!r} is not among {', '.join(names) or 'none'}")
    return [given.get(name, 1.0) for name in names]


def measures(evaluation: Evaluation | None) -> dict[str, Any] | None:
    """An evaluation as machines get it."""
    if evaluation is None:
        return None
    return {"row_count": evaluation.row_count, "token_count": evaluation.token_count, **evaluation.values}
