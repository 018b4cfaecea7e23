"""A merged folder is transformers', with equal logits; a compressed adapter is numpy's
truncation."""

import json

import numpy
import pytest
import safetensors
import torch
from safetensors.numpy import load_file
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

import graft
from conftest import GOLDENS, MINILM, TOLERANCE, read_json
from peft_models import logits, padded
from token_rows import classify, hidden_states

LABELS = ["delivery", "refund", "account", "other"]
ALL = {"r": 4, "target_modules": "all-linear", "init_lora_weights": False, "bias": "all"}

#: Base model, the adapter's settings, and what transformers calls the result.
CLASSIFIERS = {
    "bert": ("bert-tiny/base", ALL, "BertForSequenceClassification"),
    "bert-of-another-head": ("bert-tiny/sequence-classification", ALL, "BertForSequenceClassification"),
    "bert-of-another-task": ("bert-tiny/masked-lm", ALL | {"modules_to_save": ["pooler"]}, "BertForSequenceClassification"),
    "bert-bfloat16": ("bert-tiny/bfloat16", ALL, "BertForSequenceClassification"),
    "bert-sharded": ("bert-tiny/sharded", ALL, "BertForSequenceClassification"),
    "bert-words": ("bert-tiny/base", ALL | {"target_modules": ["word_embeddings", "query"]}, "BertForSequenceClassification"),
    "llama": ("llama-tiny/plain", ALL, "LlamaForSequenceClassification"),
    "llama-of-a-head": ("llama-tiny/sequence-classification", ALL, "LlamaForSequenceClassification"),
    "gemma3": ("gemma3-tiny/plain", ALL, "Gemma3TextForSequenceClassification"),
    "gpt2": ("gpt2-tiny/plain", ALL, "GPT2ForSequenceClassification"),
    "gpt-neox": ("gpt-neox-tiny/plain", ALL, "GPTNeoXForSequenceClassification"),
    "deberta-v2": ("deberta-v2-tiny/sequence-classification", ALL, "DebertaV2ForSequenceClassification"),
    "phi3": ("phi3-tiny/plain", ALL, "Phi3ForSequenceClassification"),
    "olmo2": ("olmo2-tiny/plain", ALL, "Olmo2ForSequenceClassification"),
    "roberta": ("roberta-tiny/base", ALL, "RobertaForSequenceClassification"),
    "roberta-of-another-head": ("roberta-tiny/sequence-classification", ALL, "RobertaForSequenceClassification"),
    "roberta-of-another-task": ("roberta-tiny/masked-lm", ALL, "RobertaForSequenceClassification"),
    "electra": ("electra-tiny/base", ALL, "ElectraForSequenceClassification"),
    "albert": ("albert-tiny/groups", ALL, "AlbertForSequenceClassification"),
    "modernbert": ("modernbert-tiny/masked-lm", ALL, "ModernBertForSequenceClassification"),
    "nomic-bert": ("nomic-bert-tiny/sequence-classification", ALL, "NomicBertForSequenceClassification"),
    "mpnet": ("mpnet-tiny/base", ALL, "MPNetForSequenceClassification"),
    "roberta-of-tokens": ("roberta-tiny/token-classification", ALL, "RobertaForSequenceClassification"),
}

TAGGERS = [
    "bert-tiny/base", "llama-tiny/plain", "gpt2-tiny/plain", "roberta-tiny/base", "roberta-tiny/sequence-classification",
]  # fmt: skip

LANGUAGE_MODELS = {
    "tied": ("llama-tiny/everything", ALL),
    "tables-parted": ("llama-tiny/everything", ALL | {"target_modules": ["embed_tokens", "q_proj"]}),
    "head-alone": ("llama-tiny/everything", ALL | {"target_modules": ["lm_head"]}),
    "untied": ("llama-tiny/plain", ALL),
    "gemma2": ("gemma2-tiny/everything", ALL | {"target_modules": ["embed_tokens", "q_proj"]}),
    "gpt2": ("gpt2-tiny/everything", ALL | {"target_modules": ["c_attn", "c_proj"]}),
    "gpt-neox": ("gpt-neox-tiny/plain", ALL | {"target_modules": ["lm_head", "query_key_value"]}),
    "phi3": ("phi3-tiny/long", ALL | {"target_modules": ["qkv_proj", "gate_up_proj"]}),
}


