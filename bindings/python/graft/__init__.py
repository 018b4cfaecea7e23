"""Graft: load a transformer, train small adapters on it, run it, on the CPU.

>>> model, tokenizer = graft.Model(path), graft.Tokenizer(path)
>>> graft.Session(model, tokenizer).embed(["Good morning."])

Every call that fails raises :class:`GraftError`; an argument of a wrong type is a TypeError.
Objects may be released in any order, or left to Python.
"""

from __future__ import annotations

from . import evaluation
from .adapter import (
    Adapter,
    Composition,
    CompressionError,
    RowAdapter,
    adapter_methods,
    average,
    stack,
    tasks,
)
from .choices import optimizers, schedules, step_plans
from .dataset import Batch, Dataset
from .entities import Entity
from .errors import GraftError, Status
from .library import lib as _lib
from .matrix import Matrix
from .metrics import Comparison, Evaluation, Interval, Metrics, metric_names
from .model import Model, architectures
from .session import Session
from .tokenizer import Encoding, Tokenizer
from .trainer import Publication, Trainer

__version__: str = _lib.graft_version_string().decode()


def kernel_name() -> str:
    """The kernels chosen for this processor: "portable", "avx2", "avx512" or "avx512bf16"."""
    return str(_lib.graft_kernel_name().decode())


def executor_name() -> str:
    """Who provides the threads: "threads", which are Graft's own, or "openmp"."""
    return str(_lib.graft_executor_name().decode())


def set_executor(name: str) -> None:
    """Chooses who provides the threads, for all that is computed from now on.

    :param name: "threads", or "openmp" for the OpenMP runtime that this process holds, or else the
        system's.
    """
    _lib.graft_set_executor(name.encode())


__all__ = [
    "Adapter",
    "Batch",
    "Comparison",
    "Composition",
    "CompressionError",
    "Dataset",
    "Encoding",
    "Entity",
    "Evaluation",
    "GraftError",
    "Interval",
    "Matrix",
    "Metrics",
    "Model",
    "Publication",
    "RowAdapter",
    "Session",
    "Status",
    "Tokenizer",
    "Trainer",
    "adapter_methods",
    "architectures",
    "average",
    "evaluation",
    "executor_name",
    "kernel_name",
    "metric_names",
    "optimizers",
    "schedules",
    "set_executor",
    "stack",
    "step_plans",
    "tasks",
]
