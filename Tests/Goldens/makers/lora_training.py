"""lora-training: ten training steps of PEFT on bert-tiny: losses, first gradients, and the adapter
at the end.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

from . import tiny_bert
from .files import ROOT, fresh_folder, write_both, write_json
from .lora import randomise_trainable, save_adapter
from .tiny_models import without_dropout

STEPS = 10
MAXIMUM_NORM = 1.0
OPTIMIZER = dict(name="adamw", learning_rate=1e-3, weight_decay=0.01)
SCHEDULES = {"linear": get_linear_schedule_with_warmup, "cosine": get_cosine_schedule_with_warmup}


@dataclass(frozen=True)
class Variant:
    name: str
    about: str
    lora: dict
    optimizer: dict = field(default_factory=lambda: OPTIMIZER)
    schedule: str = "constant"
    warmup_steps: int = 0
    class_weights: list | None = None
    label_smoothing: float = 0.0


QV = dict(r=4, lora_alpha=8, target_modules=["query", "value"])

VARIANTS = [
    Variant("query-value", "The plain case: two products a layer and the classifier.", QV),
    Variant(
        "everything",
        "Every product, every bias, biases of B, the pooler in full.",
        dict(r=2, lora_alpha=4, target_modules="all-linear", bias="all", lora_bias=True, modules_to_save=["pooler"]),
    ),
    Variant(
        "embeddings-and-feed-forward",
        "Gradients down to the embedding tables.",
        dict(
            r=2,
            lora_alpha=6,
            target_modules=["word_embeddings", "position_embeddings", "intermediate.dense", "output.dense"],
        ),
    ),
    Variant(
        "weighted-and-smoothed",
        "Class weights and label smoothing.",
        QV,
        class_weights=[0.5, 2.0, 1.25],
        label_smoothing=0.1,
    ),
    Variant(
        "sgd-momentum", "SGD with momentum.", QV, dict(name="sgd", learning_rate=0.05, momentum=0.9, weight_decay=0.01)
    ),
    Variant("linear-schedule", "Two steps of warm-up, then a line to zero.", QV, schedule="linear", warmup_steps=2),
    Variant("cosine-schedule", "Three steps of warm-up, then half a cosine.", QV, schedule="cosine", warmup_steps=3),
]


def batches() -> list[dict]:
    """Ten batches of four ragged rows with labels."""
    source = random.Random(11)
    made = []
    for _ in range(STEPS):
        lengths = [source.randint(1, 16) for _ in range(4)]
        ids = [[source.randrange(tiny_bert.SIZES["vocab_size"]) for _ in range(n)] for n in lengths]
        made.append({"input_ids": ids, "labels": [source.randrange(3) for _ in lengths]})
    return made


def padded(batch: dict) -> dict:
    longest = max(map(len, batch["input_ids"]))
    ids = [row + [0] * (longest - len(row)) for row in batch["input_ids"]]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in batch["input_ids"]]
    return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}


def base() -> torch.nn.Module:
    model = tiny_bert.load_classifier()
    model.name_or_path = "bert-tiny/sequence-classification"
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.0
    return without_dropout(model)


def make_optimizer(settings: dict, parameters: list) -> torch.optim.Optimizer:
    settings = dict(settings)
    kind = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[settings.pop("name")]
    return kind(parameters, lr=settings.pop("learning_rate"), **settings)


def saved_names(model: PeftModel, tensors: dict) -> dict:
    """Tensors by the model's names → by the names they have in an adapter file."""
    complete = {name: tensors.get(name, torch.full((1,), torch.nan)) for name in model.state_dict()}
    saved = get_peft_model_state_dict(model, state_dict=complete)
    return {name: tensor for name, tensor in saved.items() if not tensor.isnan().any()}


def train(variant: Variant, folder, dtype: torch.dtype) -> dict:
    """Runs the ten steps from the saved adapter in the given precision."""
    model = PeftModel.from_pretrained(base(), folder, is_trainable=True).to(dtype).train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(variant.optimizer, parameters)
    schedule = None
    if variant.schedule != "constant":
        schedule = SCHEDULES[variant.schedule](optimizer, variant.warmup_steps, STEPS)
    weights = None if variant.class_weights is None else torch.tensor(variant.class_weights, dtype=dtype)
    criterion = torch.nn.CrossEntropyLoss(weight=weights, label_smoothing=variant.label_smoothing)

    steps, gradients = [], {}
    for batch in batches():
        optimizer.zero_grad()
        loss = criterion(model(**padded(batch)).logits, torch.tensor(batch["labels"]))
        loss.backward()
        if not gradients:
            named = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
            gradients = saved_names(model, named)
        norm = torch.nn.utils.clip_grad_norm_(parameters, MAXIMUM_NORM)
        steps.append(
            {"loss": loss.item(), "learning_rate": optimizer.param_groups[0]["lr"], "gradient_norm": norm.item()}
        )
        optimizer.step()
        if schedule:
            schedule.step()
    return {"steps": steps, "gradients": gradients, "final": get_peft_model_state_dict(model)}


def without_gradient(gradients: dict, bound: float = 1e-12) -> list[str]:
    """Tensors whose gradient is zero by nature, as of the bias of the keys, which softmax ignores.

    Adam divides noise by noise there: after a step such a tensor is arbitrary, so a test must leave
    it out."""
    return sorted(name for name, tensor in gradients.items() if tensor.abs().max() < bound)


def ten_steps(model: PeftModel, batches: list[dict], loss_of: Callable[[PeftModel, dict], torch.Tensor]) -> dict:
    """Losses and norms of the steps, the first gradients, and the adapter at the end."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(OPTIMIZER, parameters)
    steps, gradients = [], {}
    for batch in batches:
        optimizer.zero_grad()
        loss = loss_of(model, batch)
        loss.backward()
        if not gradients:
            named = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
            gradients = saved_names(model, named)
        norm = torch.nn.utils.clip_grad_norm_(parameters, MAXIMUM_NORM)
        steps.append({"loss": loss.item(), "gradient_norm": norm.item()})
        optimizer.step()
    # By itself PEFT would save frozen tables of embeddings beside what adapts them.
    final = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {"steps": steps, "gradients": gradients, "final": final}


def trained(
    base: Callable[[], torch.nn.Module],
    folder: Path,
    batches: list[dict],
    loss_of: Callable[[PeftModel, dict], torch.Tensor],
) -> list[dict]:
    """Ten steps from the adapter that the folder has, in float64 and in float32."""
    return [
        ten_steps(PeftModel.from_pretrained(base(), folder, is_trainable=True).to(dtype).train(), batches, loss_of)
        for dtype in (torch.float64, torch.float32)
    ]


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / "lora-training" / variant.name
    model = get_peft_model(base(), LoraConfig(task_type="SEQ_CLS", **variant.lora))
    randomise_trainable(model, seed)
    save_adapter(model, folder / "start")

    double = train(variant, folder / "start", torch.float64)
    single = train(variant, folder / "start", torch.float32)
    still = without_gradient(double["gradients"])
    distance = write_both(folder, double, single, still)
    return {
        "name": variant.name,
        "about": variant.about,
        "optimizer": variant.optimizer,
        "schedule": variant.schedule,
        "warmup_steps": variant.warmup_steps,
        "class_weights": variant.class_weights,
        "label_smoothing": variant.label_smoothing,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": still,
        "torch_float32_loss_deviation": distance,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("lora-training")
    write_json(top / "batches.json", batches())
    write_json(top / "variants.json", [make_variant(variant, 200 + i) for i, variant in enumerate(VARIANTS)])
