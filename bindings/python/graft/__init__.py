"""Graft: load a transformer, train small adapters on it, run it, on the CPU.

>>> model, tokenizer = graft.Model(path), graft.Tokenizer(path)
>>> graft.Session(model, tokenizer).embed(["Good morning."])

Every call that fails raises :class:`GraftError`; an argument of a wrong type is a TypeError.
Objects may be released in any order, or left to Python.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import evaluation, figures
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
from .answers import FoundAnswer
from .callbacks import Callback
from .choices import losses, optimizers, schedules, step_plans
from .batch import Batch
from .dataset import Dataset
from .entities import Entity
from .errors import GraftError, InvalidArgumentError, Status
from .generation import Continuation, NewToken
from .generator import Generator
from .library import lib as _lib
from .mask_filling import FilledMask
from .matrix import Matrix
from .metrics import Comparison, Evaluation, Interval, Metrics, metric_names
from .model import Model, architectures
from .search import Neighbour, nearest
from .session import Session
from .tokenizer import Encoding, Tokenizer
from .trainer import Publication, Trainer

if TYPE_CHECKING:
    from .data.balance import class_weights
    from .data.formats import formats
    from .data.report import DataReport, data_report
    from .data.report_parts import PartReport
    from .data.row_values import Answer
    from .data.squad_writing import write_predictions
    from .data.table import Table
    from .estimators.choice_classifier import ChoiceClassifier
    from .estimators.embedder import Embedder
    from .estimators.mask_filler import MaskFiller
    from .estimators.question_answerer import QuestionAnswerer
    from .estimators.ranker import Ranker
    from .estimators.regressor import Regressor
    from .estimators.text_classifier import TextClassifier
    from .estimators.text_generator import TextGenerator
    from .estimators.token_classifier import TokenClassifier
    from .generated.callback import TextMeasures
    from .logs.history import History
    from .logs.json_log import JsonLog
    from .logs.mlflow_log import MLflowLog
    from .logs.tensor_board_log import TensorBoardLog
    from .logs.wandb_log import WandbLog
    from .reports.predictions import Predictions
    from .reports.report import Report, report

#: What is imported when it is asked for first, since most programs do without, and where it is.
_LATER = {
    "Answer": "data.row_values",
    "ChoiceClassifier": "estimators.choice_classifier",
    "DataReport": "data.report",
    "Embedder": "estimators.embedder",
    "History": "logs.history",
    "JsonLog": "logs.json_log",
    "MLflowLog": "logs.mlflow_log",
    "MaskFiller": "estimators.mask_filler",
    "PartReport": "data.report_parts",
    "Predictions": "reports.predictions",
    "QuestionAnswerer": "estimators.question_answerer",
    "Ranker": "estimators.ranker",
    "Regressor": "estimators.regressor",
    "Report": "reports.report",
    "Table": "data.table",
    "TensorBoardLog": "logs.tensor_board_log",
    "TextClassifier": "estimators.text_classifier",
    "TextGenerator": "estimators.text_generator",
    "TextMeasures": "generated.callback",
    "TokenClassifier": "estimators.token_classifier",
    "WandbLog": "logs.wandb_log",
    "class_weights": "data.balance",
    "data_report": "data.report",
    "formats": "data.formats",
    "report": "reports.report",
    "write_predictions": "data.squad_writing",
}

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


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LATER[name]}", __name__), name)


__all__ = [
    "Adapter",
    "Answer",
    "Batch",
    "Callback",
    "ChoiceClassifier",
    "Comparison",
    "Composition",
    "CompressionError",
    "Continuation",
    "DataReport",
    "Dataset",
    "Embedder",
    "Encoding",
    "Entity",
    "Evaluation",
    "FilledMask",
    "FoundAnswer",
    "Generator",
    "GraftError",
    "History",
    "Interval",
    "InvalidArgumentError",
    "JsonLog",
    "MLflowLog",
    "MaskFiller",
    "Matrix",
    "Metrics",
    "Model",
    "Neighbour",
    "NewToken",
    "PartReport",
    "Predictions",
    "Publication",
    "QuestionAnswerer",
    "Ranker",
    "Regressor",
    "Report",
    "RowAdapter",
    "Session",
    "Status",
    "Table",
    "TensorBoardLog",
    "TextClassifier",
    "TextGenerator",
    "TextMeasures",
    "TokenClassifier",
    "Tokenizer",
    "Trainer",
    "WandbLog",
    "adapter_methods",
    "architectures",
    "average",
    "class_weights",
    "data_report",
    "evaluation",
    "executor_name",
    "figures",
    "formats",
    "kernel_name",
    "metric_names",
    "nearest",
    "optimizers",
    "report",
    "schedules",
    "set_executor",
    "stack",
    "step_plans",
    "losses",
    "tasks",
    "write_predictions",
]
