"""The peers' side of every training benchmark: a classifier with an adapter."""

import itertools
import math
import time
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

from data import LINEAR_LORA
from methods import FEW_STEPS, METHODS
from settings import MODELS, prepare_torch
from tasks import TASKS

PRECISIONS = ("default", "medium", "bfloat16")


def torch_for(precision: str):
    """`medium` lets oneDNN choose its faster float32 products; they are float32-grade on this kind
    of machine.
    """
    return prepare_torch("medium" if precision == "medium" else None)


def load_tokenizer(model: Path = MODELS / "minilm"):
    """The Rust tokenizer alone: transformers' wrapper would add time that is not the peer's."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(512)
    return tokenizer


def load(
    model: str | Path,
    labels: int,
    model_dropout: float,
    lora_dropout: float = 0.0,
    method: str = "lora",
    steps: int = FEW_STEPS,
    task: str = "classification",
    learns_pooler: bool = False,
):
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(
        MODELS / model,
        num_labels=labels or 2,
        hidden_dropout_prob=model_dropout,
        attention_probs_dropout_prob=model_dropout,
    )
    if method == "bottleneck":
        from adapters import AutoAdapterModel

        adapted = AutoAdapterModel.from_pretrained(MODELS / model, config=config, dtype=torch.float32)
        adapted.add_adapter("default", config="seq_bn")
        adapted.add_classification_head("default", num_labels=labels)
        adapted.train_adapter("default")
        return adapted
    import peft

    kinds = {
        "classification": transformers.AutoModelForSequenceClassification,
        "tagging": transformers.AutoModelForTokenClassification,
        "answering": transformers.AutoModelForQuestionAnswering,
        "embeddings": transformers.AutoModel,
    }
    base = kinds[task].from_pretrained(MODELS / model, config=config, dtype=torch.float32)
    kind = {
        "adalora": peft.AdaLoraConfig,
        "lora": peft.LoraConfig,
        "prefix_tuning": peft.PrefixTuningConfig,
        "prompt_tuning": peft.PromptTuningConfig,
    }[method]
    settings = METHODS[method].settings_for(steps, lora_dropout)
    if learns_pooler:
        settings["modules_to_save"] = ["pooler"]
    adapted = peft.get_peft_model(base, kind(task_type=TASKS[task].task_type, **settings))
    return PairLoss(adapted) if task == "embeddings" else adapted


def vectors(model, batch: dict):
    """Of each row the mean of its last hidden states, of length 1."""
    import torch

    states = model(**batch).last_hidden_state
    shares = batch["attention_mask"].unsqueeze(-1).float()
    return torch.nn.functional.normalize((states * shares).sum(1) / shares.sum(1))


def pair_loss(name: str):
    """A loss of sentence-transformers, of the vectors of both sides and how alike they should be,
    which negatives do not read.
    """
    from sentence_transformers.sentence_transformer import losses

    kinds = {
        "cosent": losses.CoSENTLoss,
        "cosine_similarity": losses.CosineSimilarityLoss,
        "in_batch_negatives": losses.MultipleNegativesRankingLoss,
    }
    return kinds[name](None).compute_loss_from_embeddings


class PairLoss:
    """A model of vectors, with a loss for `stepper`: rows are pairs, one after the other."""

    def __init__(self, model) -> None:
        self.model = model
        self.loss = pair_loss("cosent")
        self.train, self.eval, self.parameters = model.train, model.eval, model.parameters

    def __call__(self, targets, **batch) -> SimpleNamespace:
        found = vectors(self.model, batch)
        return SimpleNamespace(loss=self.loss([found[::2], found[1::2]], targets))


def labelled(columns: dict[str, list]) -> dict:
    """What the classes of transformers, or PairLoss, take beside the tokens."""
    import torch

    given = {name: torch.tensor(values) for name, values in columns.items()}
    match given:
        case {"answer_spans": spans}:
            return {"start_positions": spans[:, 0], "end_positions": spans[:, 1]}
        case {"targets": targets}:
            return {"targets": targets[::2]}
        case {"token_labels": labels} | {"labels": labels}:
            return {"labels": labels}
        case _:
            raise ValueError(f"no class takes {', '.join(columns)}")


def after_update(model, number: int) -> None:
    """What a method does after an optimizer's step, of which this is the `number`-th."""
    if hasattr(model, "peft_config") and model.peft_config["default"].peft_type == "ADALORA":
        model.base_model.update_and_allocate(number)


def collate(rows: list[list[int]]) -> dict:
    """Padded to the longest row of the batch."""
    import torch

    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": mask}


def begun(base, start: Path | None, task_type: str):
    """A class of transformers with the adapter of a folder, or a fresh one of the recipes."""
    from peft import LoraConfig, PeftModel, get_peft_model

    if start:
        return PeftModel.from_pretrained(base, start, is_trainable=True).train()
    return get_peft_model(base, LoraConfig(task_type=task_type, **LINEAR_LORA)).train()


def train(model, losses: Iterable, steps: int, learning_rate: float, head_lr_ratio: float = 1) -> float:
    """Makes a step of each loss, of which there are `steps`, before the next one is computed:
    AdamW with decay 0.01, a linear schedule with 6 % of warm-up, gradients clipped to norm 1;
    returns the seconds. The head, and whatever else is not of the method, has its own rate.
    """
    import torch
    from transformers import get_linear_schedule_with_warmup

    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    trained = [parameter for _, parameter in named]
    groups = [
        {"params": [own for name, own in named if ("modules_to_save" in name) == is_head], "lr": learning_rate * ratio}
        for is_head, ratio in ((False, 1), (True, head_lr_ratio))
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(0.06 * steps), steps)
    start = time.perf_counter()
    for number, loss in enumerate(losses, 1):
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        after_update(model, number)
        optimizer.zero_grad(set_to_none=True)
    return round(time.perf_counter() - start, 1)


def stepper(model, precision: str, learning_rate: float = 1e-4):
    """A function that does one whole step: forward, backward, AdamW, and what the method does
    then."""
    import torch

    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=0.01)
    numbers = itertools.count(1)

    def step(batch: dict) -> float:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        after_update(model, next(numbers))
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step
