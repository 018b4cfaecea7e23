"""actions-training: ten steps of PEFT's methods that multiply as well as add, as llama-training."""

from types import SimpleNamespace

from peft import IA3Config

from . import lora_training, tiny_gpt2, tiny_llama
from .files import fresh_folder, write_json
from .llama_training import Variant, make_variant

BERT = SimpleNamespace(NAME="bert-tiny", load=lambda name: lora_training.base(), batches="lora-training")
LLAMA = SimpleNamespace(NAME=tiny_llama.NAME, load=tiny_llama.load, batches="llama-training")
GPT2 = SimpleNamespace(NAME=tiny_gpt2.NAME, load=tiny_gpt2.load, batches="llama-training")

CLASSIFICATION = dict(base="sequence-classification", task="SEQ_CLS")

VARIANTS = [
    (BERT, Variant("bert-ia3", "PEFT's defaults.", {}, config=IA3Config, **CLASSIFICATION)),
    (
        BERT,
        Variant(
            "bert-ia3-mixed",
            "Of modules that read the same, one scales what it reads and one what it gives.",
            dict(target_modules=["query", "key", "value", "pooler.dense"], feedforward_modules=["value", "pooler.dense"]),
            config=IA3Config,
            **CLASSIFICATION,
        ),
    ),
    (LLAMA, Variant("llama-ia3", "PEFT's defaults.", {}, base="everything", config=IA3Config)),
    (
        LLAMA,
        Variant(
            "llama-ia3-gate",
            "One of two modules that read the same scales what it reads, and the head what it gives.",
            dict(target_modules=["gate_proj", "o_proj", "lm_head"], feedforward_modules=["gate_proj"]),
            config=IA3Config,
        ),
    ),
    (GPT2, Variant("gpt2-ia3", "PEFT's defaults, of transposed modules.", {}, config=IA3Config)),
    (
        BERT,
        Variant(
            "bert-dora",
            "Products that read the same, the feed-forward's, and every bias.",
            dict(r=2, lora_alpha=6, target_modules=["query", "value", "dense"], bias="all", use_dora=True),
            **CLASSIFICATION,
        ),
    ),
    (
        BERT,
        Variant(
            "bert-dora-embeddings",
            "Tables.",
            dict(r=2, target_modules=["word_embeddings", "position_embeddings", "key"], use_dora=True),
            **CLASSIFICATION,
        ),
    ),
    (
        LLAMA,
        Variant(
            "llama-dora", "Every product of the layers.", dict(r=2, target_modules="all-linear", use_dora=True), base="everything"
        ),
    ),
    (
        LLAMA,
        Variant(
            "llama-dora-vocabulary",
            "The tables at both ends.",
            dict(r=2, lora_alpha=3, target_modules=["embed_tokens", "lm_head", "down_proj"], use_dora=True),
        ),
    ),
    (
        GPT2,
        Variant(
            "gpt2-dora",
            "Transposed modules.",
            dict(r=4, lora_alpha=8, target_modules=["c_attn", "c_proj"], fan_in_fan_out=True, use_dora=True),
        ),
    ),
]


def make() -> None:
    top = fresh_folder("actions-training")
    made = []
    for i, (family, variant) in enumerate(VARIANTS):
        made.append(make_variant(variant, 500 + i, family, top.name) | {"batches": family.batches})
    write_json(top / "variants.json", made)
