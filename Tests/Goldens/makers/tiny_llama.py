"""llama-tiny: small random Llamas in every spelling that a model folder comes in, and what they
compute.
"""

import json

import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    LlamaForTokenClassification,
    LlamaModel,
)

from .files import fresh_folder, write_json
from .tiny_models import load_model, randomise, write_expected

NAME = "llama-tiny"
SIZES = dict(
    vocab_size=110,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=48,
    max_position_embeddings=64,
)
LABELS = {0: "greeting", 1: "complaint", 2: "question"}
TAGS = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}
LENGTHS = [7, 1, 12, 64, 3, 20]
LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=500.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=24,
)

# Grouped heads and a tied output; then all that a configuration can add to it.
PLAIN = dict(SIZES, tie_word_embeddings=True, eos_token_id=[2, 5])
EVERYTHING = dict(
    SIZES, head_dim=16, attention_bias=True, mlp_bias=True, rope_parameters=LLAMA3, pad_token_id=0, rms_norm_eps=1e-5
)
LINEAR = dict(SIZES, num_key_value_heads=1, rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=4.0))
YARN = dict(
    rope_type="yarn", rope_theta=500.0, factor=4.0, original_max_position_embeddings=16, beta_fast=4.0, beta_slow=0.5
)
DYNAMIC = dict(rope_type="dynamic", rope_theta=500.0, factor=4.0)


def inputs() -> dict:
    generator = torch.Generator().manual_seed(17)
    return {
        "input_ids": [torch.randint(0, SIZES["vocab_size"], (n,), generator=generator).tolist() for n in LENGTHS]
    }


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def v4_spelling(folder) -> None:
    """config.json as transformers 4 writes it: `rope_theta` and `rope_scaling` beside each other,
    `torch_dtype`.
    """
    settings = json.loads((folder / "config.json").read_text())
    rope = settings.pop("rope_parameters")
    settings["rope_theta"] = rope.pop("rope_theta")
    settings["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    settings["torch_dtype"] = settings.pop("dtype")
    settings["transformers_version"] = "4.45.0"
    (folder / "config.json").write_text(json.dumps(dict(sorted(settings.items())), indent=2) + "\n")


def make() -> None:
    top = fresh_folder(NAME)
    rows = inputs()
    write_json(top / "inputs.json", rows)
    plain = randomise(LlamaForCausalLM(LlamaConfig(**PLAIN)), seed=1)
    everything = randomise(LlamaForCausalLM(LlamaConfig(**EVERYTHING)), seed=2)
    for name, model in (("plain", plain), ("everything", everything)):
        model.save_pretrained(top / name)
        write_expected(top / name, model, rows)
        model.save_pretrained(top / f"{name}-v4")
        v4_spelling(top / f"{name}-v4")

    for name, settings in (
        ("bare-linear", LINEAR),
        ("bare-yarn", dict(SIZES, rope_parameters=YARN)),
        ("bare-dynamic", dict(SIZES, rope_parameters=DYNAMIC)),
    ):
        bare = randomise(LlamaModel(LlamaConfig(**settings)), seed=3)
        bare.save_pretrained(top / name)
        write_expected(top / name, bare, rows)

    settings = LlamaConfig(**PLAIN, id2label=LABELS)
    classifier = randomise(LlamaForSequenceClassification(settings), seed=4)
    classifier.save_pretrained(top / "sequence-classification")
    write_expected(top / "sequence-classification", classifier, rows)

    tagger = randomise(LlamaForTokenClassification(LlamaConfig(**PLAIN, id2label=TAGS)), seed=5)
    tagger.save_pretrained(top / "token-classification")
    write_expected(top / "token-classification", tagger, rows)
