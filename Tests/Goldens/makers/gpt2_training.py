"""gpt2-training: ten training steps of PEFT on gpt2-tiny: losses, first gradients, and the adapter
at the end.
"""

from . import tiny_gpt2
from .llama_training import Variant, make_trainings

VARIANTS = [
    Variant("defaults", "What PEFT adapts by itself: the joint projection.", dict(r=4, lora_alpha=8)),
    Variant(
        "all-linear",
        "Every product of the layers.",
        dict(r=2, lora_alpha=4, target_modules="all-linear"),
        base="everything",
    ),
    Variant(
        "embeddings-and-head",
        "The tables at both ends, and positions.",
        dict(r=2, lora_alpha=6, target_modules=["wte", "wpe", "lm_head", "c_fc"]),
        base="everything",
    ),
    Variant(
        "in-full",
        "Norms and transposed weights in full.",
        dict(r=2, target_modules=["attn.c_proj"], modules_to_save=["ln_1", "ln_f", "h.1.attn.c_attn", "h.0.mlp.c_proj"]),
    ),
    Variant(
        "sequence-classification",
        "A head without bias on the last token.",
        dict(r=4, lora_alpha=8, target_modules=["c_attn", "c_fc"]),
        base="sequence-classification",
        task="SEQ_CLS",
    ),
]


def make() -> None:
    make_trainings("gpt2-training", VARIANTS, 400, tiny_gpt2)
