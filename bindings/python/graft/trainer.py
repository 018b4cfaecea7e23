"""Training."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from ctypes import POINTER, byref, c_double, c_float, c_void_p, cast
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, SupportsIndex

from .adapter import Adapter
from .batch import Batch
from .callbacks import Listeners, as_callbacks
from .choices import set_choice
from .dataset import Dataset
from .declarations import MetricsStruct, ProgressCallback, TrainerOptions
from .errors import GraftError, Status, invalid, rows_named
from .handle import Handle, exclusive
from .interrupts import Interrupts
from .library import initialised, lib
from .metrics import Comparison, Evaluation, Metrics
from .model import Model
from .progress import Progress, make_progress
from .recipe import recipe_of
from .values import as_list, c_number, name_bytes, path_bytes, set_numbers, settings_json

if TYPE_CHECKING:
    from .data.table import Table
    from .tokenizer import Tokenizer

#: What makes the loss, of a trainer's arguments; :meth:`Trainer.evaluate` heeds it, too.
LOSS_SETTINGS = ("loss", "loss_settings", "masking", "label_smoothing", "class_weights")
#: What is there as a trainer is made and is no setting of the training.
NO_SETTINGS = ("self", "__class__", "model", "adapter", "callbacks")


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


class Publication(NamedTuple):
    """What :meth:`Trainer.save_if_better` did, and why."""

    saved: bool
    #: In words, with the measure of both.
    reason: str
    #: Of the adapter that was trained.
    new: Evaluation
    #: Of the one that was there; None where there was none.
    old: Evaluation | None = None
    comparison: Comparison | None = None


class Trainer(Handle):
    """Trains one adapter, which has a head and gets no other head or trainer until this one is
    released. Between the trainer's calls the adapter may be saved and used as ever. Threads that
    share a trainer take turns.

    >>> with graft.Trainer(model, adapter, learning_rate=1e-3, epoch_count=5) as trainer:
    ...     trainer.fit(train, evaluation=validation)
    ...     print(trainer.evaluate(test))
    >>> adapter.save("my-adapter")

    :param seed: of shuffling, dropout and masking.
    :param threads: 0: one per core. Results do not depend on it.
    :param optimizer: one of :func:`optimizers`, as torch's of that name.
    :param optimizer_settings: those of :func:`optimizers` that are not to have their defaults, such
        as ``{"momentum": 0.8}``. ``"weight_decay"`` is decoupled from the gradient, ``"l2"`` is in
        it. ``"head_lr_ratio"`` is the learning rate of the adapter's head over that of all others,
        ``"loraplus_lr_ratio"`` that of ``lora_B`` and of vectors (LoRA+).
    :param schedule: of the learning rate after the warm-up: one of :func:`schedules`, as
        transformers' of that name.
    :param schedule_settings: those of :func:`schedules`, such as ``{"warmup_steps": 100}``.
    :param step_plan: what a step does with its rows: one of :func:`step_plans`.
    :param step_plan_settings: those of :func:`step_plans`.
    :param loss: of ``"sentence_embedding"``, of ``"regression"`` of one value where it ranks, or
        of a language model where it learns preferences (``"dpo"``): one of :func:`losses`; None:
        the task's own.
    :param loss_settings: those of :func:`losses`.
    :param masking: of ``"masked_language_model"``: how words of each batch are masked at random, as
        ``{"mask_token": tokenizer.mask_token}``, with any of ``"mlm_probability"``,
        ``"mask_replace_prob"``, ``"random_replace_prob"`` and ``"whole_word_mask"`` as
        transformers' ``DataCollatorForLanguageModeling`` has them; None: rows are masked already.
    :param metric: what early stopping watches and the best weights are chosen by: a measure that an
        :class:`Evaluation` of the task has, such as ``"accuracy"``; None: the loss.
    :param learning_rate: the peak, at the warm-up's end.
    :param weight_decay: the optimizer's setting of that name; None: its default.
    :param warmup_ratio: the schedule's: the part of all steps in which the rate rises to its peak;
        None: its default.
    :param maximum_gradient_norm: clips above; 0 never clips.
    :param label_smoothing: 0 to 1.
    :param class_weights: one for each label; None: all 1.
    :param total_steps: end of the schedule, and of :meth:`fit` whatever ``epoch_count`` says; 0:
        set by :meth:`fit`, and steps before it use the peak rate.
    :param rows_per_batch: of :meth:`fit`. Groups of rows stay together: as many as fit, at least
        one.
    :param batches_per_step: gradient accumulation: an update is by the mean over all that counts in
        so many batches together.
    :param epoch_count: of :meth:`fit`.
    :param evaluation_steps: evaluates every so many steps; 0: each epoch.
    :param patience: evaluations without a better metric before it stops, which needs rows to
        evaluate on; 0: never stops early.
    :param checkpoint_path: where :meth:`fit` saves, and resumes from when it is there; None:
        nowhere.
    :param checkpoint_steps: saves every so many steps; 0: each epoch.
    :param group_by_length: whether rows of a batch have similar lengths.
    :param recompute_layers: whether layers run once more backward instead of keeping what that
        needs (gradient checkpointing): the same bits, in less memory and more time.
    :param pass_token_count: tokens in one pass, which bounds memory; 0: chosen.
    :param callbacks: objects that are told how the training goes, with some of the methods of
        :class:`Callback`.
    """

    _release_function = "graft_trainer_release"

    def __init__(
        self,
        model: Model,
        adapter: Adapter,
        *,
        seed: SupportsIndex = 0,
        threads: SupportsIndex = 0,
        optimizer: str = "adamw",
        optimizer_settings: Mapping[str, Any] | None = None,
        schedule: str = "linear",
        schedule_settings: Mapping[str, Any] | None = None,
        step_plan: str = "plain",
        step_plan_settings: Mapping[str, Any] | None = None,
        loss: str | None = None,
        loss_settings: Mapping[str, Any] | None = None,
        masking: Mapping[str, Any] | None = None,
        metric: str | None = None,
        learning_rate: float = 1e-3,
        weight_decay: float | None = None,
        warmup_ratio: float | None = None,
        maximum_gradient_norm: float = 1.0,
        label_smoothing: float = 0.0,
        class_weights: Iterable[float] | None = None,
        total_steps: SupportsIndex = 0,
        rows_per_batch: SupportsIndex = 16,
        batches_per_step: SupportsIndex = 1,
        epoch_count: SupportsIndex = 6,
        evaluation_steps: SupportsIndex = 0,
        patience: SupportsIndex = 0,
        checkpoint_path: str | os.PathLike[str] | None = None,
        checkpoint_steps: SupportsIndex = 0,
        group_by_length: bool = False,
        recompute_layers: bool = False,
        pass_token_count: SupportsIndex = 0,
        callbacks: Iterable[object] = (),
    ) -> None:
        self._settings = {name: value for name, value in locals().items() if name not in NO_SETTINGS}
        self._data: dict[str, Any] = {}
        self._callbacks = as_callbacks(callbacks)
        self._checkpoint_path = None if checkpoint_path is None else os.fsdecode(checkpoint_path)
        self._labels = adapter.labels
        self._model, self._adapter = model, adapter
        self._token = CancelToken()
        struct = initialised(TrainerOptions, "graft_trainer_options_init")
        struct.cancel_token = self._token.pointer
        set_choice(struct, "optimizer", optimizer, optimizer_settings, weight_decay=weight_decay)
        set_choice(struct, "schedule", schedule, schedule_settings, warmup_ratio=warmup_ratio)
        set_choice(struct, "step_plan", step_plan, step_plan_settings)
        if loss is not None or loss_settings:
            set_choice(struct, "loss", loss, loss_settings)
        if masking is not None:
            struct.masking = settings_json(**masking)
        set_numbers(
            struct,
            seed=seed,
            pass_token_count=pass_token_count,
            thread_count=threads,
            learning_rate=learning_rate,
            maximum_gradient_norm=maximum_gradient_norm,
            label_smoothing=label_smoothing,
            total_steps=total_steps,
            rows_per_batch=rows_per_batch,
            batches_per_step=batches_per_step,
            epoch_count=epoch_count,
            evaluation_steps=evaluation_steps,
            patience=patience,
            checkpoint_steps=checkpoint_steps,
            group_by_length=group_by_length,
            recompute_layers=recompute_layers,
        )
        if class_weights is not None:
            weights = as_list(class_weights, "class_weights", "numbers")
            if len(weights) != len(self._labels):
                raise invalid(f"class_weights: expected {len(self._labels)}, found {len(weights)}")
            weights = [c_number(c_double, weight, f"class_weights[{row}]") for row, weight in enumerate(weights)]
            self._settings["class_weights"] = weights
            struct.class_weights = cast((c_float * len(weights))(*weights), POINTER(c_float))
        if metric is not None:
            struct.metric = name_bytes(metric, "metric")
        if checkpoint_path is not None:
            self._settings["checkpoint_path"] = self._checkpoint_path
            struct.checkpoint_path = path_bytes(checkpoint_path)
        out = c_void_p()
        lib.graft_trainer_create(Model.pointer_of(model), Adapter.pointer_of(adapter), byref(struct), byref(out))
        super().__init__(out)

    @exclusive
    def step(self, batch: Batch) -> Metrics:
        """Forward, loss, backward on a labelled batch; an update of the adapter every
        ``batches_per_step`` calls, by the mean over all that counts in them together. The loss is
        that of the step so far, NaN where nothing counts.

        The status of an error is INCOMPATIBLE where labels are missing or not the head's, tokens
        not the model's or rows too long for it, or DIVERGED where the loss or its gradient is not a
        number: the adapter is as before.
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

        Both sets are checked before the first step, and what is wrong is named by its row. Rows
        that count for nothing, since none of their tokens has a label or their class has weight 0,
        are left out; a set in which nothing counts is an error. The adapter remembers where the
        rows were cut: ``adapter.maximum_length``.

        With an evaluation set, the adapter ends with the weights of the best evaluation, which is
        returned; else the last step's metrics are. Ctrl-C stops after the step under way, a second
        one at once; then KeyboardInterrupt is raised and the adapter has the weights of the latest
        step. With ``checkpoint_path``, a run that was stopped goes on where it was, and ends with
        the same bits. Errors are as of :meth:`step`, and IO.

        :param progress: shows a bar on standard error.
        :param callback: called after each step and evaluation; it cannot use the trainer. Where it
            returns True, the training ends there: the adapter keeps the weights of the latest step,
            whose metrics are returned. An exception ends it, too, and is raised.
        """
        first = self._checked(train)
        second = None if evaluation is None else self._checked(evaluation)
        held_out = train if evaluation is None else evaluation
        self._data = {"train_rows": len(train), "train_tokens": train.token_count}
        if evaluation is not None:
            self._data |= {"evaluation_rows": len(evaluation), "evaluation_tokens": evaluation.token_count}
        listeners = Listeners(self._callbacks, callback, self._checkpoint_path)
        ended_with: Metrics | None = None
        listeners.begin(self)
        try:
            with rows_named(train.place, "the training set: "), rows_named(held_out.place, "the evaluation set: "):
                ended_with = self._fit(first, second, make_progress() if progress else None, listeners)
            return ended_with
        finally:
            listeners.end(ended_with)

    def _fit(self, train: c_void_p, evaluation: c_void_p | None, bar: Progress | None, listeners: Listeners) -> Metrics:
        raised: list[BaseException] = []
        stopped_at: list[Metrics] = []

        def report(_user_data: Any, metrics: Any) -> int:
            try:
                now = self._metrics(metrics.contents)
                if bar is not None:
                    bar.show(now)
                if listeners.tell(now):
                    stopped_at.append(now)
                return 1 if stopped_at or interrupts.count else 0
            except BaseException as error:  # C cannot pass it on: raised below instead
                raised.append(error)
                return 1

        def on_interrupt(count: int) -> None:
            if count > 1:
                self._token.cancel()

        struct = initialised(MetricsStruct, "graft_metrics_init")
        best = c_void_p()
        interrupts = Interrupts(on_interrupt)
        try:
            with interrupts:
                lib.graft_trainer_fit(
                    self.pointer, train, evaluation, ProgressCallback(report), None, byref(struct), byref(best)
                )
        except GraftError as error:
            if error.status != Status.CANCELLED:
                raise
            if raised:
                raise raised[0] from None
            if not stopped_at:
                raise
            return stopped_at[0]
        finally:
            if bar is not None:
                bar.close()
        try:
            return self._metrics(struct, best)
        finally:
            lib.graft_evaluation_release(best)

    @exclusive
    def evaluate(self, dataset: Dataset, *, confusion: bool | None = None) -> Evaluation:
        """Measures the adapter; changes nothing. Ctrl-C stops it at once, and then the trainer can
        only be saved or released.

        :param confusion: whether to count each pair of true and predicted label, which takes memory
            for the labels squared; None: for up to 1,000 labels.
        """
        pointer = self._checked(dataset)
        out = c_void_p()
        with Interrupts(lambda _: self._token.cancel()), rows_named(dataset.place):
            lib.graft_trainer_evaluate(self.pointer, pointer, byref(out))
        try:
            return self._evaluation(out, confusion)
        finally:
            lib.graft_evaluation_release(out)

    def save_if_better(
        self,
        path: str | os.PathLike[str],
        dataset: Dataset | Table | Callable[[Adapter], Evaluation],
        measure: str,
        *,
        tokenizer: Tokenizer | None = None,
        asked: Mapping[str, Any] = MappingProxyType({}),
        level: float = 0.05,
        test: Literal["permutation", "bootstrap", "mcnemar"] = "permutation",
        resamples: int = 9999,
        seed: int = 0,
    ) -> Publication:
        """Saves the adapter at ``path`` only if it is better than the adapter that is there: both
        are evaluated on ``dataset``, which neither has learnt from, and compared by
        :meth:`Evaluation.compare`. It is written whole or not at all. Where no adapter is there,
        it is saved.

        An error of status INCOMPATIBLE names what differs where both cannot be compared: base
        model, labels or task.

        :param dataset: or a table, of which :meth:`Predictions.of` makes what is measured, such as
            the texts that a language model writes. Or what measures an adapter, which is given a
            copy of the one that is trained.
        :param measure: what is compared: one of the measures of the task, but not the loss.
        :param tokenizer: of a table.
        :param asked: of a table, arguments of :meth:`Predictions.of`, such as
            ``{"generation": {"maximum_tokens": 64}}``.
        :param level: the ``p_value`` from which on a difference may be chance.
        """
        if not callable(dataset) and not isinstance(dataset, Dataset):
            dataset = self._measuring(dataset, tokenizer, asked)
        if callable(dataset):
            # What measures it may need a trainer of its own.
            with Adapter.from_files(self._model, self._adapter.to_files()) as copy:
                new = dataset(copy)
        else:
            new = self.evaluate(dataset)
        if measure not in new.values or measure == "loss":
            known = ", ".join(name for name in new.values if name != "loss")
            raise invalid(f"measure: expected one of {known}; found {measure!r}")
        # Whatever cannot be compared is told before anything is saved.
        new.compare(new, measure, test=test, resamples=1, seed=seed)
        if not os.path.exists(os.path.join(path, "adapter_config.json")):
            self._adapter.save(path)
            return Publication(True, "nothing was there", new)
        with Adapter.load(self._model, path) as published:
            if published.labels != self._labels or published.task != self._adapter.task:
                raise GraftError(
                    Status.INCOMPATIBLE,
                    f"{os.fspath(path)}: it is for {published.task} with {', '.join(published.labels)}; the adapter is for "
                    f"{self._adapter.task} with {', '.join(self._labels)}",
                )
            if callable(dataset):
                old = dataset(published)
            else:
                alike = {name: self._settings[name] for name in ("seed", "threads", "pass_token_count", *LOSS_SETTINGS)}
                with Trainer(self._model, published, **alike) as trainer:
                    old = trainer.evaluate(dataset)
        found = new.compare(old, measure, test=test, resamples=resamples, seed=seed)
        values = f"{measure} {new.values[measure]:.4f}, before {old.values[measure]:.4f}"
        if not found.gain > 0:
            return Publication(False, f"{values}: no better", new, old, found)
        if not found.p_value < level:
            return Publication(
                False, f"{values}: may be chance, p {found.p_value:.4f} is not below {level:g}", new, old, found
            )
        self._adapter.save(path)
        return Publication(True, f"{values}: better, p {found.p_value:.4f}", new, old, found)

    def _measuring(
        self, table: Table, tokenizer: Tokenizer | None, asked: Mapping[str, Any]
    ) -> Callable[[Adapter], Evaluation]:
        """What an adapter makes of a table."""
        from .data.table import Table  # here, since both need this module
        from .reports.predictions import Predictions

        if not isinstance(table, Table):
            raise TypeError(f"dataset: expected a Dataset, a Table or what measures an adapter, found {type(table).__name__}")
        if tokenizer is None:
            raise invalid("tokenizer: expected that of the model, which a table needs")
        given = {"threads": self._settings["threads"], **asked}
        return lambda adapter: Predictions.of(self._model, tokenizer, adapter, table, **given).evaluation

    def _evaluation(self, pointer: c_void_p, confusion: bool | None = None) -> Evaluation:
        return Evaluation.read(pointer, self._labels, confusion)

    def _metrics(self, struct: MetricsStruct, best: c_void_p | None = None) -> Metrics:
        pointer = best or c_void_p(struct.evaluation)
        return Metrics.read(struct, self._evaluation(pointer) if pointer else None)

    @exclusive
    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a checkpoint, from which a trainer of the same kind can :meth:`resume`."""
        lib.graft_trainer_save(self.pointer, path_bytes(path))
        Listeners(self._callbacks, None, None).saved(os.fsdecode(path))

    @exclusive
    def resume(self, path: str | os.PathLike[str]) -> None:
        """Restores a checkpoint: the next steps equal those of an uninterrupted run, bit for bit.
        An error of status INCOMPATIBLE names what differs: options, adapter, base weights or their
        precision."""
        lib.graft_trainer_resume(self.pointer, path_bytes(path))

    @property
    def adapter(self) -> Adapter:
        """The adapter that it trains."""
        return self._adapter

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the training is made of, which JSON takes: ``"training"`` has every option with
        its value, ``"data"`` how much :meth:`fit` was given last, then ``"adapter"``, ``"model"``
        and ``"versions"``."""
        return recipe_of(self._model, self._adapter, self._data, self._settings)

    @property
    def memory(self) -> int:
        """Bytes of memory that its working memory takes, its gradients, what the optimizer keeps
        and the best weights."""
        return int(lib.graft_trainer_memory(self.pointer))

    def _checked(self, dataset: Dataset) -> c_void_p:
        """Numbers that stand for other names than the adapter's would train it on the wrong
        labels."""
        pointer = Dataset.pointer_of(dataset)
        if dataset.label_names and dataset.label_names != self._labels:
            raise GraftError(
                Status.INCOMPATIBLE,
                f"labels: the adapter has {', '.join(self._labels)}; the dataset has "
                f"{', '.join(dataset.label_names)}: pass label_names=adapter.labels",
            )
        return pointer
