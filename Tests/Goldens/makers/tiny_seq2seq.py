"""seq2seq-tiny: small random encoder-decoders, what they compute of sources and targets, and what
they write.
"""

import copy

import torch
from transformers import (
    BartForConditionalGeneration,
    MarianMTModel,
    MBartForConditionalGeneration,
    MT5ForConditionalGeneration,
    T5ForConditionalGeneration,
)

from .files import deviation, fresh_folder, packed, write_json, write_tensors
from .tiny_models import load_model

NAME = "seq2seq-tiny"
SIZES = dict(
    vocab_size=110,
    d_model=32,
    encoder_layers=2,
    decoder_layers=3,
    encoder_attention_heads=4,
    decoder_attention_heads=2,
    encoder_ffn_dim=48,
    decoder_ffn_dim=40,
    max_position_embeddings=64,
    dropout=0.0,
)
TOKENS = dict(pad_token_id=1, eos_token_id=2, bos_token_id=0)
T5_SIZES = dict(
    vocab_size=110,
    d_model=32,
    d_kv=12,
    d_ff=48,
    num_layers=3,
    num_decoder_layers=2,
    num_heads=2,
    relative_attention_num_buckets=8,
    relative_attention_max_distance=20,
    dropout_rate=0.0,
    decoder_start_token_id=0,
)
CASES = [
    ("marian", MarianMTModel, dict(SIZES, **TOKENS, decoder_start_token_id=1, scale_embedding=True, forced_eos_token_id=None), 1),
    ("bart", BartForConditionalGeneration, dict(SIZES, **TOKENS, decoder_start_token_id=2), 2),
    (
        "mbart",
        MBartForConditionalGeneration,
        dict(SIZES, **TOKENS, scale_embedding=True, activation_function="relu", decoder_start_token_id=7),
        3,
    ),
    ("t5", T5ForConditionalGeneration, T5_SIZES, 4),
    # As T5 1.1 and Flan-T5: what says that tables are not tied means that states are not scaled.
    (
        "t5-gated",
        T5ForConditionalGeneration,
        dict(T5_SIZES, feed_forward_proj="gated-gelu", tie_word_embeddings=False, layer_norm_epsilon=1e-3),
        5,
    ),
    ("mt5", MT5ForConditionalGeneration, dict(T5_SIZES, num_decoder_layers=1), 6),
    # Of stacks that are alike, which PEFT's prefixes need.
    (
        "bart-even",
        BartForConditionalGeneration,
        dict(SIZES | dict(encoder_layers=3, decoder_attention_heads=4), **TOKENS, decoder_start_token_id=2, forced_eos_token_id=None),
        7,
    ),
]
# What generation_config.json says beside the tokens of config.json.
RULES = {"marian": dict(bad_words_ids=[[1], [29]]), "bart": dict(forced_bos_token_id=0)}
SOURCE_LENGTHS = [7, 1, 12, 40, 3]
TARGET_LENGTHS = [5, 9, 1, 20, 2]
NEW_TOKENS = 20


def randomise(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Weights wide enough that attention is far from uniform; biases and norms away from 0 and 1.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "embed_positions" in name and not parameter.requires_grad:
                continue
            noise = torch.randn(parameter.shape, generator=generator)
            is_norm = ("layer_norm" in name or "layernorm" in name) and name.endswith("weight")
            # A tied table as wide as the rest would have each token follow itself; T5 scales no
            # scores.
            scale = 0.12 if "shared" in name or ".q." in name else 0.1 if name.endswith("bias") else 0.35
            scale = 1.0 if "relative_attention_bias" in name else 0.15 if "DenseReluDense" in name else scale
            parameter.copy_(1 + 0.1 * noise if is_norm else noise * scale)
        if hasattr(model, "final_logits_bias"):
            model.final_logits_bias.copy_(0.2 * torch.randn(model.final_logits_bias.shape, generator=generator))
    return model.eval()


def rows(lengths: list[int], seed: int) -> list[list[int]]:
    """Tokens that are none of the special ones."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(3, SIZES["vocab_size"], (n,), generator=generator).tolist() for n in lengths]


def load(name: str) -> torch.nn.Module:
    return load_model(NAME, name)


def outputs(model: torch.nn.Module, sources: list, targets: list) -> dict:
    """Each row alone, unpadded: states packed [tokens, hidden], logits [target tokens, vocabulary].
    """
    with torch.no_grad():
        results = [
            model(input_ids=torch.tensor([source]), labels=torch.tensor([target]), output_hidden_states=True)
            for source, target in zip(sources, targets, strict=True)
        ]
    values = {"logits": packed([result.logits for result in results])}
    for stack in ("encoder", "decoder"):
        states = [result[f"{stack}_hidden_states"] for result in results]
        for layer in range(len(states[0])):
            values[f"{stack}.{layer}"] = packed([row[layer] for row in states])
    return values


def written(model: torch.nn.Module, sources: list, new_tokens: int = NEW_TOKENS) -> list[list[int]]:
    """Greedy, each row alone, without the token that goes before a text."""
    made = []
    for source in sources:
        tokens = torch.tensor([source])
        with torch.no_grad():
            text = model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                num_beams=1,
                do_sample=False,
                max_new_tokens=new_tokens,
            )
        made.append(text[0].tolist()[1:])
    return made


def make() -> None:
    top = fresh_folder(NAME)
    sources, targets = rows(SOURCE_LENGTHS, 21), rows(TARGET_LENGTHS, 22)
    write_json(top / "inputs.json", {"input_ids": sources, "target_ids": targets})
    for name, kind, settings, seed in CASES:
        folder = top / name
        model = randomise(kind(kind.config_class(**settings)), seed)
        model.generation_config.update(**RULES.get(name, {}))
        model.save_pretrained(folder)
        model = load(name)
        single = outputs(copy.deepcopy(model).float(), sources, targets)
        double = outputs(copy.deepcopy(model).double(), sources, targets)
        write_tensors(folder / "expected.safetensors", double, torch_float32_deviation=deviation(double, single))
        write_json(folder / "greedy.json", written(model, sources))
