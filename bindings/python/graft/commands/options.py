"""The options of the commands: each is declared here, once, with the commands that have it. What
names the files that one command alone reads or writes is declared there."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

from ..adapter import adapter_methods
from ..answers import MAXIMUM_TOKENS
from ..batch import STRIDE
from ..choices import losses, optimizers, schedules, step_plans
from ..data.formats import formats
from ..declarations import PRECISION_CHOICES
from ..generated.measures import TOKENIZERS
from ..metrics import metric_names
from ..table_tasks.label_sets import SEPARATOR
from ..table_tasks.listed import task_names
from .arguments import (
    class_weights,
    columns_object,
    encoding_names,
    json_object,
    not_negative,
    number,
    positive,
    probabilities,
    probability,
)

#: Commands that have an option.
ALL = ("train", "evaluate", "predict", "embed", "report")
TRAIN = ("train",)
LABELLED = ("train", "evaluate", "report")
MEASURED = ("train", "evaluate")
ADAPTED = ("train", "evaluate", "predict", "report")


class Option(NamedTuple):
    """One of them."""

    flag: str
    commands: tuple[str, ...]
    #: Without the default, which is added.
    help: str
    default: Any = None
    #: The default in words, where there is more to say than its value.
    otherwise: str = ""
    type: Any = None
    choices: Any = None
    metavar: str | None = None
    action: Any = None

    @property
    def name(self) -> str:
        """What the arguments of a command call it."""
        return self.flag.lstrip("-").replace("-", "_")

    def add(self, parser: argparse._ActionsContainer) -> None:
        """Declares it of a command."""
        settings = {"type": self.type, "choices": self.choices, "metavar": self.metavar, "action": self.action}
        given = {key: value for key, value in settings.items() if value is not None}
        usual = self.otherwise or self.default
        parser.add_argument(self.flag, default=self.default, help=f"{self.help} (default: {usual})", **given)


FOUND_OUT = "found out"
#: Of an option without a value.
SWITCHED_ON: Any = {"default": False, "otherwise": "no", "action": "store_true"}
#: Of the settings of what another option chooses.
NOT_DEFAULT: Any = {"help": "those that are not the default", "otherwise": "none", "type": json_object, "metavar": "JSON"}

#: How the base model is held.
HELD = (
    Option("--precision", ALL, "of the weights", "float32", choices=list(PRECISION_CHOICES)),
    Option("--threads", ALL, "0: one per core; results do not depend on it", 0, type=not_negative, metavar="N"),
)

#: How files are read, as graft.Table.read says.
READING = (
    Option("--format", ALL, "of files", otherwise="as their names end", choices=formats()),
    Option(
        "--columns",
        ALL,
        'which column is what, as \'{"text": "v2", "label": "v1"}\' or by numbers from 0',
        otherwise=FOUND_OUT,
        type=columns_object,
        metavar="JSON",
    ),
    Option(
        "--header",
        ALL,
        "whether the first line of csv and tsv names the columns",
        otherwise=FOUND_OUT,
        action=argparse.BooleanOptionalAction,
    ),
    Option(
        "--delimiter",
        ALL,
        "between the columns of csv, tsv and conll, as ';' or '\\t'",
        otherwise=FOUND_OUT,
        type=lambda text: "\t" if text == "\\t" else text,
        metavar="CHARACTER",
    ),
    Option(
        "--quoted",
        ALL,
        "whether quotes hold delimiters and line ends, in csv and tsv",
        otherwise="but in tables with tabs",
        action=argparse.BooleanOptionalAction,
    ),
    Option(
        "--ragged", ALL, "takes rows of csv and tsv with more columns than the first, without those", **SWITCHED_ON
    ),
    Option(
        "--pattern",
        ALL,
        "of lines and conll: an expression whose named groups are a line's columns, as '(?P<label>\\w+):(?P<text>.*)'",
        otherwise="none",
        metavar="EXPRESSION",
    ),
    Option(
        "--encoding",
        ALL,
        "of files without a mark; of several, as utf-8,latin-1, each line is read in the first that fits",
        "utf-8",
        type=encoding_names,
        metavar="NAMES",
    ),
    Option(
        "--bad-rows",
        ALL,
        "what rows that are wrong are: skip warns, and leaves them out",
        "error",
        choices=["error", "skip"],
    ),
)

#: What files are for, and how their rows become tokens.
ROWS = (
    Option(
        "--task",
        LABELLED,
        f"what a file is for; labels with {SEPARATOR!r} between them and numbers may be in a column without a name",
        otherwise="the adapter's, or what the columns say",
        choices=task_names(),
    ),
    Option(
        "--maximum-length",
        ALL,
        "tokens of a text; longer ones are cut",
        0,
        "where those were cut that an adapter was trained on, else the tokenizer's",
        type=not_negative,
        metavar="N",
    ),
    Option(
        "--stride",
        ADAPTED,
        "tokens that a window of a text with tags, or of a question's context, shares with the one before it",
        STRIDE,
        type=not_negative,
        metavar="N",
    ),
    Option("--all-pieces", LABELLED, "every token of a word has its tag, rather than the first alone", **SWITCHED_ON),
    Option("--scheme", TRAIN, "the tags of entities that are places in texts", "IOB2", choices=["IOB2", "IOBES"]),
)

#: How answers, and texts that are written, are found and measured.
MEASURING = (
    Option(
        "--maximum-answer-tokens", ADAPTED, "of an answer to a question", MAXIMUM_TOKENS, type=positive, metavar="N"
    ),
    Option(
        "--no-answer-threshold",
        ("train", "evaluate", "predict"),
        "of no_answer_score, above which a question has no answer",
        otherwise="every one has",
        type=number(float, float("-inf")),
        metavar="SCORE",
    ),
    Option(
        "--script",
        LABELLED,
        "whose exact match and F1 of answers; cmrc for Chinese",
        "squad",
        choices=["squad", "cmrc"],
    ),
    Option(
        "--tokenize",
        LABELLED,
        "what BLEU and ROUGE count, by sacrebleu's names; zh for Chinese",
        "13a",
        choices=list(TOKENIZERS),
    ),
    Option("--maximum-tokens", ADAPTED, "of a text that is written", 128, type=positive, metavar="N"),
    Option("--beams", ADAPTED, "texts that are followed at a time", 1, type=positive, metavar="N"),
    Option(
        "--threshold",
        ADAPTED,
        "probability from which on a text has a label, where it may have several; or one of each",
        0.5,
        type=probabilities,
        metavar="P,…",
    ),
)

#: The loss, which an evaluation measures as well.
LOSS = (
    Option(
        "--loss",
        LABELLED,
        "of vectors of sentences and of rankings",
        otherwise="cosent for judged pairs, in_batch_negatives for others, list_net for rankings, dpo for preferences",
        choices=[name for name in losses() if name != "dpo"],
    ),
    Option("--loss-settings", LABELLED, **NOT_DEFAULT),
)

#: What is trained.
ADAPTER = (
    Option("--method", TRAIN, "of the adapter", "lora", choices=adapter_methods()),
    Option(
        "--config",
        TRAIN,
        "the method's settings, such as '{\"r\": 16}', or @FILE",
        otherwise="the method's own",
        type=json_object,
        metavar="JSON",
    ),
    Option(
        "--start",
        TRAIN,
        "folder of an adapter that goes on, with its own method and settings, and with its head where task and labels "
        "are the same",
        otherwise="a fresh one",
        type=Path,
        metavar="FOLDER",
    ),
    Option(
        "--pooling",
        TRAIN,
        "what the head reads of a text, for all but tokens; model: what PEFT's heads read, so that the adapter opens "
        "there",
        "mean",
        choices=["mean", "first", "last", "model"],
    ),
    Option(
        "--dense-layer",
        TRAIN,
        "trains the dense layer before the head's last one as well",
        **SWITCHED_ON,
    ),
    Option(
        "--dropout",
        TRAIN,
        "before the head's last layer",
        otherwise="as the model's config.json says",
        type=number(float, 0, 1),
        metavar="PART",
    ),
    Option(
        "--crf",
        TRAIN,
        "labels of words are likely together, by which follows which, and not each by itself",
        **SWITCHED_ON,
    ),
)

#: How it is trained, as graft.Trainer says.
TRAINING = (
    Option("--epochs", TRAIN, "how often all rows are learned from", 6, type=positive, metavar="N"),
    Option(
        "--total-steps",
        TRAIN,
        "ends after so many steps, whatever --epochs says",
        0,
        "those of all epochs",
        type=not_negative,
        metavar="N",
    ),
    Option("--learning-rate", TRAIN, "the peak", 1e-3, type=number(float, 0), metavar="RATE"),
    Option(
        "--warmup-ratio",
        TRAIN,
        "part of all steps in which the rate rises to its peak",
        otherwise="the schedule's",
        type=probability,
        metavar="PART",
    ),
    Option(
        "--weight-decay",
        TRAIN,
        "of the optimizer",
        otherwise="the optimizer's",
        type=number(float, 0),
        metavar="RATE",
    ),
    Option("--rows-per-batch", TRAIN, "of a batch", 16, type=positive, metavar="N"),
    Option("--batches-per-step", TRAIN, "gradient accumulation", 1, type=positive, metavar="N"),
    Option("--optimizer", TRAIN, "what updates the weights", "adamw", choices=list(optimizers())),
    Option("--optimizer-settings", TRAIN, **NOT_DEFAULT),
    Option("--schedule", TRAIN, "of the learning rate", "linear", choices=list(schedules())),
    Option("--schedule-settings", TRAIN, **NOT_DEFAULT),
    Option(
        "--step-plan",
        TRAIN,
        "what a step does with its rows; fgm: an adversarial step",
        "plain",
        choices=list(step_plans()),
    ),
    Option("--step-plan-settings", TRAIN, **NOT_DEFAULT),
    Option(
        "--maximum-gradient-norm",
        TRAIN,
        "gradients are clipped above; 0: never",
        1.0,
        type=number(float, 0),
        metavar="NORM",
    ),
    Option(
        "--label-smoothing",
        TRAIN,
        "part of a label's weight that all share",
        0.0,
        type=probability,
        metavar="PART",
    ),
    Option(
        "--class-weights",
        TRAIN,
        "what rows of each label count: balanced, or '{\"spam\": 2}', where others count 1, or @FILE",
        otherwise="all 1",
        type=class_weights,
        metavar="WEIGHTS",
    ),
    Option(
        "--masking",
        TRAIN,
        "how words are masked, such as '{\"mlm_probability\": 0.3}'",
        otherwise="whole words, 15 %% of them",
        type=json_object,
        metavar="JSON",
    ),
    Option("--seed", TRAIN, "of all that is drawn", 0, type=not_negative, metavar="N"),
    Option("--metric", TRAIN, "what the best weights are chosen by", otherwise="the loss", choices=metric_names()),
    Option(
        "--patience",
        TRAIN,
        "measurements without a better one before it stops; 0: never",
        0,
        type=not_negative,
        metavar="N",
    ),
    Option(
        "--evaluation-steps",
        TRAIN,
        "the validation file is measured every so many steps",
        0,
        "each epoch",
        type=not_negative,
        metavar="N",
    ),
    Option(
        "--checkpoint-steps",
        TRAIN,
        "a checkpoint is saved every so many steps",
        0,
        "each epoch",
        type=not_negative,
        metavar="N",
    ),
    Option("--group-by-length", TRAIN, "rows of a batch have similar lengths", **SWITCHED_ON),
    Option(
        "--recompute-layers",
        TRAIN,
        "layers run again rather than keep what they found: less memory, more time",
        **SWITCHED_ON,
    ),
    Option(
        "--pass-token-count",
        TRAIN,
        "tokens in one pass, which bound memory",
        0,
        "chosen",
        type=not_negative,
        metavar="N",
    ),
)

#: By the headings that help has.
GROUPS = {
    "model": HELD,
    "files": READING,
    "rows": ROWS,
    "measures": MEASURING + LOSS,
    "adapter": ADAPTER,
    "training": TRAINING,
}


def add_options(parser: argparse.ArgumentParser, command: str) -> None:
    """The options that a command has."""
    for title, options in GROUPS.items():
        own = [option for option in options if command in option.commands]
        if own:
            group = parser.add_argument_group(title)
            for option in own:
                option.add(group)
