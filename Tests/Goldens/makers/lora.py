"""lora, ia3, adalora: adapter folders saved by PEFT for bert-tiny, and what the model computes with
each."""

import copy
import json
from pathlib import Path

import torch
from peft import AdaLoraConfig, IA3Config, LoraConfig, PeftModel, get_peft_model

from . import tiny_bert
from .adalora_cases import CASES as ADALORA_CASES
from .adalora_cases import prune
from .files import fresh_folder, packed, write_json, write_tensors
from .ia3_cases import CASES as IA3_CASES
from .lora_cases import CASES, Case


def base_of(case: Case) -> torch.nn.Module:
    """A fresh base; its recorded name is one that no machine's paths leak into."""
    bare = case.task == "FEATURE_EXTRACTION"
    model = tiny_bert.load_base() if bare else tiny_bert.load_classifier()
    model.name_or_path = "bert-tiny/base" if bare else "bert-tiny/sequence-classification"
    return model


def randomise_trainable(model: torch.nn.Module, seed: int, scale: float = 0.2) -> None:
    """Every trained tensor away from its start: B is not zero, and a bias that is dropped shows.

    Factors stay about theirs."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters(), key=lambda item: item[0]):
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=generator) * scale
                is_factor = "ia3_l" in name or "lora_magnitude_vector" in name
                parameter.copy_(parameter + noise if is_factor else noise)


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Saves as PEFT does, without the model card."""
    model.save_pretrained(folder)
    (folder / "README.md").unlink()


def edit_config(folder: Path, edits: dict) -> None:
    path = folder / "adapter_config.json"
    settings = json.loads(path.read_text()) | edits
    path.write_text(json.dumps(settings, indent=2, sort_keys=False))


def results(model: torch.nn.Module, rows: dict) -> torch.Tensor:
    """Logits [rows, labels] of a classifier, last hidden states [tokens, hidden] of a bare encoder.
    """
    model = copy.deepcopy(model).double().eval()
    with torch.no_grad():
        outputs = [model(**row) for row in tiny_bert.batches_of_one(rows)]
    return packed([output.logits if "logits" in output else output.last_hidden_state for output in outputs])


def make_case(case: Case, seed: int, folder: Path, rows: dict, config: type = LoraConfig) -> dict:
    base = base_of(case)
    model = get_peft_model(base, config(task_type=case.task, **case.settings))
    randomise_trainable(model, seed)
    if case.pruned:
        prune(model, seed)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    if case.dtype != "float32":
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.to(getattr(torch, case.dtype))
    save_adapter(model, folder)
    before = results(model, rows)
    if case.edits:
        edit_config(folder, case.edits)

    # What counts is what PEFT computes after reading the files, not what it computed before writing
    # them.
    value = results(PeftModel.from_pretrained(base_of(case), folder), rows)
    # Sums over fewer ranks are rounded otherwise.
    same = (value - before).abs().max() <= (1e-12 if case.pruned else 0)
    assert same != bool(case.edits) or case.name.startswith("targets-"), (
        f"{case.name}: PEFT reads what it did not write"
    )
    output = "last_hidden_state" if case.task == "FEATURE_EXTRACTION" else "logits"
    plain = results(base_of(case), rows)
    assert (value - plain).abs().max() > 0.05, f"{case.name} does not change the model"
    write_tensors(folder / "expected.safetensors", {output: value, f"without_adapter.{output}": plain})
    return {
        "name": case.name,
        "about": case.about,
        "base": base.name_or_path,
        "output": output,
        "trainable_parameters": trainable,
    }


def make() -> None:
    rows = tiny_bert.inputs()
    kinds = [("lora", LoraConfig, CASES), ("ia3", IA3Config, IA3_CASES), ("adalora", AdaLoraConfig, ADALORA_CASES)]
    for name, config, cases in kinds:
        top = fresh_folder(name)
        if name == "lora":
            write_json(top / "inputs.json", rows)
        made = [make_case(case, 100 + i, top / case.name, rows, config) for i, case in enumerate(cases)]
        write_json(top / "cases.json", made)
