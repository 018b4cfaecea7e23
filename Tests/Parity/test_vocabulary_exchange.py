"""Adapters that carry tables of the vocabulary cross between PEFT and Graft, with tokens that the
base does not have.
"""

import json
import shutil
import warnings
from pathlib import Path

import pytest
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

import graft
from conftest import GOLDENS, TOLERANCE
from token_rows import classify, language_loss

BASES = {"tied": "plain", "untied": "everything"}
ROWS = [[1, 5, 9, 60, 33], [4, 99, 8, 61, 2, 77, 30]]
TABLES = ["embed_tokens", "lm_head"]

#: base, size of the vocabulary with the adapter (None: the base's), settings.
CASES = {
    "tied-larger": ("tied", 117, {}),
    "tied-smaller": ("tied", 101, {}),
    "untied-larger": ("untied", 117, {}),
    "untied-smaller": ("untied", 101, {}),
    "tied-saved": ("tied", None, {"modules_to_save": ["embed_tokens"]}),
    "untied-saved": ("untied", None, {"modules_to_save": TABLES}),
    "untied-saved-larger": ("untied", 117, {"modules_to_save": TABLES}),
    "tied-saved-larger": ("tied", 117, {"modules_to_save": ["embed_tokens"]}),
    "untied-one-saved-larger": ("untied", 117, {"modules_to_save": ["embed_tokens"]}),
    "tied-together": ("tied", None, {"modules_to_save": ["embed_tokens"], "ensure_weight_tying": True}),
    "tied-together-larger": ("tied", 117, {"modules_to_save": ["lm_head"], "ensure_weight_tying": True}),
    "untied-together": ("untied", None, {"modules_to_save": ["embed_tokens"], "ensure_weight_tying": True}),
    "nothing-to-tie": ("tied", None, {"ensure_weight_tying": True}),
    "untied-adapted-larger": ("untied", 117, {"target_modules": ["q_proj", *TABLES]}),
    "tied-adapted-larger": ("tied", 117, {"target_modules": ["q_proj", "embed_tokens"]}),
    "untied-always": ("untied", None, {"save_embedding_layers": True}),
}  # fmt: skip


def base(name: str, size: int | None) -> torch.nn.Module:
    model = transformers.LlamaForCausalLM.from_pretrained(GOLDENS / "llama-tiny" / BASES[name], dtype=torch.float32)
    if size:
        model.resize_token_embeddings(size, mean_resizing=False)
    return model.eval()


def loss(model: torch.nn.Module, rows: list[list[int]]) -> float:
    with torch.inference_mode():
        losses = [(model(input_ids=torch.tensor([r]), labels=torch.tensor([r])).loss, len(r) - 1) for r in rows]
    return sum(float(loss) * count for loss, count in losses) / sum(count for _, count in losses)


def saved(case: str, folder: Path) -> tuple[PeftModel, list[list[int]]]:
    """A PEFT model with random tensors, saved, and rows with all the tokens that it has."""
    name, size, settings = CASES[case]
    settings = dict(settings)
    save = {key: settings.pop(key) for key in ["save_embedding_layers"] if key in settings}
    torch.manual_seed(1)
    model = base(name, size)
    with torch.no_grad():
        if size:
            for module in {model.get_input_embeddings(), model.get_output_embeddings()}:
                module.weight[110:] = torch.randn_like(module.weight[110:]) * 0.3
    peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=2, **{"target_modules": ["q_proj"], **settings}))
    with torch.no_grad():
        for parameter in peft.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.05)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peft.eval().save_pretrained(folder, **save)
    last = (size or 110) - 1
    rows = [[min(token, last) for token in row] for row in ROWS]
    return peft, [*rows, [1, last, last - 1, 7, last - 3, last]]


@pytest.mark.parametrize("case", CASES)
def test_tables_of_peft_act_train_and_return(case, tmp_path):
    peft, rows = saved(case, tmp_path / "peft")
    name, size, _ = CASES[case]
    model = graft.Model(GOLDENS / "llama-tiny" / BASES[name], threads=1)
    adapter = graft.Adapter.load(model, tmp_path / "peft")
    assert abs(language_loss(model, rows, adapter) - loss(peft, rows)) < TOLERANCE
    adapter.save(tmp_path / "same")
    for file in ["adapter_config.json", "adapter_model.safetensors"]:
        assert (tmp_path / "same" / file).read_bytes() == (tmp_path / "peft" / file).read_bytes()

    with graft.Trainer(model, adapter, learning_rate=2e-2, weight_decay=0.1, threads=1) as trainer:
        batch = graft.Batch.from_tokens(rows)
        batch.set_column("token_labels", rows)
        for _ in range(5):
            trainer.step(batch)
    ours = language_loss(model, rows, adapter)
    assert ours < loss(peft, rows) - 0.01
    adapter.save(tmp_path / "graft")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = PeftModel.from_pretrained(base(name, size), tmp_path / "graft").eval()
    assert abs(loss(again, rows) - ours) < TOLERANCE

    # What PEFT does not train stays what it was.
    before = load_file(tmp_path / "peft" / "adapter_model.safetensors")
    after = load_file(tmp_path / "graft" / "adapter_model.safetensors")
    trained = {key for key in before if "lora" in key or "modules_to_save" in (CASES[case][2] or {})}
    for key in set(before) & set(after) - trained:
        assert torch.equal(before[key], after[key]), key