def rows_of(base: str) -> list[list[int]]:
    return read_json(GOLDENS / base.split("/")[0] / "inputs.json")["input_ids"]


@pytest.mark.parametrize(("base", "settings", "name"), CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_a_merged_classifier_is_opened_by_transformers(base, settings, name, tmp_path):
    rows = rows_of(base)
    model = graft.Model(GOLDENS / base)
    adapter = graft.Adapter.create(model, config=settings, seed=4)
    adapter.set_head(labels=LABELS)
    model.merge(adapter, tmp_path / "merged")
    config = read_json(tmp_path / "merged" / "config.json")
    assert config["architectures"] == [name] and list(config["id2label"].values()) == LABELS
    theirs, report = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "merged", dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert type(theirs).__name__ == name and not report["missing_keys"] and not report["mismatched_keys"]
    assert theirs.config.label2id == {label: index for index, label in enumerate(LABELS)}
    expected = numpy.concatenate([logits(theirs.eval(), [row]).numpy() for row in rows])
    attached = classify(model, rows, adapter)
    again = classify(graft.Model(tmp_path / "merged"), rows)
    assert abs(again - expected).max() < TOLERANCE
    # Merged weights of 16 bits are rounded to 8 of them.
    assert abs(attached - expected).max() < (0.2 if "bfloat16" in base else TOLERANCE)


@pytest.mark.parametrize("base", TAGGERS)
def test_a_merged_tagger_is_opened_by_transformers(base, tmp_path):
    rows = rows_of(base)
    model = graft.Model(GOLDENS / base)
    adapter = graft.Adapter.create(model, config=ALL, seed=4)
    adapter.set_head("token_classification", labels=LABELS)
    model.merge(adapter, tmp_path / "merged")
    theirs, report = AutoModelForTokenClassification.from_pretrained(
        tmp_path / "merged", dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not report["missing_keys"] and not report["mismatched_keys"]
    assert list(theirs.config.id2label.values()) == LABELS
    with torch.inference_mode():
        expected = numpy.concatenate([theirs.eval()(**padded([row])).logits[0].numpy() for row in rows])
    for found in (
        classify(model, rows, adapter, per_token=True),
        classify(graft.Model(tmp_path / "merged"), rows, per_token=True),
    ):
        assert abs(found - expected).max() < TOLERANCE


@pytest.mark.parametrize("task", ["multi_label_classification", "regression"])
def test_a_merged_model_says_what_its_head_is_for(task, tmp_path):
    model = graft.Model(GOLDENS / "bert-tiny" / "base")
    adapter = graft.Adapter.create(model, config=ALL, seed=4)
    adapter.set_head(task, labels=LABELS)
    model.merge(adapter, tmp_path / "merged")
    assert AutoModelForSequenceClassification.from_pretrained(tmp_path / "merged").config.problem_type == task


@pytest.mark.parametrize(("base", "settings"), LANGUAGE_MODELS.values(), ids=LANGUAGE_MODELS)
def test_a_merged_language_model_is_opened_by_transformers(base, settings, tmp_path):
    rows = rows_of(base)
    model = graft.Model(GOLDENS / base)
    adapter = graft.Adapter.create(model, config=settings | {"task_type": "CAUSAL_LM"}, seed=4)
    adapter.save(tmp_path / "adapter")
    model.merge(adapter, tmp_path / "merged")
    theirs, report = AutoModelForCausalLM.from_pretrained(
        tmp_path / "merged", dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not report["missing_keys"] and not report["mismatched_keys"] and not report["unexpected_keys"]
    original = AutoModelForCausalLM.from_pretrained(GOLDENS / base, dtype=torch.float32, attn_implementation="eager")
    with torch.inference_mode():
        for row in rows:
            batch = padded([row])
            found = theirs.eval()(**batch, output_hidden_states=True)
            last = hidden_states(model, [row], adapter)
            assert abs(found.hidden_states[-1][0].numpy() - last).max() < TOLERANCE
            head = theirs.get_output_embeddings().weight
            if not any(name in settings["target_modules"] for name in ("lm_head", "embed_tokens")):
                assert torch.equal(head, original.get_output_embeddings().weight)


def test_a_merged_sentence_encoder_keeps_what_lies_beside_the_weights(minilm, tmp_path):
    adapter = graft.Adapter.create(minilm, config={"init_lora_weights": False}, seed=1)
    minilm.merge(adapter, tmp_path / "merged")
    assert isinstance(AutoModel.from_pretrained(tmp_path / "merged"), torch.nn.Module)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    assert tokenizer("Good morning.").input_ids == AutoTokenizer.from_pretrained(MINILM)("Good morning.").input_ids
    for name in ("modules.json", "1_Pooling/config.json", "tokenizer.json"):
        assert (tmp_path / "merged" / name).read_bytes() == (MINILM / name).read_bytes()
    with safetensors.safe_open(tmp_path / "merged" / "model.safetensors", "numpy") as file:
        assert file.metadata() == {"format": "pt"}


def deltas(folder, factor=None) -> dict[str, numpy.ndarray]:
    """The change of each weight by a saved LoRA."""
    tensors = load_file(folder / "adapter_model.safetensors")
    config = json.loads((folder / "adapter_config.json").read_text())
    found = {}
    for name, a in tensors.items():
        if name.endswith(".lora_A.weight"):
            path = name.removesuffix(".lora_A.weight").removeprefix("base_model.model.")
            rank = config["rank_pattern"].get(path, config["r"])
            alpha = config["alpha_pattern"].get(path, config["lora_alpha"])
            b = tensors[name.replace("lora_A", "lora_B")]
            found[path] = alpha / rank * b.astype(numpy.float64) @ a.astype(numpy.float64)
    return found


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_a_compressed_adapter_is_numpys_truncation(minilm, tmp_path, rank):
    settings = {"r": 8, "target_modules": ["query", "intermediate.dense"], "init_lora_weights": False}
    adapter = graft.Adapter.create(minilm, config=settings, seed=2)
    adapter.save(tmp_path / "before")
    small, error = adapter.compress(rank)
    small.save(tmp_path / "after")
    before, after = deltas(tmp_path / "before"), deltas(tmp_path / "after")
    lost = whole = 0.0
    for path, change in before.items():
        u, s, vt = numpy.linalg.svd(change, full_matrices=False)
        best = (u[:, :rank] * s[:rank]) @ vt[:rank]
        assert numpy.linalg.norm(after[path] - best) < 1e-5 * numpy.linalg.norm(change)
        expected = numpy.sqrt((s[rank:] ** 2).sum() / (s**2).sum())
        assert error.modules[path] == pytest.approx(expected, abs=1e-5)
        lost, whole = lost + (s[rank:] ** 2).sum(), whole + (s**2).sum()
    assert error.total == pytest.approx(numpy.sqrt(lost / whole), abs=1e-5)


def test_peft_opens_a_compressed_adapter(minilm, tmp_path):
    adapter = graft.Adapter.create(minilm, config={"r": 8, "init_lora_weights": False}, seed=2)
    small, _ = adapter.compress(3)
    small.save(tmp_path / "small")
    from peft import PeftModel

    theirs = PeftModel.from_pretrained(AutoModel.from_pretrained(MINILM, attn_implementation="eager"), tmp_path / "small")
    rows = [[101, 2204, 2851, 102], [101, 2748, 102]]
    with torch.inference_mode():
        for row in rows:
            expected = theirs.eval()(**padded([row])).last_hidden_state[0].numpy()
            found = hidden_states(minilm, [row], small)
            assert abs(found - expected).max() < TOLERANCE
