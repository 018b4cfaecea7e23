"""mpnet-training: ten training steps of PEFT on mpnet-tiny: losses, first gradients, and the
adapter at the end."""

from . import tiny_mpnet
from .files import fresh_folder, write_json
from .llama_training import Variant, batches, make_variant

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
    top = fresh_folder("mpnet-training")
    write_json(top / "batches.json", batches())
    variants = [make_variant(variant, 940 + i, tiny_mpnet, top.name) for i, variant in enumerate(VARIANTS)]
    write_json(top / "variants.json", variants)
