"""The peers' side of every training benchmark: a classifier with an adapter."""

import itertools

from methods import FEW_STEPS, METHODS
from settings import MODELS, prepare_torch

PRECISIONS = ("default", "medium", "bfloat16")


def torch_for(precision: str):
    """`medium` lets oneDNN choose its faster float32 products; they are float32-grade on this kind
    of machine.
    """
    return prepare_torch("medium" if precision == "medium" else None)


def load_tokenizer():
    """The Rust tokenizer alone: transformers' wrapper would add time that is not the peer's."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(MODELS / "minilm" / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(512)
    return tokenizer


def load(
    model: str,
    labels: int,
    model_dropout: float,
    lora_dropout: float = 0.0,
    method: str = "lora",
    steps: int = FEW_STEPS,
):
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(
        MODELS / model,
        num_labels=labels,
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
    from transformers import AutoModelForSequenceClassification

    base = AutoModelForSequenceClassification.from_pretrained(MODELS / model, config=config, dtype=torch.float32)
    kind = {
        "adalora": peft.AdaLoraConfig,
        "lora": peft.LoraConfig,
        "prefix_tuning": peft.PrefixTuningConfig,
        "prompt_tuning": peft.PromptTuningConfig,
    }[method]
    return peft.get_peft_model(base, kind(task_type="SEQ_CLS", **METHODS[method].settings_for(steps, lora_dropout)))


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
