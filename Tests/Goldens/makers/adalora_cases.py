"""The AdaLoRA cases, as those of lora_cases, most of them pruned as training leaves them."""

import random

from peft import PeftModel

from .lora_cases import Case

QV = dict(target_modules=["query", "value"], lora_alpha=32, total_step=10)
ALL = dict(target_modules="all-linear", init_r=5, target_r=2, lora_alpha=40, total_step=10)

CASES = [
    Case("default", "PEFT's defaults, and no rank pruned.", dict(lora_alpha=60, total_step=10)),
    Case("pruned", "Modules with all ranks, with some, and with none.", dict(init_r=4, target_r=2, **QV), pruned=True),
    Case("all-linear", "Every product, and every bias.", dict(bias="all", **ALL), pruned=True),
    Case("bias-lora-only", "The biases of the modules adapted.", dict(init_r=3, target_r=1, bias="lora_only", **QV), pruned=True),
    Case("save-and-dropout", "One module in full, and dropout.", dict(modules_to_save=["pooler"], lora_dropout=0.3, **QV), pruned=True),
    Case(
        "passed-over",
        "What LoRA would scale by and AdaLoRA does not.",
        dict(r=2, use_rslora=True, alpha_pattern={"query": 3}, init_r=4, target_r=2, **QV),
        pruned=True,
    ),
    Case(
        "without-alpha",
        "Without an alpha PEFT scales by the ranks that a module still has.",
        dict(init_r=4, target_r=2, **QV),
        edits=dict(lora_alpha=0),
        pruned=True,
    ),
    Case("no-task", "No task: the classifier is the base model's.", dict(init_r=4, target_r=2, **QV), task=None, pruned=True),
    Case("feature-extraction", "Trained on the bare encoder.", dict(init_r=4, target_r=2, **QV), task="FEATURE_EXTRACTION", pruned=True),
    Case("stored-float16", "Stored in float16.", dict(init_r=4, target_r=2, **QV), dtype="float16", pruned=True),
]


def prune(model: PeftModel, seed: int) -> None:
    """Prunes at random, one module in full and one not at all, as PEFT does it."""
    source = random.Random(seed)
    inner = model.base_model.model
    names = sorted(name for name, _ in inner.named_parameters() if "lora_E" in name)
    count = model.peft_config["default"].init_r
    pattern = {name: [source.random() < 0.5 for _ in range(count)] for name in names}
    pattern[names[1]], pattern[names[2]] = [False] * count, [True] * count
    model.base_model.rankallocator.mask_using_rank_pattern(inner, pattern)
    model.peft_config["default"].rank_pattern = pattern
