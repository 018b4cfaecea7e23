"""mistral-training: ten training steps of PEFT on mistral-tiny: losses, first gradients, and the
adapter at the end."""

from . import tiny_mistral
from .files import fresh_folder, write_json
from .llama_training import Variant, batches, make_variant

VARIANTS = [
    Variant("defaults", "What PEFT adapts by itself, behind a window.", dict(r=4, lora_alpha=8)),
    Variant(
        "all-linear",
        "Every product of the layers, in front of one that no row fills.",
        dict(r=2, lora_alpha=4, target_modules="all-linear"),
        base="wide",
    ),
]


def make() -> None:
    top = fresh_folder("mistral-training")
    write_json(top / "batches.json", batches())
    variants = [make_variant(variant, 500 + i, tiny_mistral, top.name) for i, variant in enumerate(VARIANTS)]
    write_json(top / "variants.json", variants)
