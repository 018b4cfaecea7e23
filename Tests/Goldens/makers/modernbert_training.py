"""modernbert-training: ten training steps of PEFT on modernbert-tiny: losses, first gradients, and
the adapter at the end."""

from . import tiny_modernbert
from .llama_training import Variant, make_trainings

VARIANTS = [
    Variant(
        "joint",
        "One module makes queries, keys and values; a head behind a dense layer and a norm.",
        dict(r=4, lora_alpha=8, target_modules=["Wqkv", "Wi"]),
        base="sequence-classification",
        task="SEQ_CLS",
    ),
    Variant(
        "all-linear",
        "Every product and bias, the head's dense layer too, of the mean of the tokens.",
        dict(r=2, lora_alpha=4, target_modules="all-linear", bias="all"),
        base="mean",
        task="SEQ_CLS",
    ),
    Variant(
        "in-full",
        "Norms, a table and what heads read in full.",
        dict(r=2, target_modules=["Wo"], modules_to_save=["attn_norm", "tok_embeddings", "head"]),
        base="sequence-classification",
        task="SEQ_CLS",
    ),
]


def make() -> None:
    make_trainings("modernbert-training", VARIANTS, 960, tiny_modernbert)
