"""group-training: ten training steps of PEFT with losses of the scores of rows that come in groups:
transformers' multiple choice, and sentence-transformers' losses of rankings."""

import random
from dataclasses import dataclass
from functools import partial

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from sentence_transformers.cross_encoder.losses import ListNetLoss, RankNetLoss
from transformers import AutoModelForMultipleChoice, AutoModelForSequenceClassification

from .files import ROOT, fresh_folder, write_both, write_json
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, STEPS, trained, without_gradient
from .task_training import MODULES, VOCABULARY, padded
from .tiny_models import without_dropout

BASE = "bert-tiny/sequence-classification"
GROUPS, SIZE = 3, 3


class Scores:
    """A cross-encoder of sentence-transformers whose scores are known."""

    num_labels = 1
    device = torch.device("cpu")

    def __init__(self, scores: torch.Tensor) -> None:
        self.scores = scores

    def preprocess(self, pairs: list, **_: object) -> dict:
        return {}

    def __call__(self, _: dict) -> dict:
        return {"scores": self.scores}


@dataclass(frozen=True)
class Variant:
    name: str
    about: str
    task: str
    loss: str | None = None
    kind: type | None = None


VARIANTS = [
    Variant("multiple-choice", "The right one of a group's rows.", "multiple_choice"),
    Variant("list-net", "A group's softmax against its targets'.", "regression", "list_net", ListNetLoss),
    Variant("rank-net", "Pairs of a group by their targets' order.", "regression", "rank_net", RankNetLoss),
]


def batches() -> list[dict]:
    """Ten batches of three groups of three rows, with the right row and a relevance of each."""
    source = random.Random(19)
    made = []
    for _ in range(STEPS):
        rows = GROUPS * SIZE
        right = [source.randrange(SIZE) for _ in range(GROUPS)]
        made.append(
            {
                "input_ids": [
                    [source.randrange(1, VOCABULARY) for _ in range(source.randint(2, 12))] for _ in range(rows)
                ],
                "group_places": [row % SIZE for row in range(rows)],
                "labels": [int(row % SIZE == right[row // SIZE]) for row in range(rows)],
                "targets": [float(source.randrange(3)) for _ in range(rows)],
            }
        )
    return made


def base(variant: Variant) -> torch.nn.Module:
    kind = AutoModelForMultipleChoice if variant.kind is None else AutoModelForSequenceClassification
    settings = {} if variant.kind is None else {"num_labels": 1}
    torch.manual_seed(0)
    model = kind.from_pretrained(
        ROOT / BASE, ignore_mismatched_sizes=True, attn_implementation="eager", **settings
    )
    model.name_or_path = BASE
    return without_dropout(model)


def loss_of(variant: Variant, model: torch.nn.Module, batch: dict) -> torch.Tensor:
    ids = padded(batch["input_ids"], 0)
    mask = padded([[1] * len(row) for row in batch["input_ids"]], 0)
    if variant.kind is None:
        right = torch.tensor(batch["labels"]).view(GROUPS, SIZE).argmax(1)
        shaped = [part.view(GROUPS, SIZE, -1) for part in (ids, mask)]
        return model(input_ids=shaped[0], attention_mask=shaped[1], labels=right).loss
    scores = model(input_ids=ids, attention_mask=mask).logits.view(-1)
    targets = torch.tensor(batch["targets"]).view(GROUPS, SIZE)
    queries = ["q"] * GROUPS
    documents = [["d"] * SIZE] * GROUPS
    # The loss itself computes in float32, whatever the scores are.
    loss = variant.kind(Scores(scores), mini_batch_size=-1)
    return loss((queries, documents), list(targets)).to(scores.dtype)


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / "group-training" / variant.name
    settings = dict(r=4, lora_alpha=8, target_modules=MODULES["bert"])
    model = get_peft_model(base(variant), LoraConfig(task_type="SEQ_CLS", **settings))
    randomise_trainable(model, seed)
    save_adapter(model, folder / "start")
    if variant.kind is None:
        # PEFT has one name for this task and for others; Graft keeps it in the file's metadata.
        file = folder / "start" / "adapter_model.safetensors"
        save_file(load_file(file), file, {"format": "pt", "task": variant.task})
    double, single = trained(partial(base, variant), folder / "start", batches(), partial(loss_of, variant))
    distance = write_both(folder, double, single)
    return {
        "name": variant.name,
        "about": variant.about,
        "base": BASE,
        "changes": {},
        "group_task": variant.task,
        "loss": variant.loss,
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": without_gradient(double["gradients"], 1e-6),
        "torch_float32_loss_deviation": distance,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("group-training")
    write_json(top / "batches.json", batches())
    write_json(top / "variants.json", [make_variant(variant, 900 + i) for i, variant in enumerate(VARIANTS)])
