"""The PEFT side of the parity tests: adapters made, saved, loaded and run by the real package."""

from pathlib import Path

import torch
from peft import AdaLoraConfig, IA3Config, LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

import graft

#: So large a rate that a step is far above the rounding of the parameters it changes.
PROBE_RATE = 64.0

CONFIGS = {"lora": LoraConfig, "ia3": IA3Config, "adalora": AdaLoraConfig}


def base(folder: Path, labels: int) -> torch.nn.Module:
    return AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=labels, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def randomise(model: torch.nn.Module, is_wanted) -> None:
    """Random numbers in the parameters that are wanted by their names; factors stay about
    theirs."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if is_wanted(name, parameter):
                noise = torch.randn_like(parameter) * 0.05
                is_factor = "ia3_l" in name or "lora_magnitude_vector" in name
                parameter.copy_(parameter + noise if is_factor else noise)


def adapted(folder: Path, labels: int, seed: int = 0, method: str = "lora", **settings) -> PeftModel:
    """A PEFT model whose trained tensors are random, so that none of them can be lost unseen."""
    torch.manual_seed(seed)
    model = get_peft_model(base(folder, labels), CONFIGS[method](task_type="SEQ_CLS", **settings))
    randomise(model, lambda _, parameter: parameter.requires_grad)
    return model.eval()


def loaded(folder: Path, adapter: Path, labels: int) -> PeftModel:
    return PeftModel.from_pretrained(base(folder, labels), adapter).eval()


def padded(rows: list[list[int]]) -> dict:
    longest = max(map(len, rows))
    return {
        "input_ids": torch.tensor([row + [0] * (longest - len(row)) for row in rows]),
        "attention_mask": torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows]),
    }


def logits(model: torch.nn.Module, rows: list[list[int]], types: list[list[int]] | None = None) -> torch.Tensor:
    """[rows, labels], one padded batch."""
    batch = padded(rows)
    if types is not None:
        batch["token_type_ids"] = padded(types)["input_ids"]
    with torch.inference_mode():
        return model(**batch).logits


def gradients(model: PeftModel) -> dict[str, torch.Tensor]:
    """After a backward pass, by the names of an adapter file."""
    found = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    missing = torch.full((1,), torch.nan)
    state = {name: found.get(name, missing) for name in model.state_dict()}
    saved = get_peft_model_state_dict(model, state_dict=state)
    return {name: tensor for name, tensor in saved.items() if not tensor.isnan().any()}


def graft_gradients(
    model: graft.Model, adapter: graft.Adapter, batch: graft.Batch, folder: Path
) -> dict[str, torch.Tensor]:
    """The same of a batch in Graft, which writes the adapter below `folder`: one plain step of SGD
    moves a parameter by the rate times its gradient."""
    adapter.save(folder / "before")
    options = dict(optimizer="sgd", optimizer_settings={"momentum": 0}, learning_rate=PROBE_RATE)
    with graft.Trainer(model, adapter, maximum_gradient_norm=0.0, schedule="constant", **options) as trainer:
        trainer.step(batch)
    adapter.save(folder / "after")
    before, after = (load_file(folder / part / "adapter_model.safetensors") for part in ("before", "after"))
    return {name: (before[name].double() - after[name].double()) / PROBE_RATE for name in after}
