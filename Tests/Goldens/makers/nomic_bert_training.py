"""nomic-bert-training: ten training steps of PEFT on nomic-bert-tiny: losses, first gradients, and
the adapter at the end."""

from . import tiny_nomic_bert
from .llama_training import Variant, make_trainings

HEAD = dict(base="sequence-classification", task="SEQ_CLS")
VARIANTS = [
    Variant("all-linear", "Every product.", dict(r=2, lora_alpha=4, target_modules="all-linear"), **HEAD),
    Variant(
        "in-full",
        "Norms and a table in full, and parts of a tensor.",
        dict(r=2, target_modules=["k_proj"], modules_to_save=["post_mlp_layernorm", "word_embeddings", "q_proj"]),
        **HEAD,
    ),
]


def make() -> None:
    make_trainings("nomic-bert-training", VARIANTS, 980, tiny_nomic_bert)
