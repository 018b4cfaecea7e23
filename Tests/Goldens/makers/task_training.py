"""task-training: ten training steps of PEFT for each task with a dense head: losses, first
gradients, the adapter at the end, and what it computes at the start."""

import random
from dataclasses import dataclass, field
from functools import partial

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from .files import ROOT, deviation, fresh_folder, packed, write_both, write_json, write_tensors
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, STEPS, trained, without_gradient
from .tiny_models import without_dropout

VOCABULARY, WIDTH = 110, 3
MODULES = {
    "bert": ["query", "value"], "llama": ["q_proj", "v_proj"], "gpt2": ["c_attn"], "roberta": ["query", "value"],
}  # fmt: skip
CLASSES = {
    "SEQ_CLS": AutoModelForSequenceClassification,
    "TOKEN_CLS": AutoModelForTokenClassification,
    "QUESTION_ANS": AutoModelForQuestionAnswering,
}


def padded(rows: list, filler: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [filler] * (longest - len(row)) for row in rows])


@dataclass(frozen=True)
class Variant:
    architecture: str
    task: str
    about: str
    peft_task: str = "SEQ_CLS"
    labels: int = WIDTH
    changes: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.architecture}-{self.task}".replace("_", "-")

    @property
    def base(self) -> str:
        if self.peft_task == "QUESTION_ANS":
            return f"question-answering/{self.architecture}-tiny"
        kind = "token" if self.peft_task == "TOKEN_CLS" else "sequence"
        return f"{self.architecture}-tiny/{kind}-classification"


VARIANTS = [
    variant
    for architecture in ("bert", "llama", "gpt2")
    for variant in (
        Variant(architecture, "token_classification", "A label for each token.", "TOKEN_CLS", labels=5),
        Variant(
            architecture,
            "multi_label_classification",
            "Labels that do not exclude each other.",
            changes=dict(problem_type="multi_label_classification"),
        ),
        Variant(architecture, "regression", "Values.", changes=dict(problem_type="regression")),
    )
] + [
    Variant("bert", "regression_of_one", "One value, which needs no problem_type.", labels=1),
    Variant("roberta", "token_classification", "A head of one layer, where one of rows has two.", "TOKEN_CLS", labels=5),
    Variant("roberta", "regression", "A head of two layers.", changes=dict(problem_type="regression")),
] + [
    Variant(architecture, "question_answering", "Where a row's answer starts and ends.", "QUESTION_ANS", labels=2)
    for architecture in ("bert", "roberta", "llama", "gpt2")
]


def batches() -> list[dict]:
    """Ten batches of four ragged rows: a label for each token, -100 where it does not count,
    three targets a row, and the span of an answer, of which a row may have none."""
    source = random.Random(13)
    made = []
    for _ in range(STEPS):
        lengths = [source.randint(2, 16) for _ in range(4)]
        ids = [[source.randrange(1, VOCABULARY) for _ in range(n)] for n in lengths]
        tags = [[-100 if source.random() < 0.3 else source.randrange(5) for _ in row] for row in ids]
        for row in tags:
            row[-1] = source.randrange(5)
        made.append(
            {
                "input_ids": ids,
                "token_labels": tags,
                "label_sets": [[float(source.randrange(2)) for _ in range(WIDTH)] for _ in lengths],
                "values": [[round(source.uniform(-2, 2), 3) for _ in range(WIDTH)] for _ in lengths],
            }
        )
    spans = random.Random(14)
    for batch in made:
        for row in batch["input_ids"]:
            start = spans.randrange(len(row))
            span = [start, spans.randrange(start, len(row))]
            batch.setdefault("answer_spans", []).append(span if spans.random() < 0.8 else [len(row), len(row)])
    return made


def targets(variant: Variant, batch: dict, dtype: torch.dtype) -> torch.Tensor:
    if variant.peft_task == "TOKEN_CLS":
        return padded(batch["token_labels"], -100)
    rows = batch["label_sets"] if variant.task == "multi_label_classification" else batch["values"]
    return torch.tensor(rows, dtype=dtype)[:, : variant.labels]


def loss_of(variant: Variant, model: torch.nn.Module, batch: dict) -> torch.Tensor:
    if variant.peft_task == "QUESTION_ANS":
        return span_loss(model, batch)
    ids = padded(batch["input_ids"], 0)
    mask = padded([[1] * len(row) for row in batch["input_ids"]], 0)
    labels = targets(variant, batch, model.dtype)
    output = model(input_ids=ids, attention_mask=mask, labels=labels)
    # transformers' own losses, some of which round to float32.
    if variant.peft_task == "TOKEN_CLS":
        loss = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
    elif variant.task == "multi_label_classification":
        loss = torch.nn.functional.binary_cross_entropy_with_logits(output.logits, labels)
    else:
        loss = torch.nn.functional.mse_loss(output.logits, labels)
    assert abs(loss.item() - output.loss.item()) < 1e-5, f"{variant.name}: transformers has another loss"
    return loss


def span_loss(model: torch.nn.Module, batch: dict) -> torch.Tensor:
    """The mean over the rows whose answer is in them, each alone: transformers' own losses take
    the padding of a batch for tokens."""
    losses = []
    for ids, (start, end) in zip(batch["input_ids"], batch["answer_spans"], strict=True):
        if end >= len(ids):
            continue
        output = model(
            input_ids=torch.tensor([ids]), start_positions=torch.tensor([start]), end_positions=torch.tensor([end])
        )
        losses.append(output.loss)
    return torch.stack(losses).mean()


def base(variant: Variant) -> torch.nn.Module:
    model = CLASSES[variant.peft_task].from_pretrained(
        ROOT / variant.base,
        num_labels=variant.labels,
        ignore_mismatched_sizes=True,
        attn_implementation="eager",
        **variant.changes,
    )
    model.name_or_path = variant.base
    model.config.pad_token_id = 0
    return without_dropout(model)


def logits(variant: Variant, folder, dtype: torch.dtype) -> torch.Tensor:
    """Of the first batch, each row alone: [rows, labels] or [tokens, labels]."""
    model = PeftModel.from_pretrained(base(variant), folder).to(dtype).eval()
    with torch.no_grad():
        results = [model(input_ids=torch.tensor([row])) for row in batches()[0]["input_ids"]]
    if variant.peft_task == "QUESTION_ANS":
        return packed([torch.stack([result.start_logits, result.end_logits], -1) for result in results])
    return packed([result.logits for result in results])


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / "task-training" / variant.name
    settings = dict(r=4, lora_alpha=8, target_modules=MODULES[variant.architecture])
    model = get_peft_model(base(variant), LoraConfig(task_type=variant.peft_task, **settings))
    randomise_trainable(model, seed)
    save_adapter(model, folder / "start")
    expected = logits(variant, folder / "start", torch.float64)
    distance = deviation({"": expected}, {"": logits(variant, folder / "start", torch.float32)})
    write_tensors(folder / "expected.safetensors", {"logits": expected}, torch_float32_deviation=distance)

    double, single = trained(partial(base, variant), folder / "start", batches(), partial(loss_of, variant))
    distance = write_both(folder, double, single)
    return {
        "name": variant.name,
        "about": variant.about,
        "base": variant.base,
        "changes": variant.changes,
        "task": variant.task.removesuffix("_of_one"),
        "labels": variant.labels,
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": without_gradient(double["gradients"]),
        "torch_float32_loss_deviation": distance,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("task-training")
    write_json(top / "batches.json", batches())
    write_json(top / "variants.json", [make_variant(variant, 600 + i) for i, variant in enumerate(VARIANTS)])
