"""Logs as the programs read them that they are for."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import graft
import pytest
from conftest import TEXTS, TINY


class Stops(graft.Callback):
    """Ends a training by an exception."""

    def on_step_end(self, metrics: graft.Metrics) -> None:
        if metrics.step == 2:
            raise RuntimeError("enough")


def fitted(model: graft.Model, dataset: graft.Dataset, *callbacks: object) -> graft.Adapter:
    adapter = graft.Adapter.create(model)
    adapter.set_head(labels=["question", "complaint", "thanks"], pooling="mean")
    with graft.Trainer(model, adapter, rows_per_batch=3, epoch_count=2, callbacks=callbacks) as trainer:
        trainer.fit(dataset, dataset, progress=False)
    return adapter


def test_tensorboard_reads_what_was_written(model: graft.Model, dataset: graft.Dataset, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = graft.History()
    adapter = fitted(model, dataset, history, graft.TensorBoardLog(tmp_path, images=True))
    read = EventAccumulator(str(tmp_path), size_guidance={"histograms": 0, "images": 0, "scalars": 0})
    read.Reload()
    for name in ("loss", "learning_rate", "gradient_norm", "tokens_per_second"):
        scalars = read.Scalars(f"train/{name}")
        assert [event.step for event in scalars] == [1, 2, 3, 4]
        assert [event.value for event in scalars] == pytest.approx([own[name] for own in history.steps])
    scalars = read.Scalars("evaluation/accuracy")
    assert [(event.step, event.value) for event in scalars] == [
        (own["step"], pytest.approx(own["accuracy"])) for own in history.evaluations
    ]
    histograms = [name for name in read.Tags()["histograms"] if name.endswith("lora_B.weight")]
    before, after = read.Histograms(histograms[0])
    assert (before.step, after.step) == (0, 4)
    assert before.histogram_value.sum_squares == 0 < after.histogram_value.sum_squares
    count = sum(read.Histograms(name)[1].histogram_value.num for name in read.Tags()["histograms"])
    assert count == adapter.parameter_count
    images = read.Images("evaluation/confusion")
    assert [event.step for event in images] == [2, 4] and images[0].encoded_image_string.startswith(b"\x89PNG")
    (text,) = read.Tensors("recipe/text_summary")
    assert b"| training.learning_rate | 0.001 |" in text.tensor_proto.string_val[0]


def wandb_records(content: bytes) -> Iterator[Any]:
    """The messages of a run's file, which is a log as LevelDB's: blocks of 32 kB, of pieces with
    checksum, length and whether a message is whole, begins, goes on or ends there."""
    from wandb.proto import wandb_internal_pb2

    whole, first, last = 1, 2, 4
    place, message = 7, b""  # after the mark of the format
    while place + 7 <= len(content):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        _, size, kind = struct.unpack_from("<IHB", content, place)
        message = (b"" if kind in (whole, first) else message) + content[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (whole, last):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(message)
            yield record


def test_wandb_has_an_offline_run(
    model: graft.Model, dataset: graft.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    monkeypatch.setenv("WANDB_SILENT", "true")
    history = graft.History()
    fitted(model, dataset, history, graft.WandbLog(project="tests", mode="offline", dir=tmp_path))
    wandb.teardown()  # the process that writes the file ends with it
    (file,) = tmp_path.rglob("*.wandb")
    rows, codes, configured = [], [], []
    for record in wandb_records(file.read_bytes()):
        kind = record.WhichOneof("record_type")
        if kind == "history":
            items = record.history.item
            rows.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items})
        elif kind == "exit":
            codes.append(record.exit.exit_code)
        elif kind == "run":
            configured += [item.key for item in record.run.config.update]
    losses = [row["train/loss"] for row in rows if "train/loss" in row]
    assert losses == pytest.approx([own["loss"] for own in history.steps])
    assert [row["evaluation/accuracy"] for row in rows if "evaluation/accuracy" in row] == pytest.approx(
        [own["accuracy"] for own in history.evaluations]
    )
    assert codes == [0] and {"training", "adapter", "model", "data", "versions"} <= set(configured)


def test_mlflow_has_a_run(
    model: graft.Model, dataset: graft.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without a data base, which mlflow-skinny cannot open.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow import MlflowClient

    history, where = graft.History(), (tmp_path / "runs").as_uri()
    fitted(model, dataset, history, graft.MLflowLog("tests", run_name="first", tracking_uri=where))
    client = MlflowClient(tracking_uri=where)
    experiment = client.get_experiment_by_name("tests")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.status, run.info.run_name) == ("FINISHED", "first")
    assert run.data.params["training.learning_rate"] == "0.001" and run.data.params["adapter.method"] == "lora"
    losses = client.get_metric_history(run.info.run_id, "train/loss")
    assert [(own.step, own.value) for own in losses] == [(own["step"], own["loss"]) for own in history.steps]
    assert run.data.metrics["evaluation/accuracy"] == history.evaluations[-1]["accuracy"]
    with pytest.raises(RuntimeError, match="enough"):
        fitted(model, dataset, graft.MLflowLog("tests", tracking_uri=where), Stops())
    assert {run.info.status for run in client.search_runs([experiment.experiment_id])} == {"FINISHED", "FAILED"}


def test_trainings_of_any_loss_are_written(
    model: graft.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow import MlflowClient
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tokenizer = graft.Tokenizer(TINY)
    pairs = [[text, text[4:]] for text in TEXTS]
    losses: dict[str, tuple[graft.Dataset, dict[str, Any], str]] = {
        "sentence_embedding": (graft.Dataset.from_groups(tokenizer, pairs), {"loss": "in_batch_negatives"}, "ndcg"),
        "masked_language_model": (
            graft.Dataset.from_texts(tokenizer, TEXTS),
            {"masking": {"mask_token": tokenizer.mask_token}},
            "accuracy",
        ),
        "multiple_choice": (graft.Dataset.from_choices(tokenizer, TEXTS, pairs, [0, 1] * 3), {}, "accuracy"),
    }
    where = (tmp_path / "runs").as_uri()
    for task, (rows, settings, measure) in losses.items():
        adapter, history, folder = graft.Adapter.create(model), graft.History(), tmp_path / task
        adapter.set_head(task, pooling="mean" if task == "multiple_choice" else None)
        logs = [
            history,
            graft.JsonLog(tmp_path / f"{task}.jsonl"),
            graft.TensorBoardLog(folder, images=True),
            graft.MLflowLog(task, tracking_uri=where),
        ]
        with graft.Trainer(model, adapter, rows_per_batch=4, epoch_count=2, callbacks=logs, **settings) as trainer:
            trainer.fit(rows, rows, progress=False)
        latest = history.evaluations[-1][measure]
        assert graft.History.read(tmp_path / f"{task}.jsonl").evaluations[-1][measure] == latest
        read = EventAccumulator(str(folder))
        read.Reload()
        assert read.Scalars(f"evaluation/{measure}")[-1].value == pytest.approx(latest)
        client = MlflowClient(tracking_uri=where)
        (run,) = client.search_runs([client.get_experiment_by_name(task).experiment_id])
        assert run.data.metrics[f"evaluation/{measure}"] == latest
        titles = [axes.get_title(loc="left") for axes in graft.figures.learning_curves(history).axes if axes.lines]
        assert titles == ["Loss", "Measures on validation", "Learning rate", "Gradient norm"]
        page = graft.report(history=history, adapter=adapter, model=model, gradient_rows=rows).html
        assert "lora_A: gradients" in page and "Measures on validation" in page
