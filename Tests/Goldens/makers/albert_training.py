"""albert-training: ten training steps of PEFT on albert-tiny, where an adapter of one module acts
in several layers: losses, first gradients, and the adapter at the end."""

from peft import IA3Config

from . import tiny_albert
from .llama_training import Variant, make_trainings

HEAD = dict(base="sequence-classification", task="SEQ_CLS")
VARIANTS = [
    Variant("query-value", "Two modules of three layers.", dict(r=4, lora_alpha=8, target_modules=["query", "value"]), **HEAD),
    Variant(
        "all-linear",
        "Groups of two layers: every product and bias, the projection of the embeddings and the pooler too.",
        dict(r=2, lora_alpha=4, target_modules="all-linear", bias="all"),
        base="groups",
        task="SEQ_CLS",
    ),
    Variant(
        "dora",
        "Lengths of shared weights.",
        dict(r=2, use_dora=True, target_modules=["dense", "ffn", "ffn_output"]),
        base="groups",
        task="SEQ_CLS",
    ),
    Variant(
        "in-full",
        "Shared norms and a shared product in full, and a table.",
        dict(
            r=2,
            target_modules=["key", "position_embeddings"],
            modules_to_save=["full_layer_layer_norm", "attention.LayerNorm", "ffn_output", "word_embeddings", "pooler"],
        ),
        **HEAD,
    ),
    Variant(
        "ia3",
        "Scales of shared modules.",
        dict(target_modules=["key", "value", "ffn_output"], feedforward_modules=["ffn_output"]),
        config=IA3Config,
        **HEAD,
    ),
]


def make() -> None:
    make_trainings("albert-training", VARIANTS, 920, tiny_albert)
