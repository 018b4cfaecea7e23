"""gemma3-tiny: small random Gemma 3 models, whose layers differ in what they see and how they turn,
in both spellings of config.json, and what they compute."""

import json
import shutil

import torch
from transformers import Gemma3ForCausalLM, Gemma3ForConditionalGeneration, Gemma3TextForSequenceClassification

from .files import ROOT
from .tiny_llama import LABELS, SIZES, inputs
from .tiny_models import load_model, write_models

NAME = "gemma3-tiny"
PLAIN = dict(
    SIZES,
    head_dim=16,
    sliding_window=5,
    layer_types=["sliding_attention", "full_attention"],
    query_pre_attn_scalar=24,
    bos_token_id=2,
    eos_token_id=1,
)
EVERYTHING = dict(
    PLAIN,
    layer_types=["full_attention", "sliding_attention"],
    attention_bias=True,
    tie_word_embeddings=False,
    rms_norm_eps=1e-5,
    rope_parameters={
        "full_attention": dict(rope_type="linear", rope_theta=5000.0, factor=8.0),
        "sliding_attention": dict(rope_type="default", rope_theta=100.0),
    },
)

# What reads images beside it is small.
IMAGES = dict(
    text_config=PLAIN,
    vision_config=dict(
        hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=8, patch_size=4
    ),
    mm_tokens_per_image=4,
    image_token_index=100,
    boi_token_index=101,
    eoi_token_index=102,
)


def randomise(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Weights wide enough that attention is far from uniform; biases and norms away from 0, around
    which these norms are; 1 can be added to them and taken away again."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("norm.weight"):
                # Without a negative zero.
                parameter.copy_(((102.4 * noise).round() + 0) / 1024)
            else:
                parameter.copy_(noise * (0.1 if name.endswith("bias") else 0.25))
    return model.eval()


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def v4_spelling(name: str) -> None:
    """The model with a config.json as transformers 4 writes it."""
    folder = ROOT / NAME / f"{name}-v4"
    shutil.copytree(ROOT / NAME / name, folder)
    settings = json.loads((folder / "config.json").read_text())
    rope = settings.pop("rope_parameters")
    del settings["layer_types"]
    settings["sliding_window_pattern"] = 2
    settings["rope_theta"] = rope["full_attention"]["rope_theta"]
    settings["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    settings["rope_scaling"] = None
    settings["torch_dtype"] = settings.pop("dtype")
    settings["transformers_version"] = "4.50.0"
    (folder / "config.json").write_text(json.dumps(dict(sorted(settings.items())), indent=2) + "\n")


def make() -> None:
    labels = dict(PLAIN, id2label=LABELS)
    cases = [
        ("plain", Gemma3ForCausalLM, PLAIN, 1),
        ("everything", Gemma3ForCausalLM, EVERYTHING, 2),
        ("sequence-classification", Gemma3TextForSequenceClassification, labels, 3),
        ("images", Gemma3ForConditionalGeneration, IMAGES, 4),
    ]
    write_models(NAME, inputs(), randomise, cases, attention="eager")
    v4_spelling("plain")