def test_tokens_beyond_the_vocabulary_are_refused(tmp_path):
    saved("tied-larger", tmp_path / "peft")
    model = graft.Model(GOLDENS / "llama-tiny" / "plain", threads=1)
    adapter = graft.Adapter.load(model, tmp_path / "peft")
    with pytest.raises(graft.GraftError, match="117 tokens"):
        language_loss(model, [[1, 117]], adapter)
    plain = graft.Adapter.create(model, config={"task_type": "CAUSAL_LM"})
    with pytest.raises(graft.GraftError, match="110 tokens"):
        language_loss(model, [[1, 110]], plain)


def renamed(source: Path, target: Path, name) -> Path:
    shutil.copytree(source, target)
    tensors = load_file(source / "adapter_model.safetensors")
    save_file({name(key): tensor for key, tensor in tensors.items()}, target / "adapter_model.safetensors")
    return target


@pytest.mark.parametrize("adapter_name", ["default", "my_adapter"])
@pytest.mark.parametrize("settings", [{}, {"lora_bias": True}, {"target_modules": ["q_proj", *TABLES]}], ids=str)
def test_keys_may_have_the_adapters_name(adapter_name, settings, tmp_path):
    torch.manual_seed(2)
    config = LoraConfig(task_type="CAUSAL_LM", r=2, init_lora_weights=False, **{"target_modules": ["q_proj"], **settings})
    if "target_modules" in settings and settings.get("lora_bias"):
        return
    peft = get_peft_model(base("untied", None), config).eval()
    peft.save_pretrained(tmp_path / "plain", save_embedding_layers=False)

    def named(key: str) -> str:
        stem, dot, end = key.rpartition(".")
        if end.startswith("lora_embedding"):
            return f"{key}.{adapter_name}"
        return f"{stem}.{adapter_name}{dot}{end}" if "lora_" in key else key

    folder = renamed(tmp_path / "plain", tmp_path / "named", named)
    model = graft.Model(GOLDENS / "llama-tiny" / "everything", threads=1)
    found = language_loss(model, ROWS, graft.Adapter.load(model, folder))
    assert abs(found - loss(peft, ROWS)) < TOLERANCE
    if adapter_name == "default":
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", category=FutureWarning)
            assert abs(loss(PeftModel.from_pretrained(base("untied", None), folder).eval(), ROWS) - found) < TOLERANCE


def test_float64_is_converted(tmp_path):
    source = GOLDENS / "llama-tiny" / "everything"
    shutil.copytree(source, tmp_path / "base")
    tensors = load_file(source / "model.safetensors")
    save_file({key: tensor.double() for key, tensor in tensors.items()}, tmp_path / "base" / "model.safetensors")
    peft, rows = saved("untied-saved", tmp_path / "peft")
    tensors = load_file(tmp_path / "peft" / "adapter_model.safetensors")
    save_file(
        {key: tensor.double() for key, tensor in tensors.items()}, tmp_path / "peft" / "adapter_model.safetensors"
    )
    model = graft.Model(tmp_path / "base", threads=1)
    assert model.checksum == graft.Model(tmp_path / "base", threads=1).checksum
    assert abs(language_loss(model, rows, graft.Adapter.load(model, tmp_path / "peft")) - loss(peft, rows)) < TOLERANCE


@pytest.mark.parametrize(
    ("problem", "labels", "task"),
    [
        ("multi_label_classification", 3, "multi_label_classification"), ("regression", 3, "regression"),
        (None, 1, "regression"), (None, 3, "sequence_classification"),
    ],
)  # fmt: skip
def test_a_head_is_for_the_problem_that_peft_trains_it_for(problem, labels, task, tmp_path):
    source = GOLDENS / "bert-tiny" / "sequence-classification"
    shutil.copytree(source, tmp_path / "base")
    config = json.loads((source / "config.json").read_text())
    (tmp_path / "base" / "config.json").write_text(json.dumps(config | {"problem_type": problem}))
    model = transformers.BertForSequenceClassification.from_pretrained(
        tmp_path / "base", num_labels=labels, ignore_mismatched_sizes=True
    )
    peft = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query"]))
    peft.save_pretrained(tmp_path / "adapter")
    ours = graft.Model(tmp_path / "base", threads=1)
    adapter = graft.Adapter.load(ours, tmp_path / "adapter")
    assert adapter.task == task
    rows = [[1, 2, 3], [5, 17, 40, 8]]
    with torch.inference_mode():
        expected = torch.cat([peft.eval()(input_ids=torch.tensor([row])).logits for row in rows]).numpy()
    assert abs(classify(ours, rows, adapter) - expected).max() < TOLERANCE
    if problem:
        with pytest.raises(graft.GraftError, match=problem):
            graft.Adapter.create(ours).set_head("sequence_classification", labels=["a", "b", "c"])
