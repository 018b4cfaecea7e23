"""Figures as matplotlib draws them."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LABELS, TEXTS, classified
from matplotlib import image
from matplotlib.figure import Figure

import graft
from graft import figures
from graft.reports import curves


@pytest.fixture(scope="module")
def predictions() -> graft.Predictions:
    return classified(LABELS, [*TEXTS, "costs $5 or $6"], 300)


def drawn(figure: Figure, folder: Path, name: str) -> None:
    """A picture that is not empty, without complaints of matplotlib."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    (folder / f"figure-{name}.png").write_bytes(content.getvalue())
    pixels = image.imread(io.BytesIO(content.getvalue()))[..., :3]
    assert (pixels[..., 2] > pixels[..., 0] + 0.2).sum() > 50


def test_each_is_drawn(
    predictions: graft.Predictions,
    history: graft.History,
    adapter: graft.Adapter,
    folder: Path,
    recwarn: pytest.WarningsRecorder,
) -> None:
    numbers = graft.Predictions([1.0, 2.0, 3.0], [1.5, 2.0, 2.0], task="regression")
    written = graft.Predictions(TEXTS, TEXTS, task="seq_2_seq_lm", texts=TEXTS[::-1])
    chosen = graft.Predictions([0, 1, 0], [[0.7, 0.3], [0.6, 0.4], [0.9, 0.1]], task="multiple_choice")
    for name, figure in {
        "confusion": figures.confusion(predictions.evaluation),
        "learning_curves": figures.learning_curves(history),
        "lengths": figures.lengths(predictions),
        "precision_recall": figures.precision_recall(predictions),
        "reliability": figures.reliability(predictions),
        "roc": figures.roc(predictions),
        "lengths_of_both": figures.lengths(written),
        "reliability_of_choices": figures.reliability(chosen),
        "values": figures.values(numbers),
        "weights": figures.weights(adapter),
    }.items():
        assert name.partition("_of_")[0] in figures.__all__
        drawn(figure, folder, name)
    assert [str(warning.message) for warning in recwarn] == []


def test_they_show_the_numbers_of_the_report(predictions: graft.Predictions, history: graft.History) -> None:
    (axes,) = figures.roc(predictions).axes
    for line, curve in zip(axes.lines, curves.roc(predictions)):
        assert list(zip(*line.get_data())) == curve.points and f"{curve.area:.3f}" in line.get_label()
    (axes,) = figures.confusion(predictions.evaluation).axes
    counts = [int(text.get_text()) for text in axes.texts]
    assert sum(counts) == predictions.evaluation.row_count
    loss = figures.learning_curves(history).axes[0].lines[0]
    assert list(loss.get_ydata()) == [own["loss"] for own in history.steps]


def test_what_cannot_be_drawn_is_said(predictions: graft.Predictions) -> None:
    with pytest.raises(graft.InvalidArgumentError, match="history: expected steps"):
        figures.learning_curves(graft.History())
    with pytest.raises(graft.InvalidArgumentError, match="expected those of regression"):
        figures.values(predictions)
    with pytest.raises(graft.InvalidArgumentError, match="expected one with a confusion matrix"):
        figures.confusion(graft.evaluation.values([1, 2], [1, 2]))


def test_matplotlib_is_imported_when_it_is_asked_for() -> None:
    program = "import graft, sys; graft.report; graft.figures.roc; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
