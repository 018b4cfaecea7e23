"""nomic-bert-training: ten training steps of PEFT on nomic-bert-tiny: losses, first gradients, and
the adapter at the end."""

from . import tiny_nomic_bert
from .files import fresh_folder, write_json
from .llama_training import Variant, batches, make_variant

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
    top = fresh_folder("nomic-bert-training")
    write_json(top / "batches.json", batches())
    variants = [make_variant(variant, 980 + i, tiny_nomic_bert, top.name) for i, variant in enumerate(VARIANTS)]
    write_json(top / "variants.json", variants)
