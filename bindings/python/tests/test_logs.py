"""What callbacks write down of a training."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import LABELS

import graft


def fitted(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, *callbacks: object, **settings: Any
) -> graft.Metrics:
    given = {"rows_per_batch": 3, "epoch_count": 2, **settings}
    with graft.Trainer(model, adapter, callbacks=callbacks, **given) as trainer:
        return trainer.fit(dataset, dataset, progress=False)


def test_a_history_has_every_step_and_evaluation(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset
) -> None:
    history = graft.History()
    seen: list[graft.Metrics] = []

    class Seen(graft.Callback):
        def on_step_end(self, metrics: graft.Metrics) -> None:
            seen.append(metrics)

        def on_evaluate(self, metrics: graft.Metrics) -> None:
            seen.append(metrics)

    fitted(model, adapter, dataset, history, Seen())
    steps = [metrics for metrics in seen if metrics.evaluation is None]
    assert [own["step"] for own in history.steps] == [1, 2, 3, 4]
    for own, metrics in zip(history.steps, steps):
        for name in ("loss", "learning_rate", "gradient_norm", "tokens_per_second", "epoch"):
            assert own[name] == getattr(metrics, name)
    evaluations = [metrics.evaluation for metrics in seen if metrics.evaluation is not None]
    assert [own["step"] for own in history.evaluations] == [2, 4]
    for own, evaluation in zip(history.evaluations, evaluations):
        assert all(own[name] == value for name, value in evaluation.values.items() if not math.isnan(value))
    seconds = [own["seconds"] for own in history.steps]
    assert seconds == sorted(seconds)


def test_the_recipe_has_every_setting(model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset) -> None:
    import inspect

    history = graft.History()
    weights = iter([1.0, 2.0, 1.0])
    fitted(model, adapter, dataset, history, class_weights=weights, learning_rate=2e-3, optimizer="sgd")
    training = history.recipe["training"]
    names = set(inspect.signature(graft.Trainer).parameters) - {"model", "adapter", "callbacks"}
    assert set(training) == names
    assert (training["learning_rate"], training["optimizer"], training["class_weights"]) == (2e-3, "sgd", [1, 2, 1])
    assert history.recipe["data"] == {
        "train_rows": 6, "train_tokens": dataset.token_count, "evaluation_rows": 6, "evaluation_tokens": dataset.token_count
    }  # fmt: skip
    assert history.recipe["adapter"]["r"] == 4 and history.recipe["adapter"]["labels"] == LABELS
    assert history.recipe["model"]["checksum"] == f"{model.checksum:016x}"
    assert history.recipe["versions"]["graft"] == graft.__version__
    json.dumps(history.recipe)


def test_a_log_is_read_as_it_was_written(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, tmp_path: Path
) -> None:
    log = graft.JsonLog(tmp_path / "log.jsonl")
    fitted(model, adapter, dataset, log)
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    assert kinds == ["recipe", "step", "step", "evaluation", "step", "step", "evaluation", "end"]
    read = graft.History.read(tmp_path / "log.jsonl")
    assert (read.recipe, read.steps, read.evaluations) == (log.recipe, log.steps, log.evaluations)


def test_lines_are_there_as_they_happen_and_stay_after_an_error(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"

    class Stops(graft.Callback):
        def on_step_end(self, metrics: graft.Metrics) -> None:
            if metrics.step == 2:
                assert len(path.read_text("utf-8").splitlines()) == 3
                raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        fitted(model, adapter, dataset, graft.JsonLog(path), Stops())
    assert [own["step"] for own in graft.History.read(path).steps] == [1, 2]


def test_a_run_that_goes_on_adds_to_its_log(
    model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    for epochs in (3, 2):
        log = graft.JsonLog(path)
        fitted(model, adapter, dataset, log, epoch_count=epochs)
    assert len(path.read_text("utf-8").splitlines()) == 2 * 2 + 3 * 3 + 2 * 3
    read = graft.History.read(path)
    assert (read.steps, read.evaluations) == (log.steps, log.evaluations)
    with path.open("a") as file:
        file.write('{"kind": "recipe"}\n{"kind": "step", "step": 3, "loss": 0.5}\n')
    read = graft.History.read(path)
    assert [own["step"] for own in read.steps] == [1, 2, 3] and len(read.evaluations) == 1


def test_what_is_no_log_is_said(tmp_path: Path, model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset) -> None:
    (tmp_path / "log").write_text('{"kind": "step", "step": 1, "loss": 2}\n{"loss": 1}\n')
    with pytest.raises(graft.GraftError, match='line 2: expected an object with "kind"'):
        graft.History.read(tmp_path / "log")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(graft.GraftError, match="expected UTF-8"):
        graft.History.read(tmp_path / "bytes")
    with pytest.raises(graft.GraftError) as caught:
        graft.History.read(tmp_path / "none")
    assert caught.value.status == graft.Status.NOT_FOUND
    with pytest.raises(graft.GraftError, match="No such file or directory"):
        fitted(model, adapter, dataset, graft.JsonLog(tmp_path / "none" / "log"))


@pytest.mark.parametrize(
    ("make", "module", "package"),
    [
        (graft.TensorBoardLog, "tensorboardX", "tensorboardX"),
        (graft.WandbLog, "wandb", "wandb"),
        (graft.MLflowLog, "mlflow", "mlflow"),
        (lambda: graft.figures.confusion(graft.evaluation.labels([0, 1], [0, 1])), "matplotlib.figure", "matplotlib"),
    ],
)
def test_a_missing_package_is_named(
    make: Callable[[], object], module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(graft.GraftError, match=f"needs {package}: .*; pip install {package}$") as caught:
        make()
    assert caught.value.status == graft.Status.UNSUPPORTED
