"""Training."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from ctypes import POINTER, byref, c_float, c_int64, c_void_p, cast
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from .adapter import Adapter
from .dataset import Batch, Dataset
from .errors import GraftError, Status, invalid
from .handle import Handle, exclusive
from .interrupts import Interrupts
from .library import ProgressCallback, initialised, lib
from .metrics import Evaluation, Metrics
from .model import Model
from .progress import make_progress
from .structs import MetricsStruct, TrainerOptions
from .values import as_list, choice, path_bytes, set_numbers

if TYPE_CHECKING:
    from typing_extensions import Unpack

CHOICES: dict[str, dict[str, int]] = {
    "optimizer": {"adamw": 0, "sgd": 1},
    "schedule": {"constant": 0, "linear": 1, "cosine": 2},
    "metric": {"loss": 0, "accuracy": 1, "macro_f1": 2},
}


class TrainingOptions(TypedDict, total=False):
    """Options of a :class:`Trainer`; what is left out has the library's default."""

    #: Shuffling and dropout. Default 0.
    seed: int
    #: Default 0: one per core. Results do not depend on it.
    threads: int
    #: Default "adamw".
    optimizer: Literal["adamw", "sgd"]
    #: Default "linear".
    schedule: Literal["constant", "linear", "cosine"]
    #: What early stopping watches and the best weights are chosen by. Default "loss".
    metric: Literal["loss", "accuracy", "macro_f1"]
    #: Peak, per step. Default 5e-4.
    learning_rate: float
    #: Decoupled with AdamW, L2 with SGD. Default 0.01.
    weight_decay: float
    #: Default 0.9.
    beta1: float
    #: Default 0.999.
    beta2: float
    #: Default 1e-8.
    epsilon: float
    #: For SGD. Default 0.9.
    momentum: float
    #: Clips above; 0 never clips. Default 1.
    maximum_gradient_norm: float
    #: 0 to 1. Default 0.
    label_smoothing: float
    #: One for each label. Default: all 1.
    class_weights: Sequence[float]
    #: Part of all steps, when warmup_steps is 0. Default 0.
    warmup_ratio: float
    #: Default 0.
    warmup_steps: int
    #: End of the schedule, and of fit() whatever epoch_count says. Default 0: set by fit(); steps before it use the
    #: peak rate.
    total_steps: int
    #: For fit(). Default 32.
    rows_per_batch: int
    #: Gradient accumulation. Default 1.
    batches_per_step: int
    #: For fit(). Default 3.
    epoch_count: int
    #: Evaluates every so many steps. Default 0: each epoch.
    evaluation_steps: int
    #: Evaluations without a better metric before it stops; needs rows to evaluate on. Default 0: never stops early.
    patience: int
    #: Where fit() saves, and resumes from when it is there. Default: nowhere.
    checkpoint_path: str | os.PathLike[str]
    #: Saves every so many steps. Default 0: each epoch.
    checkpoint_steps: int
    #: Whether rows of a batch have similar lengths. Default False.
    group_by_length: bool
    #: Tokens in one pass, which bounds memory. Default 0: chosen.
    pass_token_count: int


class CancelToken(Handle):
    """Stops the calls it was given to, from any thread."""

    _release_function = "graft_cancel_token_release"

    def __init__(self) -> None:
        out = c_void_p()
        lib.graft_cancel_token_create(byref(out))
        super().__init__(out)

    def cancel(self) -> None:
        """Asks those calls to end soon with :attr:`Status.CANCELLED`. It cannot be taken back."""
        lib.graft_cancel_token_cancel(self.pointer)


