"""qwen-training: ten training steps of PEFT on qwen2-tiny and qwen3-tiny: losses, first gradients,
and the adapter at the end."""

from . import tiny_qwen2, tiny_qwen3
from .files import fresh_folder, write_json
from .llama_training import Variant, batches, make_variant

ALL_LINEAR = dict(r=2, lora_alpha=4, target_modules="all-linear")
VARIANTS = [
    (tiny_qwen2, Variant("biases", "Every product of the layers, with every bias.", dict(ALL_LINEAR, bias="all"))),
    (tiny_qwen3, Variant("defaults", "What PEFT adapts by itself, in front of norms.", dict(r=4, lora_alpha=8))),
    (
        tiny_qwen3,
        Variant(
            "norms",
            "The norms of heads in full, behind a window.",
            dict(ALL_LINEAR, modules_to_save=["layers.0.self_attn.q_norm", "layers.1.self_attn.k_norm"]),
            base="windowed",
        ),
    ),
    (
        tiny_qwen3,
        Variant(
            "sequence-classification",
            "In the last layer one token of a row asks.",
            dict(r=4, lora_alpha=8, modules_to_save=["q_norm", "k_norm"], target_modules=["k_proj", "q_proj"]),
            base="sequence-classification",
            task="SEQ_CLS",
        ),
    ),
]


def make() -> None:
    top = fresh_folder("qwen-training")
    write_json(top / "batches.json", batches())
    variants = [
        make_variant(variant, 600 + i, family, top.name) for i, (family, variant) in enumerate(VARIANTS)
    ]
    write_json(top / "variants.json", variants)
