"""preference-training: ten training steps of PEFT on pairs of answers, by the losses of TRL's
DPOTrainer with the base model as reference."""

import random
from dataclasses import dataclass, field
from functools import partial

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn.functional import logsigmoid, relu

from . import tiny_llama, tiny_seq2seq
from .files import ROOT, fresh_folder, write_both, write_json
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, STEPS, trained, without_gradient

PAIRS, VOCABULARY = 3, tiny_llama.SIZES["vocab_size"]


@dataclass(frozen=True)
class Variant:
    name: str
    about: str
    loss: dict = field(default_factory=dict)
    folder: str = "llama-tiny/plain"
    task: str = "CAUSAL_LM"
    beta: float = 0.5


VARIANTS = [
    Variant("sigmoid", "The plain case."),
    Variant("smoothed", "Some preferences are wrong.", dict(label_smoothing=0.2)),
    Variant("reference-free", "No reference.", dict(reference_free=True), beta=0.1),
    Variant("hinge", "A margin.", dict(loss_type="hinge"), beta=0.2),
    Variant("ipo", "Means over tokens.", dict(loss_type="ipo")),
    Variant("bart", "Answers that a decoder writes.", {}, "seq2seq-tiny/bart", "SEQ_2_SEQ_LM"),
]


def batches() -> list[dict]:
    """Ten batches of three pairs of ragged rows, of which the last tokens are an answer; and
    answers for models that write them to the whole row."""
    source = random.Random(23)

    def some(least: int, most: int) -> list[int]:
        return [source.randrange(3, VOCABULARY) for _ in range(source.randint(least, most))]

    made = []
    for _ in range(STEPS):
        prompts = [some(1, 8) for _ in range(PAIRS)]
        answers = [some(1, 8) for _ in range(2 * PAIRS)]
        prompts = [prompt for prompt in prompts for _ in range(2)]
        made.append(
            {
                "input_ids": [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)],
                "token_labels": [
                    [-100] * len(prompt) + answer for prompt, answer in zip(prompts, answers, strict=True)
                ],
                "group_places": [0, 1] * PAIRS,
                "target_ids": answers,
            }
        )
    return made


def base(variant: Variant) -> torch.nn.Module:
    family, name = variant.folder.split("/")
    model = (tiny_llama if family == "llama-tiny" else tiny_seq2seq).load(name)
    model.name_or_path = variant.folder
    return model


def log_probabilities(variant: Variant, model: PeftModel, batch: dict) -> torch.Tensor:
    """Of each row's answer, each row run alone: the sums, or for IPO the means, as TRL has it."""
    rows = []
    for row, (ids, labels, target) in enumerate(
        zip(batch["input_ids"], batch["token_labels"], batch["target_ids"], strict=True)
    ):
        if variant.task == "CAUSAL_LM":
            logits = model(input_ids=torch.tensor([ids])).logits[0, :-1]
            wanted = torch.tensor(labels[1:])
        else:
            wanted = torch.tensor(target)
            logits = model(input_ids=torch.tensor([ids]), labels=wanted[None]).logits[0]
        counts = wanted >= 0
        chosen = logits.log_softmax(-1)[counts].gather(1, wanted[counts][:, None])
        rows.append(chosen.mean() if variant.loss.get("loss_type") == "ipo" else chosen.sum())
    return torch.stack(rows)


def loss_of(variant: Variant, model: PeftModel, batch: dict) -> torch.Tensor:
    """`DPOTrainer.dpo_loss` of TRL, written down: rows alternate between chosen and rejected."""
    policy = log_probabilities(variant, model, batch)
    with torch.no_grad(), model.disable_adapter():
        reference = log_probabilities(variant, model, batch)
    ratios = policy - (0 if variant.loss.get("reference_free") else reference)
    logits, beta = ratios[0::2] - ratios[1::2], variant.beta
    smoothing = variant.loss.get("label_smoothing", 0.0)
    kind = variant.loss.get("loss_type", "sigmoid")
    if kind == "hinge":
        losses = relu(1 - beta * logits)
    elif kind == "ipo":
        losses = (logits - 1 / (2 * beta)) ** 2
    else:
        losses = -logsigmoid(beta * logits) * (1 - smoothing) - logsigmoid(-beta * logits) * smoothing
    return losses.mean()


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / "preference-training" / variant.name
    settings = dict(r=2, lora_alpha=4, target_modules="all-linear")
    model = get_peft_model(base(variant), LoraConfig(task_type=variant.task, **settings))
    randomise_trainable(model, seed, scale=0.1)
    save_adapter(model, folder / "start")
    double, single = trained(partial(base, variant), folder / "start", batches(), partial(loss_of, variant))
    still = without_gradient(double["gradients"])
    distance = write_both(folder, double, single, still)
    return {
        "name": variant.name,
        "about": variant.about,
        "base": variant.folder,
        "task": variant.task,
        "loss": "dpo",
        "loss_settings": {"beta": variant.beta, **variant.loss},
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": still,
        "torch_float32_loss_deviation": distance,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("preference-training")
    write_json(top / "batches.json", batches())
    write_json(top / "variants.json", [make_variant(variant, 1000 + i) for i, variant in enumerate(VARIANTS)])
