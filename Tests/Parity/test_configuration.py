"""Nothing of config.json is passed over that transformers acts on.

Every key of the configuration classes, and keys that older or other files have, is given other
values, one after the other. What transformers then computes Graft computes too, or it refuses the
file and names the key. That is some fifteen thousand models: of each key's values a few are tried,
the same ones every time, and all of them with GRAFT_TEST_WHOLE=1 (`make test-whole`).
"""

import dataclasses
import json
import os
import random
import shutil
from pathlib import Path

import numpy
import pytest
import torch
import transformers

import graft
from conftest import GOLDENS, TOLERANCE
from token_rows import classify, hidden_states, language_loss

MODELS = {
    "bert": "bert-tiny/base", "distilbert": "distilbert-tiny/base", "gpt2": "gpt2-tiny/plain", "llama": "llama-tiny/plain", "mistral": "mistral-tiny/plain",
    "qwen2": "qwen2-tiny/plain", "qwen3": "qwen3-tiny/plain", "smollm3": "smollm3-tiny/plain",
    "gemma": "gemma-tiny/plain", "gemma2": "gemma2-tiny/plain", "gemma3": "gemma3-tiny/plain",
    "roberta": "roberta-tiny/base", "xlm-roberta": "xlm-roberta-tiny/token-classification",
    "electra": "electra-tiny/base", "albert": "albert-tiny/groups", "mpnet": "mpnet-tiny/base",
    "modernbert": "modernbert-tiny/base", "phi3": "phi3-tiny/plain", "olmo2": "olmo2-tiny/plain",
    "gpt-neox": "gpt-neox-tiny/plain", "deberta-v2": "deberta-v2-tiny/base",
    "nomic-bert": "nomic-bert-tiny/base",
}  # fmt: skip
CLASSES = {
    "bert": transformers.BertModel, "distilbert": transformers.DistilBertModel, "gpt2": transformers.GPT2Model, "llama": transformers.LlamaModel,
    "mistral": transformers.MistralModel, "qwen2": transformers.Qwen2Model, "qwen3": transformers.Qwen3Model,
    "smollm3": transformers.SmolLM3Model,
    "gemma": transformers.GemmaModel, "gemma2": transformers.Gemma2Model, "gemma3": transformers.Gemma3TextModel,
    "roberta": transformers.RobertaModel, "xlm-roberta": transformers.XLMRobertaModel,
    "electra": transformers.ElectraModel, "albert": transformers.AlbertModel, "mpnet": transformers.MPNetModel,
    "modernbert": transformers.ModernBertModel, "phi3": transformers.Phi3Model, "olmo2": transformers.Olmo2Model,
    "gpt-neox": transformers.GPTNeoXModel, "deberta-v2": transformers.DebertaV2Model,
    "nomic-bert": transformers.NomicBertModel,
}  # fmt: skip
ROWS = [[5, 17, 40, 3, 99, 8, 61, 2, 77, 30, 12, 50, 51, 52], [9], [4, 0, 2, 0]]

#: Keys of transformers 4, of other classes, and of files that say things twice.
OTHER_KEYS = [
    "add_cross_attention", "attention_chunk_size", "attn_logit_softcapping", "cross_attention_hidden_size", "decoder",
    "final_logit_softcapping", "finetuning_task", "head_dim", "hidden_activation", "is_causal", "is_decoder",
    "layer_types", "max_length", "mlp_layer_types", "num_key_value_heads", "num_labels",
    "original_max_position_embeddings", "output_attentions", "partial_rotary_factor", "per_layer_config",
    "position_embedding_type", "prefix", "pretraining_tp", "pruned_heads", "quantization_config",
    "rope_local_base_freq", "rope_scaling", "rope_theta", "sliding_window_pattern", "sliding_window", "text_config",
    "tf_legacy_loss", "tie_encoder_decoder", "tie_last_hidden_states", "tokenizer_class", "torch_dtype", "torchscript", "use_bfloat16", "vision_config",
]  # fmt: skip

