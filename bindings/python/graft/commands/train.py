"""Trains an adapter on a file, measures it and saves it.

Files are csv, tsv, jsonl, json or conll, as their names end, or as --format says; docs/data.md says
how columns are found. With --task masked_language_model, a line of any other file is a text. With a
validation file the adapter keeps the weights of the best epoch. What measures and settings mean is
in docs/python.md, under Evaluation and Trainer.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from ..adapter import Adapter, adapter_methods
from ..choices import optimizers, schedules
from ..data.table import Table
from ..dataset import Dataset
from ..logs.json_log import JsonLog
from ..metrics import Evaluation, metric_names
from ..model import Model
from ..table_tasks.label_sets import SEPARATOR
from ..table_tasks.listed import task_names
from ..table_tasks.table_task import Adapted
from ..tokenizer import Tokenizer
from ..trainer import Trainer
from .arguments import add_length, add_model, json_object, not_negative, number, positive
from .files import add_measuring, add_reading, add_stride, asking_of, read_labelled
from .output import Output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("train", type=Path, metavar="TRAIN", help="file to train on")
    parser.add_argument("adapter", type=Path, metavar="ADAPTER", help="folder to save the adapter in")
    data = parser.add_argument_group("data")
    data.add_argument(
        "--validation", type=Path, metavar="FILE", help="measured after each epoch; the best weights are kept"
    )
    data.add_argument("--test", type=Path, metavar="FILE", help="measured at the end")
    data.add_argument(
        "--task",
        choices=task_names(),
        help=f"labels with {SEPARATOR!r} between them and numbers may be in a column without a name (default: by the columns)",
    )
    add_reading(data)
    add_length(data, "the tokenizer's")
    add_stride(data)
    add_measuring(data)
    adapter = parser.add_argument_group("adapter")
    adapter.add_argument("--method", choices=adapter_methods(), default="lora", help="(default: %(default)s)")
    adapter.add_argument(
        "--config", type=json_object, metavar="JSON", help="the method's settings, such as '{\"r\": 16}', or @FILE"
    )
    adapter.add_argument(
        "--pooling",
        choices=["mean", "first", "last", "model"],
        default="mean",
        help="what the head reads of a text, for all but tokens; model: what PEFT's heads read, so that the adapter opens there (default: %(default)s)",
    )
    adapter.add_argument(
        "--crf", action="store_true", help="labels of words are likely together, by which follows which (default: each by itself)"
    )
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=positive, default=6, metavar="N", help="(default: %(default)s)")
    training.add_argument(
        "--learning-rate", type=number(float, 0), default=1e-3, metavar="RATE", help="the peak (default: %(default)s)"
    )
    training.add_argument("--rows-per-batch", type=positive, default=16, metavar="N", help="(default: %(default)s)")
    training.add_argument(
        "--batches-per-step", type=positive, default=1, metavar="N", help="gradient accumulation (default: %(default)s)"
    )
    training.add_argument("--optimizer", choices=list(optimizers()), default="adamw", help="(default: %(default)s)")
    training.add_argument(
        "--optimizer-settings", type=json_object, metavar="JSON", help="those that are not the default"
    )
    training.add_argument("--schedule", choices=list(schedules()), default="linear", help="(default: %(default)s)")
    training.add_argument(
        "--schedule-settings", type=json_object, metavar="JSON", help="those that are not the default"
    )
    training.add_argument(
        "--label-smoothing", type=number(float, 0, 1), default=0.0, metavar="PART", help="(default: %(default)s)"
    )
    training.add_argument("--seed", type=not_negative, default=0, metavar="N", help="(default: %(default)s)")
    training.add_argument(
        "--metric", choices=metric_names(), help="what the best epoch is chosen by (default: the loss)"
    )
    training.add_argument(
        "--patience",
        type=not_negative,
        default=0,
        metavar="N",
        help="epochs without a better one before it stops; 0: all (default: 0)",
    )
    training.add_argument(
        "--checkpoint", type=Path, metavar="FOLDER", help="saved each epoch, and gone on from when it is there"
    )
    training.add_argument(
        "--log", type=Path, metavar="FILE", help="of JSON lines, which each step and evaluation is added to"
    )
    training.add_argument("--quiet", action="store_true", help="no progress on standard error")


def run(arguments: argparse.Namespace, output: Output) -> None:
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
            stride=arguments.stride,
            mask_each=held_out,
            end_tokens=model.end_tokens[:1],
        )

    rows = dataset(train, None, False)
    held_out = None if validation is None else dataset(validation, rows.label_names or None, True)
    adapter = Adapter.create(model, arguments.method, arguments.config, arguments.seed)
    has_pooling = task.reads_rows and arguments.pooling != "model"
    pooling = arguments.pooling if has_pooling else None
    adapter.set_head(task.task, rows.label_names, pooling=pooling, crf=arguments.crf)
    output.line(f"{model}, {adapter.parameter_count:,} trained parameters, {len(train):,} rows to train on")
    started = time.monotonic()
    with Trainer(
        model,
        adapter,
        seed=arguments.seed,
        threads=arguments.threads,
        optimizer=arguments.optimizer,
        optimizer_settings=arguments.optimizer_settings,
        schedule=arguments.schedule,
        schedule_settings=arguments.schedule_settings,
        metric=arguments.metric,
        learning_rate=arguments.learning_rate,
        label_smoothing=arguments.label_smoothing,
        rows_per_batch=arguments.rows_per_batch,
        batches_per_step=arguments.batches_per_step,
        epoch_count=arguments.epochs,
        patience=arguments.patience,
        checkpoint_path=arguments.checkpoint,
        callbacks=[] if arguments.log is None else [JsonLog(arguments.log)],
        **task.training(tokenizer, train),
    ) as trainer:
        best = trainer.fit(rows, held_out, progress=not arguments.quiet)
        seconds = time.monotonic() - started
    adapted = Adapted(model, tokenizer, adapter, arguments.threads, arguments.maximum_length)
    tested = None if test is None else task.evaluate(adapted, test, asking_of(arguments))
    adapter.save(arguments.adapter)
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


def measures(evaluation: Evaluation | None) -> dict[str, Any] | None:
    """An evaluation as machines get it."""
    if evaluation is None:
        return None
    return {"row_count": evaluation.row_count, "token_count": evaluation.token_count, **evaluation.values}
