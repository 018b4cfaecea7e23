"""How large an adapter's parameters are, and the gradients of a loss for them, module by module."""

from __future__ import annotations

import json
import math
import re
import struct
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ..adapter import Adapter
from ..dataset import Dataset
from ..errors import GraftError, Status, invalid
from ..model import Model
from ..trainer import LOSS_SETTINGS, Trainer
from ..values import of_json

SETTINGS_FILE = "adapter_config.json"
#: The number of a layer in the name of a tensor.
LAYER = re.compile(r"\.(?:layers?|h|blocks?)\.(\d+)\.")
#: What of a tensor's name is a parameter of the adapter, behind the module that it adapts.
PARAMETER = re.compile(
    r"(.*?)\.(lora_magnitude_vector|lora_embedding_[AB]|lora_[ABE]|ia3_l|adapter_down|adapter_up|weight|bias)\b(.*)"
)
#: Large enough that a weight does not round off its change.
STEP_SIZE = 1024.0
#: Of AdaLoRA: its first step is one before ranks are pruned.
UNPRUNED = {"tinit": 1, "tfinal": 0, "total_step": 3}


class ParameterNorm(NamedTuple):
    """One tensor of an adapter."""

    name: str
    #: From 0; None for what is in no layer, such as the head.
    layer: int | None
    #: The module within the layer, such as ``"attention.self.query"``.
    module: str
    #: What it is of the adapter, such as ``"lora_B"``.
    kind: str
    shape: list[int]
    #: The root of the sum of squares.
    norm: float
    #: The same of the gradient; NaN where it is not known.
    gradient: float = math.nan


def files_of(adapter: Adapter | str | Path) -> dict[str, bytes]:
    """The files of an adapter, or of its folder."""
    if isinstance(adapter, Adapter):
        return adapter.to_files()
    folder = Path(adapter)
    if not (folder / SETTINGS_FILE).is_file():
        raise GraftError(Status.NOT_FOUND, f"{folder}: expected an adapter's folder, found no {SETTINGS_FILE}")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def norms(files: Mapping[str, bytes], gradients: Mapping[str, float] | None = None) -> list[ParameterNorm]:
    """Of each tensor, in the order of the files."""
    found = []
    for name, shape, numbers in tensors(files):
        layer = LAYER.search(name)
        module = name[layer.end() :] if layer else name.removeprefix("base_model.model.").removeprefix("base_model.")
        parts = PARAMETER.fullmatch(module)
        kind, module = (parts[2], parts[1]) if parts else ("", module)
        # AdapterHub names the adapter, and says whether it is a weight or a bias, at the end.
        kind += ".bias" if parts and parts[3].endswith(".bias") else ""
        number = int(layer[1]) if layer else None
        gradient = math.nan if gradients is None else gradients.get(name, math.nan)
        found.append(ParameterNorm(name, number, module, kind, shape, _norm(numbers), gradient))
    return found


def gradient_norms(
    model: Model,
    adapter: Adapter,
    rows: Dataset,
    settings: Mapping[str, Any] = MappingProxyType({}),
    *,
    row_count: int = 64,
    seed: int = 0,
) -> dict[str, float]:
    """Norms of the loss's gradient for each tensor, on ``row_count`` rows of a set: what one step
    of plain gradient descent changes in a copy of the adapter, divided by its step size. Of
    ``"adalora"`` they are of the ranks that are kept, and the loss is the one that its training
    has, with what draws A and B towards being orthonormal (``orth_reg_weight``); its status is
    UNSUPPORTED where a file's ``lora_alpha`` is 0, which cannot be trained.

    :param settings: arguments of :class:`Trainer` that make the loss, where it is not the task's
        own.
    """
    for name in settings:
        if name not in LOSS_SETTINGS:
            raise invalid(f"gradient_settings: expected some of {', '.join(LOSS_SETTINGS)}; found {name!r}")
    files = adapter.to_files()
    with Adapter.from_files(model, _unpruned(files) if adapter.method == "adalora" else files) as copy:
        with Trainer(
            model,
            copy,
            seed=seed,
            optimizer="sgd",
            schedule="constant",
            schedule_settings={"warmup_ratio": 0.0},
            learning_rate=STEP_SIZE,
            maximum_gradient_norm=0.0,
            total_steps=1,
            rows_per_batch=min(row_count, len(rows)),
            **settings,
        ) as trainer:
            trainer.fit(rows, progress=False)
        after = {name: numbers for name, _, numbers in tensors(copy.to_files())}
    return {
        name: math.sqrt(math.fsum((one - other) ** 2 for one, other in zip(numbers, after[name]))) / STEP_SIZE
        for name, _, numbers in tensors(files)
        if len(after.get(name, ())) == len(numbers)
    }


def _unpruned(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """An adapter of AdaLoRA whose first step leaves its ranks as they are."""
    settings = {**of_json(files[SETTINGS_FILE]), **UNPRUNED}
    return {**files, SETTINGS_FILE: json.dumps(settings).encode()}


def tensors(files: Mapping[str, bytes]) -> Iterator[tuple[str, list[int], array[float]]]:
    """Names, shapes and numbers of all tensors in files of safetensors."""
    for file, content in files.items():
        if not file.endswith(".safetensors"):
            continue
        try:
            (size,) = struct.unpack_from("<Q", content)
            header = of_json(content[8 : 8 + size])
            header.pop("__metadata__", None)
            for name, tensor in header.items():
                start, end = (8 + size + offset for offset in tensor["data_offsets"])
                yield name, list(tensor["shape"]), _numbers(content[start:end], tensor["dtype"])
        except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
            raise GraftError(Status.CORRUPT_FILE, f"{file}: expected safetensors: {error}") from None


def _numbers(content: bytes, dtype: str) -> array[float]:
    if dtype == "BF16":
        # The upper halves of float32.
        halves = array("H", content)
        return array("f", b"".join(struct.pack("<I", half << 16) for half in halves))
    if dtype == "F16":
        return array("f", (number for (number,) in struct.iter_unpack("<e", content)))
    if dtype not in ("F32", "F64"):
        raise ValueError(f"expected floating-point numbers, found {dtype}")
    return array("f" if dtype == "F32" else "d", content)


def _norm(numbers: array[float]) -> float:
    return math.sqrt(math.fsum(number * number for number in numbers))
