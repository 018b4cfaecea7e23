"""electra-training: ten training steps of PEFT on electra-tiny: losses, first gradients, and the
adapter at the end."""

from . import tiny_electra
from .llama_training import Variant, make_trainings

HEAD = dict(base="sequence-classification", task="SEQ_CLS")
VARIANTS = [
    Variant("defaults", "A head of two layers with GELU.", dict(r=4, lora_alpha=8), **HEAD),
    Variant(
        "all-linear",
        "Every product and bias, the projection of the embeddings too.",
        dict(r=2, lora_alpha=4, target_modules="all-linear", bias="all"),
        base="base",
        task="SEQ_CLS",
    ),
    Variant(
        "in-full",
        "Down to the tables, and the projection in full.",
        dict(
            r=2, target_modules=["key", "position_embeddings"], modules_to_save=["embeddings_project", "word_embeddings"]
        ),
        **HEAD,
    ),
]


def make() -> None:
    make_trainings("electra-training", VARIANTS, 900, tiny_electra)
