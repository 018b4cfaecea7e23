"""mpnet-training: ten training steps of PEFT on mpnet-tiny: losses, first gradients, and the
adapter at the end."""

from . import tiny_mpnet
from .llama_training import Variant, make_trainings

HEAD = dict(base="sequence-classification", task="SEQ_CLS")
VARIANTS = [
    Variant("query-value", "A head of two layers.", dict(r=4, lora_alpha=8, target_modules=["q", "v"]), **HEAD),
    Variant(
        "all-linear",
        "Every product and bias of the layers.",
        dict(r=2, lora_alpha=4, target_modules="all-linear", bias="all"),
        base="base",
        task="SEQ_CLS",
    ),
]


def make() -> None:
    make_trainings("mpnet-training", VARIANTS, 940, tiny_mpnet)
