"""gguf-tiny: the tiny models of other makers as llama.cpp's converter would write them, with the
gguf package's own names; and one with Llama 3.1's rotary positions, which only the file has.
"""

import math

import gguf
import numpy
import safetensors.torch
import torch
import transformers

from .files import ROOT, fresh_folder, write_json
from .tiny_llama import PLAIN, inputs
from .tiny_models import randomise, write_expected

NAME = "gguf-tiny"
# Folder, architecture, whether queries and keys are reordered.
CASES = [
    ("llama-tiny/plain", gguf.MODEL_ARCH.LLAMA, True),
    ("qwen2-tiny/plain", gguf.MODEL_ARCH.QWEN2, False),
    ("qwen3-tiny/plain", gguf.MODEL_ARCH.QWEN3, False),
    ("smollm3-tiny/plain", gguf.MODEL_ARCH.SMOLLM3, True),
    ("gemma-tiny/plain", gguf.MODEL_ARCH.GEMMA, False),
    ("gemma2-tiny/plain", gguf.MODEL_ARCH.GEMMA2, False),
    ("gemma3-tiny/plain", gguf.MODEL_ARCH.GEMMA3, False),
    ("gpt2-tiny/plain", gguf.MODEL_ARCH.GPT2, False),
    ("bert-tiny/base", gguf.MODEL_ARCH.BERT, False),
    ("phi3-tiny/plain", gguf.MODEL_ARCH.PHI3, False),
    ("olmo2-tiny/plain", gguf.MODEL_ARCH.OLMO2, False),
    ("gpt-neox-tiny/plain", gguf.MODEL_ARCH.GPTNEOX, False),
    ("nomic-bert-tiny/base", gguf.MODEL_ARCH.NOMIC_BERT, False),
]
LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=500000.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=8192,
)
# [inputs, outputs] in the checkpoint.
TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def reordered(weight: numpy.ndarray, heads: int) -> numpy.ndarray:
    """Rows that turn together side by side, as Llama's own code has them."""
    return (
        weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)
    )


def joined(value: numpy.ndarray, heads: int) -> numpy.ndarray:
    """All queries, then all keys and all values, in place of those of each head."""
    return value.reshape(heads, 3, -1, *value.shape[1:]).swapaxes(0, 1).reshape(value.shape)


def rotary_factors(config: transformers.PretrainedConfig) -> numpy.ndarray:
    """What the converter stores of `llama3`: by how much each frequency is divided."""
    rope = config.rope_parameters
    width = config.head_dim
    factors = []
    for index in range(width // 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (2 * index / width)
        length = rope["original_max_position_embeddings"]
        low, high = length / rope["low_freq_factor"], length / rope["high_freq_factor"]
        if wavelength < high:
            factors.append(1)
        elif wavelength > low:
            factors.append(rope["factor"])
        else:
            smooth = (length / wavelength - rope["low_freq_factor"]) / (
                rope["high_freq_factor"] - rope["low_freq_factor"]
            )
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return numpy.array(factors, dtype=numpy.float32)


def settings(writer: gguf.GGUFWriter, config: transformers.PretrainedConfig) -> None:
    """The keys that the converter writes of every model, and those that only some have."""
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    inner = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None) or 4 * config.hidden_size
    writer.add_feed_forward_length(inner)
    writer.add_head_count(config.num_attention_heads)
    if hasattr(config, "num_key_value_heads"):
        writer.add_head_count_kv(config.num_key_value_heads)
        rope = config.rope_parameters.get("full_attention", config.rope_parameters)
        writer.add_rope_freq_base(rope["rope_theta"])
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        if getattr(config, "head_dim", None):
            writer.add_key_length(config.head_dim)
            writer.add_value_length(config.head_dim)
    else:
        writer.add_layer_norm_eps(getattr(config, "layer_norm_eps", None) or config.layer_norm_epsilon)
    share = (getattr(config, "rope_parameters", None) or {}).get("partial_rotary_factor")
    if share is not None:
        writer.add_rope_dimension_count(int(share * config.hidden_size // config.num_attention_heads))
    if config.model_type == "gpt_neox":
        writer.add_parallel_residual(config.use_parallel_residual)
    if config.model_type == "phi3":
        writer.add_sliding_window(config.sliding_window or 0)
    if "sliding_attention" in getattr(config, "layer_types", []):
        writer.add_sliding_window(config.sliding_window)
    if getattr(config, "attn_logit_softcapping", None):
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
    if getattr(config, "final_logit_softcapping", None):
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if config.model_type == "nomic_bert":
        writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    if config.model_type in ("bert", "nomic_bert"):
        writer.add_causal_attention(False)
    if config.pad_token_id is not None:
        writer.add_pad_token_id(config.pad_token_id)
    end = config.eos_token_id
    if end is not None:
        writer.add_eos_token_id(end[0] if isinstance(end, list) else end)
    if isinstance(end, list) and len(end) > 1:
        writer.add_eot_token_id(end[1])


def write(path, model: torch.nn.Module, architecture: gguf.MODEL_ARCH, is_reordered: bool) -> None:
    config = model.config
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[architecture])
    writer.add_type(gguf.GGUFType.MODEL)
    settings(writer, config)
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    # Weights that are one appear once; the converter leaves a pooler and masks out.
    tensors = {name: value for name, value in model.state_dict().items()}
    if config.model_type == "nomic_bert":
        # The converter knows the names of released checkpoints, which transformers writes.
        tensors = safetensors.torch.load_file(f"{model.name_or_path}/model.safetensors")
    if getattr(config, "tie_word_embeddings", False):
        tensors.pop("lm_head.weight", None)
    for name, value in tensors.items():
        if "pooler" in name or name.endswith((".attn.bias", ".attn.masked_bias", "position_ids")):
            continue
        stored = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert stored, name
        array = value.detach().float().numpy()
        if architecture == gguf.MODEL_ARCH.GPT2 and name.endswith(TRANSPOSED):
            array = array.T
        if "query_key_value" in name:
            array = joined(array, config.num_attention_heads)
        if config.model_type.startswith("gemma") and name.endswith("norm.weight"):
            array = array + 1
        if is_reordered and ".q_proj." in name:
            array = reordered(array, config.num_attention_heads)
        if is_reordered and ".k_proj." in name:
            array = reordered(array, config.num_key_value_heads)
        writer.add_tensor(stored, numpy.ascontiguousarray(array))
    if "llama3" in str(getattr(config, "rope_parameters", "")):
        writer.add_tensor("rope_freqs.weight", rotary_factors(config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make() -> None:
    top = fresh_folder(NAME)
    for folder, architecture, is_reordered in CASES:
        path = ROOT / folder
        kind = getattr(transformers, transformers.AutoConfig.from_pretrained(path).architectures[0])
        model = kind.from_pretrained(path).eval()
        write(top / (folder.split("-tiny")[0] + ".gguf"), model, architecture, is_reordered)
    rows = inputs()
    write_json(top / "inputs.json", rows)
    config = transformers.LlamaConfig(**{**PLAIN, "rope_parameters": LLAMA3, "head_dim": 8})
    model = randomise(transformers.LlamaForCausalLM(config), seed=9)
    write(top / "llama3.gguf", model, gguf.MODEL_ARCH.LLAMA, True)
    write_expected(top, model, rows)
