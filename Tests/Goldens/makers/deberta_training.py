"""deberta-training: ten training steps of PEFT on deberta-v2-tiny: losses, first gradients, and the
adapter at the end."""

from . import tiny_deberta_v2
from .llama_training import Variant, make_trainings

HEAD = dict(base="sequence-classification", task="SEQ_CLS")
VARIANTS = [
    Variant(
        "shared",
        "Adapters of queries and keys act on distances, too.",
        dict(r=4, lora_alpha=8, target_modules=["query_proj", "key_proj"]),
        **HEAD,
    ),
    Variant("all-linear", "Every product, and the pooler.", dict(r=2, lora_alpha=4, target_modules="all-linear"), **HEAD),
    Variant(
        "convolution",
        "Beside the first layer, above what learns and with a bias that learns, too.",
        dict(r=2, lora_alpha=4, target_modules=["query_proj", "word_embeddings"], bias="all"),
        base="convolution",
        task="SEQ_CLS",
    ),
]


def make() -> None:
    make_trainings("deberta-training", VARIANTS, 960, tiny_deberta_v2)
