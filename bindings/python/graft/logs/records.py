"""What there is to write down of a step and of an evaluation."""

from __future__ import annotations

import math
from typing import Any

from ..metrics import Metrics


def of_step(metrics: Metrics) -> dict[str, float]:
    """The numbers of a step by name, those that apply."""
    return _known(
        {
            "loss": metrics.loss,
            "learning_rate": metrics.learning_rate,
            "gradient_norm": metrics.gradient_norm,
            "tokens_per_second": metrics.tokens_per_second,
        }
    )


def of_evaluation(metrics: Metrics) -> dict[str, float]:
    """The measures of an evaluation by name, those that apply."""
    return {} if metrics.evaluation is None else _known(metrics.evaluation.values)


def flattened(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe in one dictionary, with names such as ``"training.learning_rate"``."""
    flat: dict[str, Any] = {}
    for part, settings in recipe.items():
        if isinstance(settings, dict):
            flat |= {f"{part}.{name}": value for name, value in flattened(settings).items()}
        else:
            flat[part] = settings
    return flat


def _known(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if not math.isnan(value)}
