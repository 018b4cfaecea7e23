"""gemma-training: ten training steps of PEFT on gemma2-tiny and gemma3-tiny: losses, first
gradients, and the adapter at the end."""

from . import tiny_gemma2, tiny_gemma3
from .files import fresh_folder, write_json
from .llama_training import Variant, batches, make_variant

VARIANTS = [
    (
        tiny_gemma2,
        Variant(
            "bounded",
            "Every product of the layers and the head, whose logits are bounded as scores are.",
            dict(r=2, lora_alpha=4, target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "down_proj", "lm_head"]),
        ),
    ),
    (tiny_gemma3, Variant("defaults", "What PEFT adapts by itself, in front of norms.", dict(r=4, lora_alpha=8))),
    (
        tiny_gemma3,
        Variant(
            "everything",
            "Every product and bias, and norms around one in full.",
            dict(
                r=2,
                lora_alpha=4,
                target_modules="all-linear",
                bias="all",
                modules_to_save=[
                    "layers.0.post_attention_layernorm",
                    "layers.0.self_attn.q_norm",
                    "layers.1.pre_feedforward_layernorm",
                    "layers.1.post_feedforward_layernorm",
                    "model.norm",
                ],
            ),
            base="everything",
        ),
    ),
    (
        tiny_gemma3,
        Variant(
            "embeddings",
            "The table whose rows are scaled.",
            dict(r=2, lora_alpha=6, target_modules=["embed_tokens", "down_proj"]),
            base="everything",
        ),
    ),
    (
        tiny_gemma3,
        Variant(
            "sequence-classification",
            "In the last layer one token of a row asks.",
            dict(r=4, lora_alpha=8, target_modules=["k_proj", "gate_proj"], modules_to_save=["embed_tokens"]),
            base="sequence-classification",
            task="SEQ_CLS",
        ),
    ),
]


def make() -> None:
    top = fresh_folder("gemma-training")
    write_json(top / "batches.json", batches())
    variants = [
        make_variant(variant, 700 + i, family, top.name) for i, (family, variant) in enumerate(VARIANTS)
    ]
    write_json(top / "variants.json", variants)
