"""Datasets and training."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy
import pytest
from conftest import LABELS, TEXTS
from test_generation import STORIES

import graft
from graft import progress


def weights(adapter: graft.Adapter, folder: Path) -> bytes:
    adapter.save(folder)
    return (folder / "adapter_model.safetensors").read_bytes()


def test_training_learns_and_leaves_the_model_alone(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset
) -> None:
    checksum = model.checksum
    seen: list[graft.Metrics] = []
    with graft.Trainer(model, adapter, learning_rate=5e-3, epoch_count=20, rows_per_batch=6, warmup_ratio=0) as trainer:
        before = trainer.evaluate(dataset)
        trainer.fit(dataset, progress=False, callback=lambda metrics: seen.append(metrics))
        after = trainer.evaluate(dataset)
    assert after.loss < 0.5 * before.loss and after.accuracy == 1.0
    assert after.confusion == [[2, 0, 0], [0, 2, 0], [0, 0, 2]]
    assert [metrics.step for metrics in seen] == list(range(1, 21))
    assert all(metrics.total_steps == 20 and metrics.tokens_per_second > 0 for metrics in seen)
    assert max(metrics.learning_rate for metrics in seen) > seen[-1].learning_rate >= 0
    assert model.checksum == checksum


def test_an_adapter_is_saved_and_used_while_its_trainer_lives(
    model: graft.Model, tokenizer: graft.Tokenizer, adapter: graft.Adapter, dataset: graft.Dataset, tmp_path: Path
) -> None:
    trainer = graft.Trainer(model, adapter, learning_rate=5e-3, epoch_count=2)
    trainer.fit(dataset, progress=False)
    adapter.save(tmp_path / "runs" / "first")
    used = graft.Session(model, tokenizer, adapter).classify(TEXTS)
    saved = graft.Adapter.load(model, tmp_path / "runs" / "first")
    assert [list(row) for row in graft.Session(model, tokenizer, saved).classify(TEXTS)] == [list(row) for row in used]

    def save(_metrics: graft.Metrics) -> None:
        adapter.save(tmp_path / "amid")

    with pytest.raises(graft.GraftError, match="being trained by another call"):
        trainer.fit(dataset, progress=False, callback=save)
    assert not (tmp_path / "amid").exists()
    with pytest.raises(graft.GraftError, match="has a trainer"):
        adapter.set_head(labels=LABELS)
    trainer.release()
    adapter.set_head(labels=LABELS)


def test_a_metric_that_does_not_apply_is_nan(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, tokenizer: graft.Tokenizer
) -> None:
    seen: list[graft.Metrics] = []
    with graft.Trainer(model, adapter, epoch_count=1, rows_per_batch=6) as trainer:
        best = trainer.fit(dataset, dataset, progress=False, callback=lambda metrics: seen.append(metrics))
    assert seen[0].evaluation is None and seen[1].evaluation is not None and best.evaluation is not None
    assert math.isnan(seen[1].learning_rate) and not math.isnan(seen[1].evaluation.accuracy)
    assert best.evaluation.values == seen[1].evaluation.values
    assert best.evaluation.confusion == seen[1].evaluation.confusion != []
    with pytest.raises(AttributeError, match="has loss, accuracy, macro_f1.*no spearman"):
        best.evaluation.spearman


def test_a_callers_own_loop_trains_like_fit(
    model: graft.Model, tokenizer: graft.Tokenizer, adapter: graft.Adapter
) -> None:
    with graft.Trainer(model, adapter, learning_rate=5e-3, schedule="constant") as trainer:
        with graft.Batch(tokenizer, TEXTS, labels=[0, 0, 1, 1, 2, 2]) as batch:
            losses = [trainer.step(batch).loss for _ in range(12)]
    assert losses[-1] < 0.5 * losses[0]


def test_two_trainings_of_one_seed_are_equal_whatever_the_threads(
    model: graft.Model, dataset: graft.Dataset, tmp_path: Path
) -> None:
    results = []
    for threads in (1, 2):
        adapter = graft.Adapter.create(model, "lora", {"lora_dropout": 0.1}, seed=1)
        adapter.set_head(labels=LABELS)
        with graft.Trainer(model, adapter, seed=4, threads=threads, epoch_count=3, rows_per_batch=2) as trainer:
            trainer.fit(dataset, progress=False)
        results.append(weights(adapter, tmp_path / str(threads)))
    assert results[0] == results[1]


def test_a_resumed_training_ends_with_the_same_bits(
    model: graft.Model, dataset: graft.Dataset, tmp_path: Path
) -> None:
    def train(name: str, stop_after: int | None) -> bytes:
        adapter = graft.Adapter.create(model, "lora", seed=1)
        adapter.set_head(labels=LABELS)
        with graft.Trainer(
            model,
            adapter,
            epoch_count=4,
            rows_per_batch=2,
            checkpoint_path=tmp_path / f"{name}-checkpoint",
            checkpoint_steps=1,
        ) as trainer:
            last = trainer.fit(
                dataset, progress=False, callback=lambda now: stop_after is not None and now.step >= stop_after
            )
            assert last.step == (stop_after or 12)
        return weights(adapter, tmp_path / name)

    uninterrupted = train("whole", None)
    assert train("parts", 5) != uninterrupted
    assert train("parts", None) == uninterrupted


def test_a_checkpoint_continues_a_callers_loop(
    model: graft.Model, tokenizer: graft.Tokenizer, tmp_path: Path
) -> None:
    batch = graft.Batch(tokenizer, TEXTS, labels=[0, 0, 1, 1, 2, 2])

    def trainer_of(adapter: graft.Adapter) -> graft.Trainer:
        adapter.set_head(labels=LABELS)
        return graft.Trainer(model, adapter, total_steps=6, seed=2)

    whole, part = (graft.Adapter.create(model, "lora", seed=1) for _ in range(2))
    with trainer_of(whole) as trainer:
        expected = [trainer.step(batch).loss for _ in range(6)]
    with trainer_of(part) as trainer:
        found = [trainer.step(batch).loss for _ in range(3)]
        trainer.save(tmp_path / "checkpoint")
    rest = graft.Adapter.create(model, "lora", seed=8)
    with trainer_of(rest) as trainer:
        trainer.resume(tmp_path / "checkpoint")
        found += [trainer.step(batch).loss for _ in range(3)]
    assert found == expected
    assert weights(rest, tmp_path / "rest") == weights(whole, tmp_path / "whole")


def test_a_callback_stops_the_training(model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset) -> None:
    steps: list[int] = []

    def stop_at_three(metrics: graft.Metrics) -> bool:
        steps.append(metrics.step)
        return metrics.step == 3

    with graft.Trainer(model, adapter, epoch_count=10, rows_per_batch=2) as trainer:
        last = trainer.fit(dataset, progress=False, callback=stop_at_three)
    assert last.step == 3 and steps == [1, 2, 3]


@pytest.mark.parametrize("answer", [None, False, numpy.False_])
def test_a_callback_that_does_not_ask_to_stop_is_called_to_the_end(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, answer: bool | None
) -> None:
    with graft.Trainer(model, adapter, epoch_count=2, rows_per_batch=2) as trainer:
        assert trainer.fit(dataset, progress=False, callback=lambda metrics: answer).step == 6
        assert trainer.fit(dataset, progress=False, callback=lambda metrics: numpy.True_).step == 1


@pytest.mark.parametrize("answer", [1, 0, "stop", [], 0.5])
def test_an_answer_that_says_neither_stop_nor_go_on_is_refused(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, answer: object
) -> None:
    def call(metrics: graft.Metrics) -> bool | None:
        return answer  # type: ignore[return-value]

    message = f"callback: expected True, to stop, or None; it returned {type(answer).__name__}"
    with graft.Trainer(model, adapter) as trainer, pytest.raises(TypeError, match=message):
        trainer.fit(dataset, progress=False, callback=call)


def test_pairs_of_many_labels_are_counted_when_asked(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    adapter = graft.Adapter.create(model)
    adapter.set_head(labels=[f"label {number}" for number in range(1001)])
    rows = graft.Dataset(tokenizer, ["a", "b"], [0, 1000])
    with graft.Trainer(model, adapter) as trainer:
        assert trainer.evaluate(rows).confusion == []
        assert sum(map(sum, trainer.evaluate(rows, confusion=True).confusion)) == 2


def test_messages_name_no_function_of_c(model: graft.Model, tokenizer: graft.Tokenizer, dataset: graft.Dataset) -> None:
    headless, unlabelled = graft.Adapter.create(model), graft.Batch(tokenizer, ["a"])
    speaker = graft.Adapter.create(model)
    speaker.set_head(labels=LABELS)
    with pytest.raises(graft.GraftError, match="the adapter has no head to train for a task") as first:
        graft.Trainer(model, headless)
    with graft.Trainer(model, speaker) as trainer, pytest.raises(graft.GraftError, match="the rows have no labels") as second:
        trainer.step(unlabelled)
    assert not any("graft_" in str(error.value) for error in (first, second))


def test_an_error_in_a_callback_comes_out(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset
) -> None:
    def fail(metrics: graft.Metrics) -> None:
        raise LookupError("of the callback")

    with graft.Trainer(model, adapter) as trainer, pytest.raises(LookupError, match="of the callback"):
        trainer.fit(dataset, progress=False, callback=fail)


@pytest.mark.parametrize("optimizer", graft.optimizers())
def test_every_optimizer_lowers_the_loss(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, optimizer: str
) -> None:
    rate = {"sgd": 0.05, "adagrad": 0.02}.get(optimizer, 5e-3)
    with graft.Trainer(model, adapter, optimizer=optimizer, learning_rate=rate, rows_per_batch=6) as trainer:
        before = trainer.evaluate(dataset).loss
        trainer.fit(dataset, progress=False)
        assert trainer.evaluate(dataset).loss < before


@pytest.mark.parametrize("schedule", graft.schedules())
def test_every_schedule_rises_to_the_peak(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, schedule: str
) -> None:
    rates: list[float] = []
    settings = {"warmup_steps": 2}
    with graft.Trainer(
        model, adapter, schedule=schedule, schedule_settings=settings, learning_rate=0.01, rows_per_batch=1, epoch_count=1
    ) as trainer:
        trainer.fit(dataset, progress=False, callback=lambda metrics: rates.append(metrics.learning_rate))
    assert rates[:3] == pytest.approx([0, 0.005, 0.01])
    assert max(rates) == pytest.approx(0.01)


def test_optimizers_and_schedules_say_their_settings() -> None:
    ratios = {"head_lr_ratio", "loraplus_lr_ratio"}
    assert set(graft.optimizers()["adamw"]) == {"beta1", "beta2", "epsilon", "weight_decay"} | ratios
    assert graft.optimizers()["adagrad"]["l2"]["default"] == 0
    for settings in (*graft.optimizers().values(), *graft.schedules().values(), *graft.step_plans().values()):
        for setting in settings.values():
            assert {"type", "default", "description"} <= set(setting)
    assert all(ratios <= set(settings) for settings in graft.optimizers().values())
    assert all({"warmup_ratio", "warmup_steps"} <= set(settings) for settings in graft.schedules().values())


def test_unknown_options_and_choices_are_refused(model: graft.Model, adapter: graft.Adapter) -> None:
    with pytest.raises(TypeError, match="batch_size"):
        graft.Trainer(model, adapter, batch_size=3)  # type: ignore[call-arg]
    with pytest.raises(graft.GraftError, match="constant, linear, cosine") as caught:
        graft.Trainer(model, adapter, schedule="zigzag")
    assert caught.value.status is graft.Status.NOT_FOUND
    with pytest.raises(graft.GraftError, match="adamw, adam, sgd, adagrad"):
        graft.Trainer(model, adapter, optimizer="lion")
    with pytest.raises(graft.GraftError, match='"sgd" has no setting "weight_decay"; it has momentum, nesterov, l2'):
        graft.Trainer(model, adapter, optimizer="sgd", weight_decay=0.1)
    with pytest.raises(graft.GraftError, match="weight_decay: given as an argument and in optimizer_settings"):
        graft.Trainer(model, adapter, weight_decay=0.1, optimizer_settings={"weight_decay": 0.1})
    with pytest.raises(graft.GraftError, match='warmup_ratio of schedule "linear" must be 0 to 1, found 2'):
        graft.Trainer(model, adapter, warmup_ratio=2)
    with pytest.raises(graft.GraftError, match="optimizer_settings"):
        graft.Trainer(model, adapter, optimizer_settings={"beta1": float("nan")})
    with pytest.raises(graft.GraftError, match="step_plan"):
        graft.Trainer(model, adapter, step_plan="lion")
    with pytest.raises(graft.GraftError, match="expected 3, found 2"):
        graft.Trainer(model, adapter, class_weights=[1.0, 2.0])


def test_a_dataset_with_other_labels_than_the_adapter_is_refused(
    model: graft.Model, adapter: graft.Adapter, tokenizer: graft.Tokenizer
) -> None:
    swapped = graft.Dataset(tokenizer, TEXTS, [0, 0, 1, 1, 2, 2], label_names=LABELS[::-1])
    with graft.Trainer(model, adapter) as trainer, pytest.raises(graft.GraftError) as caught:
        trainer.fit(swapped, progress=False)
    assert caught.value.status is graft.Status.INCOMPATIBLE


def test_names_of_labels_become_numbers_in_their_order(tokenizer: graft.Tokenizer) -> None:
    assert graft.Dataset(tokenizer, ["a", "b", "c"], ["x", "z", "x"]).label_names == ["x", "z"]
    assert graft.Dataset(tokenizer, ["a"], ["z"], label_names=["z", "x"]).label_names == ["z", "x"]
    assert graft.Dataset(tokenizer, ["a"], [1]).label_names == []
    with pytest.raises(graft.GraftError, match="row 1 has 'other'"):
        graft.Dataset(tokenizer, ["a", "b"], ["x", "other"], label_names=["x"])


def test_a_table_of_texts_is_read(tokenizer: graft.Tokenizer, tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("eins\tuno\r\nzwei\tdos\n\ndrei\ttres\n", "utf-8")
    dataset = graft.Dataset.from_tsv(tokenizer, table)
    assert (len(dataset), dataset.label_names) == (3, ["dos", "tres", "uno"])
    table.write_bytes(b"\xef\xbb\xbfeins\tuno\r\n\r\n\tdos\r\n")
    with_mark = graft.Dataset.from_tsv(tokenizer, str(table).encode())
    assert (len(with_mark), with_mark.label_names) == (2, ["dos", "uno"])
    table.write_text("premise\thypothesis\tyes\nanother\tsecond\tno\n", "utf-8")
    assert len(graft.Dataset.from_tsv(tokenizer, table)) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no tab\n", "found 1 columns in line 1"),
        (b"a\tx\n\nb\ty\tz\n", "found 3 columns in line 3"),
        (b"a\tx\n \n", "found 1 columns in line 2"),
        (b"a\tx\n\xff\tx\n", "byte 4 is not UTF-8"),
    ],
)
def test_a_malformed_table_is_refused(
    tokenizer: graft.Tokenizer, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "table.tsv").write_bytes(content)
    with pytest.raises(graft.GraftError, match=message) as caught:
        graft.Dataset.from_tsv(tokenizer, tmp_path / "table.tsv")
    assert caught.value.status is graft.Status.CORRUPT_FILE


def test_a_label_that_a_table_should_not_have_is_named_with_the_table(
    tokenizer: graft.Tokenizer, tmp_path: Path
) -> None:
    (tmp_path / "test.tsv").write_text("eins\tuno\nzwei\tunseen\n", "utf-8")
    with pytest.raises(graft.GraftError, match="test.tsv: labels: row 1 has 'unseen', which is not among dos, uno"):
        graft.Dataset.from_tsv(tokenizer, tmp_path / "test.tsv", label_names=["dos", "uno"])


def test_the_mark_of_utf8_is_not_part_of_the_first_text(tmp_path: Path) -> None:
    # BERT's tokenizer would not see it.
    model, tokenizer = graft.Model(STORIES), graft.Tokenizer(STORIES)
    adapter = graft.Adapter.create(model)
    adapter.set_head(labels=LABELS)
    losses = []
    for name, mark in (("plain.tsv", b""), ("marked.tsv", b"\xef\xbb\xbf")):
        (tmp_path / name).write_bytes(mark + b"thank you\tthanks\n")
        rows = graft.Dataset.from_tsv(tokenizer, tmp_path / name, label_names=LABELS)
        with graft.Trainer(model, adapter) as trainer:
            losses.append(trainer.evaluate(rows).loss)
    assert losses[0] == losses[1]


def test_a_missing_table_is_not_found(tokenizer: graft.Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(graft.GraftError) as caught:
        graft.Dataset.from_tsv(tokenizer, tmp_path / "none.tsv")
    assert caught.value.status is graft.Status.NOT_FOUND


def test_an_evaluation_prints_as_text() -> None:
    evaluation = graft.Evaluation({"loss": 0.5, "accuracy": 0.75, "macro_f1": 0.7}, 4, 9, ["yes", "no"], [[2, 1], [0, 1]])
    assert str(evaluation) == "loss 0.5000  accuracy 0.7500  macro F1 0.7000  on 4 rows"
    assert evaluation.confusion_table() == "         1  2\nyes  1   2  1\n no  2   .  1"


def test_measures_that_do_not_apply_are_not_printed() -> None:
    nan = math.nan
    evaluation = graft.Evaluation({"loss": 0.5, "accuracy": 0.75, "macro_f1": nan}, 4)
    assert str(evaluation) == "loss 0.5000  accuracy 0.7500  on 4 rows"
    metrics = graft.Metrics(0.5, nan, nan, nan, 3, 0, 0, 4, 9, evaluation)
    assert str(metrics) == "step 3  loss 0.5000  accuracy 0.7500"
    assert str(metrics._replace(evaluation=None)) == "step 3  loss 0.5000"
    stream = io.StringIO()
    progress.Progress(stream).show(metrics)
    assert stream.getvalue() == "step 3: loss 0.5000  accuracy 0.7500  on the evaluation set\n"


def test_a_callback_cannot_use_the_trainer_that_calls_it(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset
) -> None:
    with graft.Trainer(model, adapter) as trainer:
        with pytest.raises(graft.GraftError, match="this Trainer is in the middle of a call"):
            trainer.fit(dataset, progress=False, callback=lambda metrics: trainer.evaluate(dataset).loss > 0)
        assert trainer.evaluate(dataset).row_count == len(dataset)


class Notes:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def on_train_begin(self, trainer: graft.Trainer) -> None:
        self.told.append(("begin", trainer.memory > 0))

    def on_step_end(self, metrics: graft.Metrics) -> None:
        self.told.append(("step", metrics.step))

    def on_evaluate(self, metrics: graft.Metrics) -> None:
        self.told.append(("evaluate", metrics.step))

    def on_save(self, path: str) -> None:
        self.told.append(("save", Path(path).name))

    def on_train_end(self, metrics: graft.Metrics | None) -> None:
        self.told.append(("end", None if metrics is None else metrics.step))


def test_callbacks_are_told_how_a_training_goes(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, tmp_path: Path
) -> None:
    notes, steps = Notes(), []

    class Counts(graft.Callback):
        def on_step_end(self, metrics: graft.Metrics) -> None:
            steps.append(metrics.step)

    with graft.Trainer(
        model,
        adapter,
        epoch_count=2,
        rows_per_batch=3,
        checkpoint_path=tmp_path / "checkpoint",
        callbacks=[notes, Counts()],
    ) as trainer:
        best = trainer.fit(dataset, dataset, progress=False, callback=lambda metrics: steps.append(-metrics.step))
        trainer.save(tmp_path / "mine")
    epoch = [("step", 1), ("step", 2), ("evaluate", 2), ("save", "checkpoint")]
    later = [("step", 3), ("step", 4), ("evaluate", 4), ("save", "checkpoint")]
    assert notes.told == [("begin", True), *epoch, *later, ("end", best.step), ("save", "mine")]
    assert steps == [1, -1, 2, -2, -2, 3, -3, 4, -4, -4]


@pytest.mark.parametrize("callback", [print, object(), Notes])
def test_what_nothing_can_be_told_is_no_callback(
    model: graft.Model, adapter: graft.Adapter, callback: object
) -> None:
    with pytest.raises(TypeError, match=r"callbacks\[0\]: expected an object with some of on_train_begin, .*; found"):
        graft.Trainer(model, adapter, callbacks=[callback])


def test_a_callback_stops_a_training_or_fails_it(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset
) -> None:
    class Stops(Notes):
        def on_step_end(self, metrics: graft.Metrics) -> bool:  # type: ignore[override]
            super().on_step_end(metrics)
            return metrics.step == 2

    class Fails(Notes):
        def on_step_end(self, metrics: graft.Metrics) -> None:
            raise ZeroDivisionError("mine")

    class Answers:
        def on_evaluate(self, metrics: graft.Metrics) -> str:
            return "yes"

    stops, fails = Stops(), Fails()
    with graft.Trainer(model, adapter, rows_per_batch=3, callbacks=[stops]) as trainer:
        assert trainer.fit(dataset, progress=False).step == 2
    assert stops.told == [("begin", True), ("step", 1), ("step", 2), ("end", 2)]
    with graft.Trainer(model, adapter, callbacks=[fails]) as trainer, pytest.raises(ZeroDivisionError, match="mine"):
        trainer.fit(dataset, progress=False)
    assert fails.told == [("begin", True), ("end", None)]
    with graft.Trainer(model, adapter, callbacks=[Answers()]) as trainer:
        with pytest.raises(TypeError, match="Answers.on_evaluate: expected True, to stop, or None; it returned str"):
            trainer.fit(dataset, dataset, progress=False)
