"""PiSSA starts where PEFT's does, and is saved as PEFT converts it."""

import json

import numpy
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.numpy import load_file

import graft
from conftest import GOLDENS, TOLERANCE, read_json
from peft_models import base, loaded, logits, padded
from token_rows import classify, hidden_states

FOLDER = GOLDENS / "bert-tiny" / "sequence-classification"
LABELS = ["a", "b", "c"]
START = "base_model.model."

SETTINGS = {
    "plain": dict(r=4, lora_alpha=8),
    "rslora": dict(r=4, lora_alpha=8, use_rslora=True),
    "patterns": dict(r=4, lora_alpha=8, rank_pattern={"query": 3}, alpha_pattern={"value": 5}),
}


def settings_of(name: str) -> dict:
    return dict(SETTINGS[name], target_modules=["query", "value"], init_lora_weights="pissa", task_type="SEQ_CLS")


def theirs(settings: dict) -> torch.nn.Module:
    return get_peft_model(base(FOLDER, len(LABELS)), LoraConfig(**settings)).eval()


def ours(settings: dict) -> tuple[graft.Model, graft.Adapter]:
    model = graft.Model(FOLDER)
    adapter = graft.Adapter.create(model, config=settings, seed=1)
    adapter.set_head(labels=LABELS, dropout=0)
    return model, adapter


@pytest.mark.parametrize("name", SETTINGS)
def test_the_first_values_are_pefts(name, tmp_path):
    settings = settings_of(name)
    peft = theirs(settings)
    model, adapter = ours(settings)
    adapter.save(tmp_path / "ours")
    tensors = load_file(tmp_path / "ours" / "adapter_model.safetensors")
    found = 0
    for path, module in peft.named_modules():
        if not hasattr(module, "lora_A") or not module.lora_A:
            continue
        found += 1
        a, b = (side["default"].weight.detach().numpy() for side in (module.lora_A, module.lora_B))
        rank = len(a)
        (a_own, a_start), (b_own, b_start) = (
            numpy.split(tensors[f"{path}.lora_A.weight"], [rank], 0),
            numpy.split(tensors[f"{path}.lora_B.weight"], [rank], 1),
        )
        assert (a_own == a_start).all() and (b_own == -b_start).all()
        assert abs(b_own @ a_own - b @ a).max() < 1e-5
        # The signs of a singular value's two vectors are free, together.
        assert abs(abs(a_own) - abs(a)).max() < 1e-4 and abs(abs(b_own) - abs(b)).max() < 1e-4
    assert found == 4
    rows = read_json(GOLDENS / "bert-tiny" / "inputs.json")["input_ids"]
    plain = loaded(FOLDER, tmp_path / "ours", len(LABELS))
    assert abs(logits(plain, rows).numpy() - classify(model, rows, adapter)).max() < TOLERANCE


@pytest.mark.parametrize("name", SETTINGS)
def test_a_trained_adapter_is_a_plain_lora_for_peft(name, tmp_path):
    rows = read_json(GOLDENS / "bert-tiny" / "inputs.json")["input_ids"]
    model, adapter = ours(settings_of(name))
    fresh = classify(model, rows, adapter)
    batch = graft.Batch.from_tokens(rows)
    batch.set_column("labels", [index % len(LABELS) for index in range(len(rows))])
    with graft.Trainer(model, adapter, learning_rate=0.02, threads=1) as trainer:
        for _ in range(5):
            trainer.step(batch)
    trained = classify(model, rows, adapter)
    assert abs(trained - fresh).max() > 0.01
    adapter.save(tmp_path / "ours")
    assert abs(logits(loaded(FOLDER, tmp_path / "ours", len(LABELS)), rows).numpy() - trained).max() < TOLERANCE


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_are_those_of_pefts_conversion(name, tmp_path):
    rows = read_json(GOLDENS / "bert-tiny" / "inputs.json")["input_ids"]
    settings = settings_of(name)
    peft = theirs(settings)
    peft.peft_config["default"].init_lora_weights = True  # as PEFT's example does
    peft.save_pretrained(tmp_path / "start")
    with torch.no_grad():
        for parameter in peft.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.02)
    peft.peft_config["default"].init_lora_weights = "pissa"
    peft.save_pretrained(tmp_path / "converted", path_initial_model_for_weight_conversion=str(tmp_path / "start"))
    expected = read_json(tmp_path / "converted" / "adapter_config.json")
    model, adapter = ours(settings)
    adapter.save(tmp_path / "ours")
    found = read_json(tmp_path / "ours" / "adapter_config.json")
    for key in ("r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "init_lora_weights"):
        assert found[key] == expected[key], key
    # What PEFT converted is the model that it was made of, but for the head, which it leaves out.
    (tmp_path / "converted" / "adapter_config.json").write_text(json.dumps(expected | {"task_type": None}))
    again = hidden_states(model, rows[:1], graft.Adapter.load(model, tmp_path / "converted"))
    with torch.inference_mode():
        states = peft.base_model.model.bert(**padded(rows[:1])).last_hidden_state[0].numpy()
    assert abs(again - states).max() < TOLERANCE
