"""All that a training is made of, so that it can be done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .adapter import Adapter
from .library import lib

if TYPE_CHECKING:
    from .model import Model


def recipe_of(model: Model, adapter: Adapter, data: dict[str, Any], training: dict[str, Any]) -> dict[str, Any]:
    """Settings by what they are of, which JSON takes."""
    return {
        "training": training,
        "data": data,
        "adapter": recipe_of_adapter(adapter),
        "model": recipe_of_model(model),
        "versions": versions(),
    }


def recipe_of_adapter(adapter: Adapter) -> dict[str, Any]:
    """What an adapter is, and every setting of its method."""
    return {
        "method": adapter.method,
        "task": adapter.task,
        "labels": adapter.labels,
        "parameter_count": adapter.parameter_count,
        "maximum_length": adapter.maximum_length,
        **adapter.config,
    }


def recipe_of_model(model: Model) -> dict[str, Any]:
    """What the base model is; its checksum tells it from any other."""
    return {**facts_of_model(model), "checksum": f"{model.checksum:016x}"}


def facts_of_model(model: Model) -> dict[str, Any]:
    """A model's kind and sizes."""
    return {
        "architecture": model.architecture,
        "layer_count": model.layer_count,
        "hidden_size": model.hidden_size,
        "vocabulary_size": model.vocabulary_size,
        "maximum_length": model.maximum_length,
        "parameter_count": model.parameter_count,
    }


def versions() -> dict[str, str]:
    """What computes."""
    import platform  # here, since most programs only run adapters

    return {
        "graft": lib.graft_version_string().decode(),
        "kernels": lib.graft_kernel_name().decode(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
