"""What the makers of tiny models have in common: folders of models of transformers' classes, and
what these compute."""

import copy
from collections.abc import Callable, Iterable

import torch
import transformers

from .files import ROOT, deviation, fresh_folder, packed, write_json, write_tensors

Case = tuple[str, type[transformers.PreTrainedModel], dict, int]


def randomise(model: torch.nn.Module, seed: int, norm: str = "weight") -> torch.nn.Module:
    """Weights wide enough that attention is far from uniform; biases and norms, vectors whose names
    end with `norm`, away from 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1 and name.endswith(norm):
                parameter.copy_(1 + 0.1 * noise)
            else:
                parameter.copy_(noise * (0.1 if name.endswith("bias") else 0.25))
    return model.eval()


def without_dropout(model: torch.nn.Module) -> torch.nn.Module:
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def load_model(name: str, folder: str, attention: str = "eager") -> transformers.PreTrainedModel:
    """Of the class that the folder's config.json names."""
    path = ROOT / name / folder
    kind = getattr(transformers, transformers.AutoConfig.from_pretrained(path).architectures[0])
    return kind.from_pretrained(path, attn_implementation=attention).eval()


def load_for_rows(kind: type[transformers.PreTrainedModel], name: str, folder: str) -> transformers.PreTrainedModel:
    """Of a bare model too, the class of rows, with a head of its own; without dropout."""
    torch.manual_seed(0)
    model = kind.from_pretrained(ROOT / name / folder, num_labels=3, attn_implementation="eager")
    return without_dropout(model).eval()


def batches_of_one(rows: dict):
    """Each row alone, unpadded: what a padded batch must equal."""
    for ids in rows["input_ids"]:
        yield {"input_ids": torch.tensor([ids])}


def outputs(model: torch.nn.Module, rows: dict) -> dict:
    """Hidden states packed [tokens, hidden]; logits [tokens, vocabulary], or [rows, labels] of a
    classifier.
    """
    with torch.no_grad():
        results = [model(**row, output_hidden_states=True) for row in batches_of_one(rows)]
    values = {
        f"hidden_states.{i}": packed([r.hidden_states[i] for r in results])
        for i in range(len(results[0].hidden_states))
    }
    if "logits" in results[0]:
        values["logits"] = packed([result.logits for result in results])
    return values


def write_expected(folder, model: torch.nn.Module, rows: dict) -> None:
    single = outputs(copy.deepcopy(model).float(), rows)
    double = outputs(copy.deepcopy(model).double(), rows)
    write_tensors(folder / "expected.safetensors", double, torch_float32_deviation=deviation(double, single))


def write_models(
    name: str,
    rows: dict,
    randomise: Callable[[torch.nn.Module, int], torch.nn.Module],
    cases: Iterable[Case],
    attention: str = "sdpa",
) -> None:
    """Folder `name` with the rows, and of each case its folder, class, settings and seed; computed
    with one of transformers' implementations of attention, which differ in last bits."""
    top = fresh_folder(name)
    write_json(top / "inputs.json", rows)
    for folder, kind, settings, seed in cases:
        randomise(kind(kind.config_class(**settings)), seed).save_pretrained(top / folder)
        write_expected(top / folder, load_model(name, folder, attention), rows)
