"""How golden files are written: readable JSON, safetensors, and folders that hold nothing stale."""

import json
import re
import shutil
from collections.abc import Collection
from pathlib import Path

import numpy
import safetensors.numpy
import torch

ROOT = Path(__file__).resolve().parents[1]


def fresh_folder(*parts: str) -> Path:
    """An empty folder below Tests/Goldens."""
    folder = ROOT.joinpath(*parts)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_json(path: Path, value) -> None:
    """Indented JSON with every innermost list on one line, so that a row of token ids stays a row.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False)
    text = re.sub(
        r"\[[\s\d.,eE+-]*\]", lambda match: " ".join(match[0].split()).replace("[ ", "[").replace(" ]", "]"), text
    )
    path.write_text(text + "\n", encoding="utf-8")


def write_tensors(path: Path, tensors: dict, **metadata: str) -> None:
    """Writes tensors as float32 (whole numbers as int32): reference values are computed in float64
    and rounded once.
    """
    arrays = {}
    for name, tensor in tensors.items():
        array = tensor.detach().cpu().numpy() if isinstance(tensor, torch.Tensor) else numpy.asarray(tensor)
        arrays[name] = numpy.ascontiguousarray(array, dtype="float32" if array.dtype.kind == "f" else "int32")
    safetensors.numpy.save_file(arrays, path, metadata=metadata or None)


def deviation(first: dict, second: dict) -> str:
    """The largest absolute difference between two sets of tensors, as text for metadata."""
    largest = max(float((first[name].double() - second[name].double()).abs().max()) for name in first)
    return f"{largest:.2e}"


def write_both(folder: Path, double: dict, single: dict, without: Collection[str] = ()) -> float:
    """Writes the first gradients and the end of training in float64, with how far that in float32
    is from them but for the tensors `without`; the largest distance between their losses."""
    for part in ("gradients", "final"):
        compared = {name: tensor for name, tensor in double[part].items() if name not in without}
        distance = deviation(compared, single[part])
        write_tensors(folder / f"{part}.safetensors", double[part], torch_float32_deviation=distance)
    return max(abs(a["loss"] - b["loss"]) for a, b in zip(double["steps"], single["steps"], strict=True))


def packed(rows: list) -> torch.Tensor:
    """Rows end to end, without padding: [tokens, ...]."""
    return torch.cat([row.reshape(-1, row.shape[-1]) for row in rows])
