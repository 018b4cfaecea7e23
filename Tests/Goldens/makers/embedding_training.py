"""embedding-training: ten training steps of PEFT below the losses of sentence-transformers: losses,
first gradients, and the adapter at the end."""

import random
from dataclasses import dataclass, field
from functools import partial

import torch
from peft import LoraConfig, get_peft_model
from sentence_transformers import losses
from transformers import AutoModel

from .files import ROOT, fresh_folder, write_both, write_json
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, STEPS, trained, without_gradient
from .task_training import padded
from .tiny_models import without_dropout

VOCABULARY, GROUPS = 110, 4
BASE = "bert-tiny/base"
PARTS = {"in_batch_negatives": 3, "triplet": 3, "cosent": 2, "cosine_similarity": 2}


@dataclass(frozen=True)
class Variant:
    loss: str
    about: str
    settings: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        return "-".join([self.loss.replace("_", "-"), *self.about.lower().replace(".", "").split()])

    def torch_loss(self) -> torch.nn.Module:
        match self.loss:
            case "in_batch_negatives":
                scale = 1 / self.settings.get("temperature", 0.05)
                directions = ("query_to_doc", "doc_to_query") if self.settings.get("symmetric") else ("query_to_doc",)
                return losses.MultipleNegativesRankingLoss(
                    None, scale=scale, directions=directions, partition_mode="per_direction"
                )
            case "triplet":
                metric = self.settings.get("distance", "euclidean").upper()
                return losses.TripletLoss(
                    None,
                    distance_metric=getattr(losses.TripletDistanceMetric, metric),
                    triplet_margin=self.settings.get("margin", 5),
                )
            case "cosent":
                return losses.CoSENTLoss(None, scale=1 / self.settings.get("temperature", 0.05))
            case _:
                return losses.CosineSimilarityLoss(None)


VARIANTS = [
    Variant("in_batch_negatives", "by default"),
    Variant("in_batch_negatives", "symmetric", {"symmetric": True, "temperature": 0.2}),
    Variant("in_batch_negatives", "cut", {"dimensions": [32, 8, 3]}),
    Variant("triplet", "by default"),
    Variant("triplet", "by cosines", {"distance": "cosine", "margin": 0.2}),
    Variant("cosent", "by default"),
    Variant("cosine_similarity", "by default"),
]


def batches() -> list[dict]:
    """Ten batches of four groups of three ragged rows, and how alike the first two of each are."""
    source = random.Random(17)
    made = []
    for _ in range(STEPS):
        lengths = [source.randint(2, 12) for _ in range(3 * GROUPS)]
        ids = [[source.randrange(1, VOCABULARY) for _ in range(n)] for n in lengths]
        # Two pairs are equally alike, whose order is none.
        alike = [round(source.uniform(0, 1), 3) for _ in range(GROUPS - 1)]
        made.append({"input_ids": ids, "alike": alike + alike[:1]})
    return made


def rows(variant: Variant, batch: dict) -> list:
    """Of each group so many as the loss takes."""
    return [row for place, row in enumerate(batch["input_ids"]) if place % 3 < PARTS[variant.loss]]


def loss_of(variant: Variant, model: torch.nn.Module, batch: dict) -> torch.Tensor:
    given, parts = rows(variant, batch), PARTS[variant.loss]
    mask = padded([[1] * len(row) for row in given], 0)
    states = model(input_ids=padded(given, 0), attention_mask=mask).last_hidden_state
    shares = mask.unsqueeze(-1).to(states.dtype)
    vectors = torch.nn.functional.normalize((states * shares).sum(1) / shares.sum(1))
    alike = torch.tensor(batch["alike"], dtype=states.dtype)
    loss = variant.torch_loss()
    cuts = [vectors[:, :width] for width in variant.settings.get("dimensions", [vectors.shape[1]])]
    return sum(loss.compute_loss_from_embeddings([cut[part::parts] for part in range(parts)], alike) for cut in cuts)


def base() -> torch.nn.Module:
    model = AutoModel.from_pretrained(ROOT / BASE, attn_implementation="eager")
    model.name_or_path = BASE
    return without_dropout(model)


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / "embedding-training" / variant.name
    settings = dict(r=4, lora_alpha=8, target_modules=["query", "value"])
    model = get_peft_model(base(), LoraConfig(task_type="FEATURE_EXTRACTION", **settings))
    randomise_trainable(model, seed)
    save_adapter(model, folder / "start")
    double, single = trained(base, folder / "start", batches(), partial(loss_of, variant))
    distance = write_both(folder, double, single)
    return {
        "name": variant.name,
        "about": variant.about,
        "base": BASE,
        "task": "sentence_embedding",
        "loss": variant.loss,
        "loss_settings": variant.settings,
        "group_rows": PARTS[variant.loss],
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": without_gradient(double["gradients"]),
        "torch_float32_loss_deviation": distance,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("embedding-training")
    write_json(top / "batches.json", batches())
    write_json(top / "variants.json", [make_variant(variant, 700 + i) for i, variant in enumerate(VARIANTS)])
