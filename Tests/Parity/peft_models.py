"""The PEFT side of the parity tests: adapters made, saved, loaded and run by the real package."""

from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForSequenceClassification

from conftest import GOLDENS

TINY = GOLDENS / "bert-tiny" / "sequence-classification"


def base(folder: Path, labels: int) -> torch.nn.Module:
    return AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=labels, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def adapted(folder: Path, labels: int, seed: int = 0, **settings) -> PeftModel:
    """A PEFT model whose trained tensors are random, so that none of them can be lost unseen."""
    torch.manual_seed(seed)
    model = get_peft_model(base(folder, labels), LoraConfig(task_type="SEQ_CLS", **settings))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn_like(parameter) * 0.05)
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