VALUES = [
    None, True, False, 0, 1, 2, 4, 16, 64, 0.5, 3.0, 1e-3, "gelu", "relu", "silu", "absolute", "relative_key",
    "float16", "float32", "text", [], ["full_attention"] * 2, ["sliding_attention"] * 2, [2, 5], {}, {"hidden_size": 64},
    {"rope_type": "linear", "factor": 2.0}, {"type": "linear", "factor": 2.0, "rope_theta": 100.0},
    {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0},
    {"rope_type": "dynamic", "factor": 2.0}, {"rope_type": "yarn", "factor": 2.0, "beta_fast": 4.0}, {"full_attention": {"rope_type": "linear", "factor": 2.0}},
]  # fmt: skip

#: What refusals say that come with the rows.
OTHER_WORDS = {"max_position_embeddings": ["the model takes at most"]}

LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}

#: Settings that say one thing in two places.
TOGETHER = [
    {"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
    {"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_theta": 300.0, "rope_parameters": {"rope_theta": 500.0}},
    {"rope_scaling": {}, "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0}},
    {"rope_scaling": None, "rope_theta": 300.0, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
    {"rope_theta": 300.0, "rope_parameters": {"rope_type": "default"}},
    {"rope_scaling": {"type": "linear", "rope_type": "default", "factor": 2.0}, "rope_parameters": None},
    {"rope_parameters": dict(LLAMA3), "original_max_position_embeddings": 16},
    {"rope_parameters": dict(LLAMA3, original_max_position_embeddings=32), "original_max_position_embeddings": 16},
    {"rope_scaling": dict(LLAMA3, original_max_position_embeddings=32), "original_max_position_embeddings": 16},
    {"rope_parameters": {"rope_type": "linear", "factor": 2.0}, "original_max_position_embeddings": 16},
    {"layer_types": ["full_attention"] * 2, "rope_parameters": {"full_attention": dict(LLAMA3, rope_theta=100.0)}},
    {"hidden_activation": "relu", "hidden_act": "relu"},
    {"dtype": "float32", "torch_dtype": "float16"},
]  # fmt: skip


def values(architecture: str, key: str) -> list:
    if os.environ.get("GRAFT_TEST_WHOLE"):
        return VALUES
    return random.Random(f"{architecture} {key}").sample(VALUES, 2)


def keys(architecture: str) -> list[str]:
    fields = [field.name for field in dataclasses.fields(CLASSES[architecture].config_class)]
    return sorted(set(fields + list(CLASSES[architecture].config_class().to_dict()) + OTHER_KEYS))


def changed(architecture: str, folder: Path, changes: dict) -> Path:
    """A copy of the tiny model with those changes of config.json."""
    source = GOLDENS / MODELS[architecture]
    folder.mkdir(exist_ok=True)
    if not (folder / "model.safetensors").exists():
        shutil.copy(source / "model.safetensors", folder)
    config = json.loads((source / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def reference(architecture: str, folder: Path) -> numpy.ndarray | None:
    """What transformers computes; None where it cannot load or run the model, or makes up weights.
    """
    try:
        model, info = CLASSES[architecture].from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
        if any("pooler" not in key for key in info["missing_keys"]) or info["mismatched_keys"]:
            return None
        with torch.inference_mode():
            states = [model.eval()(input_ids=torch.tensor([row]), return_dict=True)[0][0] for row in ROWS]
        return torch.cat(states).numpy()
    except Exception:
        return None


def assert_same_or_refused(architecture: str, folder: Path, named: list[str]) -> None:
    expected = reference(architecture, folder)
    if expected is None:
        return
    try:
        found = hidden_states(graft.Model(folder, threads=1), ROWS)
    except graft.GraftError as error:
        assert any(key in str(error) for key in named), f"the refusal names none of {named}: {error}"
        return
    difference = numpy.abs(found - expected).max()
    assert difference < TOLERANCE, f"{difference}: transformers makes something else of it"


@pytest.mark.parametrize("architecture", MODELS)
def test_no_key_is_passed_over_that_transformers_acts_on(architecture, tmp_path):
    plain = changed(architecture, tmp_path / "plain", {})
    expected = reference(architecture, plain)
    assert numpy.abs(hidden_states(graft.Model(plain, threads=1), ROWS) - expected).max() < TOLERANCE
    failures = []
    for key in keys(architecture):
        for value in values(architecture, key):
            folder = changed(architecture, tmp_path / "changed", {key: value})
            try:
                assert_same_or_refused(architecture, folder, [key, *OTHER_WORDS.get(key, [])])
            except AssertionError as error:
                failures.append(f"{key} = {value!r}: {error}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("changes", TOGETHER, ids=str)
def test_two_places_of_one_setting_mean_what_they_mean_to_transformers(changes, tmp_path):
    assert_same_or_refused("llama", changed("llama", tmp_path / "model", changes), list(changes))


def test_settings_of_rotary_positions_change_something(tmp_path):
    """The test above would hold of settings that nobody reads."""
    plain = reference("llama", changed("llama", tmp_path / "model", {}))
    for changes in TOGETHER[:3]:
        assert numpy.abs(reference("llama", changed("llama", tmp_path / "model", changes)) - plain).max() > 1e-3


PADDED = [
    [1, 5, 9, 2], [1, 5, 9, 2, 2, 2], [2, 2, 1, 5], [1, 2, 9], [2, 2, 2], [2], [7], [2, 7, 2], [1, 5, 9],
]  # fmt: skip


@pytest.mark.parametrize("padding", [2, 0, None, -1])
def test_a_decoder_reads_the_last_token_that_is_not_padding(padding, tmp_path):
    source = GOLDENS / "llama-tiny" / "sequence-classification"
    shutil.copytree(source, tmp_path / "model")
    config = json.loads((source / "config.json").read_text()) | {"pad_token_id": padding}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    model = transformers.LlamaForSequenceClassification.from_pretrained(tmp_path / "model", dtype=torch.float32).eval()
    with torch.inference_mode():
        expected = torch.cat([model(input_ids=torch.tensor([row])).logits for row in PADDED]).numpy()
    found = classify(graft.Model(tmp_path / "model", threads=1), PADDED)
    assert numpy.abs(found - expected).max() < TOLERANCE


def tied_model(folder: Path, *, ties: bool, table: str | None, matrix: str | None) -> Path:
    """A Llama whose two tables, of kind "a" or "b", the file has or not."""
    from safetensors.torch import load_file, save_file

    source = GOLDENS / "llama-tiny" / "plain"
    folder.mkdir()
    config = json.loads((source / "config.json").read_text()) | {"tie_word_embeddings": ties}
    (folder / "config.json").write_text(json.dumps(config))
    tensors = load_file(source / "model.safetensors")
    kinds = {"a": tensors.pop("model.embed_tokens.weight")}
    tensors.pop("lm_head.weight", None)
    kinds["b"] = kinds["a"].flip(0).contiguous()
    if table:
        tensors["model.embed_tokens.weight"] = kinds[table]
    if matrix:
        tensors["lm_head.weight"] = kinds[matrix].clone()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize(
    ("ties", "table", "matrix"),
    [(True, "a", None), (True, "a", "a"), (True, "a", "b"), (True, None, "b"), (False, "a", "b"), (False, "a", "a")],
)
def test_tables_of_a_tied_model_are_those_of_the_file(ties, table, matrix, tmp_path):
    folder = tied_model(tmp_path / "model", ties=ties, table=table, matrix=matrix)
    reference = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rows = [row for row in ROWS if len(row) > 1]
    with torch.inference_mode():
        losses = [(reference(input_ids=torch.tensor([r]), labels=torch.tensor([r])).loss, len(r) - 1) for r in rows]
    expected = sum(float(loss) * count for loss, count in losses) / sum(count for _, count in losses)
    model = graft.Model(folder, threads=1)
    adapter = graft.Adapter.create(model, config={"task_type": "CAUSAL_LM"})
    assert abs(language_loss(model, rows, adapter) - expected) < TOLERANCE
