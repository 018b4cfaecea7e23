"""distilbert-training: ten training steps of PEFT on distilbert-tiny: losses, first gradients, and
the adapter at the end."""

from . import tiny_distilbert
from .llama_training import Variant, make_trainings

QUERY_VALUE = ["q_lin", "v_lin"]
HEAD = dict(base="sequence-classification", task="SEQ_CLS")
VARIANTS = [
    Variant("query-value", "A head of two layers with ReLU.", dict(r=4, lora_alpha=8, target_modules=QUERY_VALUE), **HEAD),
    Variant(
        "all",
        "Every product and bias of the layers.",
        dict(r=2, lora_alpha=4, target_modules=[*QUERY_VALUE, "k_lin", "out_lin", "lin1", "lin2"], bias="all"),
        base="base",
        task="SEQ_CLS",
    ),
    Variant(
        "in-full",
        "Norms and tables in full.",
        dict(r=2, target_modules=["k_lin"], modules_to_save=["sa_layer_norm", "output_layer_norm", "word_embeddings"]),
        **HEAD,
    ),
]


def make() -> None:
    make_trainings("distilbert-training", VARIANTS, 800, tiny_distilbert)
