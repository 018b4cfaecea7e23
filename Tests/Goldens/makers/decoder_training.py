"""decoder-training: ten training steps of PEFT on phi3-tiny, olmo2-tiny and gpt-neox-tiny: losses,
first gradients, and the adapter at the end."""

from . import tiny_gpt_neox, tiny_olmo2, tiny_phi3
from .files import fresh_folder, write_json
from .llama_training import Variant, batches, make_variant

ALL_LINEAR = dict(r=2, lora_alpha=4, target_modules="all-linear")
ROWS = dict(base="sequence-classification", task="SEQ_CLS")
VARIANTS = [
    (tiny_phi3, Variant("phi3-joined", "Joined projections, behind a window.", ALL_LINEAR)),
    (
        tiny_phi3,
        Variant("phi3-long", "Frequencies of longer texts.", dict(r=4, target_modules=["qkv_proj"]), base="long"),
    ),
    (
        tiny_phi3,
        Variant(
            "phi3-sequence-classification",
            "In the last layer one token of a row is read.",
            dict(r=4, lora_alpha=8, target_modules=["qkv_proj", "gate_up_proj"]),
            **ROWS,
        ),
    ),
    (
        tiny_olmo2,
        Variant(
            "olmo2-norms",
            "Norms behind the sub-layers, and of all heads together, in full.",
            dict(ALL_LINEAR, modules_to_save=["q_norm", "k_norm", "post_attention_layernorm"]),
        ),
    ),
    (
        tiny_olmo2,
        Variant(
            "olmo2-sequence-classification",
            "In the last layer one token of a row asks.",
            dict(r=4, lora_alpha=8, target_modules=["q_proj", "k_proj"], modules_to_save=["q_norm", "k_norm"]),
            **ROWS,
        ),
    ),
    (
        tiny_gpt_neox,
        Variant("gpt-neox-defaults", "What PEFT adapts by itself: the joint projection.", dict(r=4, lora_alpha=8)),
    ),
    (
        tiny_gpt_neox,
        Variant(
            "gpt-neox-all-linear",
            "Beside each other, and what they read in full.",
            dict(ALL_LINEAR, modules_to_save=["post_attention_layernorm", "input_layernorm"]),
        ),
    ),
    (
        tiny_gpt_neox,
        Variant(
            "gpt-neox-in-full",
            "One after the other: norms, a joint projection and tables in full or adapted.",
            dict(
                r=2,
                target_modules=["dense", "embed_in"],
                modules_to_save=["input_layernorm", "final_layer_norm", "layers.1.attention.query_key_value"],
            ),
            base="everything",
        ),
    ),
    (
        tiny_gpt_neox,
        Variant(
            "gpt-neox-sequence-classification",
            "Beside each other, where one token of a row is read.",
            dict(
                r=4,
                lora_alpha=8,
                target_modules=["query_key_value", "dense_h_to_4h"],
                modules_to_save=["input_layernorm", "post_attention_layernorm"],
            ),
            **ROWS,
        ),
    ),
    (
        tiny_phi3,
        Variant("phi3-beyond", "Rows within and beyond the first length.", dict(r=4, target_modules=["qkv_proj"]),
                base="beyond"),
    ),
]


def make() -> None:
    top = fresh_folder("decoder-training")
    write_json(top / "batches.json", batches())
    variants = [
        make_variant(variant, 700 + i, family, top.name) for i, (family, variant) in enumerate(VARIANTS)
    ]
    write_json(top / "variants.json", variants)