class Trainer(Handle):
    """Trains one adapter, which has a head and gets no other head or trainer until this one is released. Between the
    trainer's calls the adapter may be saved and used as ever. Threads that share a trainer take turns.

    >>> with graft.Trainer(model, adapter, learning_rate=1e-3, epoch_count=5) as trainer:
    ...     trainer.fit(train, evaluation=validation)
    ...     print(trainer.evaluate(test))
    >>> adapter.save("my-adapter")

    :param options: see :class:`TrainingOptions`.
    """

    _release_function = "graft_trainer_release"

    def __init__(self, model: Model, adapter: Adapter, **options: Unpack[TrainingOptions]) -> None:
        self._labels = adapter.labels
        self._token = CancelToken()
        struct = initialised(TrainerOptions, "graft_trainer_options_init")
        struct.cancel_token = self._token.pointer
        values: dict[str, Any] = dict(options)
        for name, value in values.items():
            if name == "threads":
                set_numbers(struct, thread_count=value)
            elif name == "class_weights":
                weights = as_list(value, name, "numbers")
                if len(weights) != len(self._labels):
                    raise invalid(f"class_weights: expected {len(self._labels)}, found {len(weights)}")
                struct.class_weights = cast((c_float * len(weights))(*weights), POINTER(c_float))
            elif name == "checkpoint_path":
                struct.checkpoint_path = path_bytes(value)
            elif name in CHOICES:
                set_numbers(struct, **{name: choice(value, CHOICES[name], name)})
            elif name in TrainingOptions.__annotations__:
                set_numbers(struct, **{name: value})
            else:
                raise TypeError(f"Trainer() has no option {name!r}")
        out = c_void_p()
        lib.graft_trainer_create(Model.pointer_of(model), Adapter.pointer_of(adapter), byref(struct), byref(out))
        super().__init__(out)

    @exclusive
    def step(self, batch: Batch) -> Metrics:
        """Forward, loss, backward on a labelled batch; an update of the adapter every ``batches_per_step`` calls.

        The status of an error is INCOMPATIBLE where labels are missing or not the head's, tokens not the model's or
        rows too long for it, or DIVERGED where the loss or its gradient is not a number: the adapter is as before.
        """
        struct = initialised(MetricsStruct, "graft_metrics_init")
        lib.graft_trainer_step(self.pointer, Batch.pointer_of(batch), byref(struct))
        return Metrics.read(struct)

    @exclusive
    def fit(
        self,
        train: Dataset,
        evaluation: Dataset | None = None,
        *,
        progress: bool = True,
        callback: Callable[[Metrics], bool | None] | None = None,
    ) -> Metrics:
        """Whole training: epochs of shuffled batches.

        With an evaluation set, the adapter ends with the weights of the best evaluation, which is returned; else the
        last step's metrics are. Ctrl-C stops after the step under way, a second one at once; then KeyboardInterrupt is
        raised and the adapter has the weights of the latest step. With ``checkpoint_path``, a run that was stopped
        goes on where it was, and ends with the same bits. Errors are as of :meth:`step`, and IO.

        :param progress: shows a bar on standard error.
        :param callback: called after each step and evaluation; True stops the training with
            :attr:`Status.CANCELLED`. It cannot use the trainer or the adapter: save the adapter when this call
            has returned.
        """
        first = self._checked(train)
        second = None if evaluation is None else self._checked(evaluation)
        bar = make_progress() if progress else None
        raised: list[BaseException] = []

        def report(_user_data: Any, metrics: Any) -> int:
            try:
                now = Metrics.read(metrics.contents)
                if bar is not None:
                    bar.show(now)
                wants_stop = callback is not None and bool(callback(now))
                return 1 if wants_stop or interrupts.count else 0
            except BaseException as error:  # C cannot pass it on: raised below instead
                raised.append(error)
                return 1

        def on_interrupt(count: int) -> None:
            if count > 1:
                self._token.cancel()

        struct = initialised(MetricsStruct, "graft_metrics_init")
        interrupts = Interrupts(on_interrupt)
        try:
            with interrupts:
                lib.graft_trainer_fit(
                    self.pointer, first, second, ProgressCallback(report), None, byref(struct)
                )
        except GraftError as error:
            if raised and error.status == Status.CANCELLED:
                raise raised[0] from None
            raise
        finally:
            if bar is not None:
                bar.close()
        return Metrics.read(struct)

    @exclusive
    def evaluate(self, dataset: Dataset) -> Evaluation:
        """Measures the adapter; changes nothing. Ctrl-C stops it at once, and then the trainer can only be saved or
        released."""
        pointer = self._checked(dataset)
        count = len(self._labels)
        confusion = (c_int64 * (count * count))()
        struct = initialised(MetricsStruct, "graft_metrics_init")
        with Interrupts(lambda _: self._token.cancel()):
            lib.graft_trainer_evaluate(self.pointer, pointer, byref(struct), confusion, len(confusion))
        return Evaluation(
            loss=struct.loss,
            accuracy=struct.accuracy,
            macro_f1=struct.macro_f1,
            row_count=struct.row_count,
            labels=list(self._labels),
            confusion=[confusion[row * count : (row + 1) * count] for row in range(count)],
        )

    @exclusive
    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a checkpoint, from which a trainer of the same kind can :meth:`resume`."""
        lib.graft_trainer_save(self.pointer, path_bytes(path))

    @exclusive
    def resume(self, path: str | os.PathLike[str]) -> None:
        """Restores a checkpoint: the next steps equal those of an uninterrupted run, bit for bit. An error of status
        INCOMPATIBLE names what differs: options, adapter, base weights or their precision."""
        lib.graft_trainer_resume(self.pointer, path_bytes(path))

    def _checked(self, dataset: Dataset) -> c_void_p:
        """Numbers that stand for other names than the adapter's would train it on the wrong labels."""
        pointer = Dataset.pointer_of(dataset)
        if dataset.label_names and dataset.label_names != self._labels:
            raise GraftError(
                Status.INCOMPATIBLE,
                f"labels: the adapter has {', '.join(self._labels)}; the dataset has "
                f"{', '.join(dataset.label_names)}: pass label_names=adapter.labels",
            )
        return pointer
