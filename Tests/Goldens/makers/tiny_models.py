"""What the makers of tiny models have in common: folders of models of transformers' classes, and
what these compute."""

from collections.abc import Callable, Iterable

import torch
import transformers

from .files import ROOT, fresh_folder, write_json
from .tiny_llama import write_expected

Case = tuple[str, type[transformers.PreTrainedModel], dict, int]


def load_model(name: str, folder: str, attention: str = "eager") -> transformers.PreTrainedModel:
    """Of the class that the folder's config.json names."""
    path = ROOT / name / folder
    kind = getattr(transformers, transformers.AutoConfig.from_pretrained(path).architectures[0])
    return kind.from_pretrained(path, attn_implementation=attention).eval()


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
