"""mistral-training: ten training steps of PEFT on mistral-tiny: losses, first gradients, and the
adapter at the end."""

from . import tiny_mistral
from .llama_training import Variant, make_trainings

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
    make_trainings("mistral-training", VARIANTS, 500, tiny_mistral)
