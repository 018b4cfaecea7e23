"""Adapters cross between Graft and PEFT in both directions, with equal logits and equal bytes."""

import warnings
from pathlib import Path

import numpy
import pytest
import safetensors.torch
import torch
from peft import get_peft_model_state_dict

import graft
from conftest import GOLDENS, MINILM, TOLERANCE, read_json
from peft_models import adapted, loaded, logits

LABELS = ["delivery", "refund", "account", "other"]
FILES = ("adapter_config.json", "adapter_model.safetensors")
QUERY_VALUE = dict(r=8, target_modules=["query", "value"])

#: Settings that PEFT saves and Graft must load with equal logits.
FROM_PEFT = {
    "defaults": dict(),
    "alpha": dict(QUERY_VALUE, lora_alpha=32),
    "rslora": dict(QUERY_VALUE, use_rslora=True),
    "patterns": dict(QUERY_VALUE, rank_pattern={r"layer\.[0-2]\..*query": 3, "value": 5}, alpha_pattern={"query": 20}),
    "regex": dict(r=4, target_modules=r".*layer\.[135]\..*(key|dense)"),
    "all-linear": dict(r=4, target_modules="all-linear"),
    "excluded": dict(r=4, target_modules="all-linear", exclude_modules=["pooler.dense", "key"]),
    "some-layers": dict(QUERY_VALUE, layers_to_transform=[0, 5]),
    "pooler-saved": dict(QUERY_VALUE, modules_to_save=["pooler"]),
    "head-alone": dict(target_modules="dummy-target-modules", modules_to_save=["pooler"]),
    "bias-all": dict(QUERY_VALUE, bias="all"),
    "bias-lora-only": dict(QUERY_VALUE, bias="lora_only"),
    "lora-bias": dict(QUERY_VALUE, lora_bias=True),
    "embeddings": dict(r=4, target_modules=["word_embeddings", "position_embeddings", "query"]),
    "everything": dict(r=4, lora_alpha=3, target_modules="all-linear", bias="all", lora_bias=True, use_rslora=True),
    "dora": dict(r=4, target_modules="all-linear", use_dora=True),
    "dora-embeddings": dict(r=4, target_modules=["word_embeddings", "token_type_embeddings", "key"], use_dora=True),
    "ia3": dict(method="ia3"),
    "ia3-all-linear": dict(method="ia3", target_modules="all-linear", feedforward_modules=["query", "dense"]),
    "adalora": dict(method="adalora", total_step=10, lora_alpha=200),
    "adalora-all-linear": dict(method="adalora", total_step=10, lora_alpha=200, init_r=5, target_r=2, target_modules="all-linear"),
}

#: Settings that Graft trains with and PEFT must load with equal logits.
FROM_GRAFT = {
    "defaults": dict(),
    "query-value": dict(QUERY_VALUE, lora_alpha=16, lora_dropout=0.1),
    "patterns": dict(QUERY_VALUE, rank_pattern={"value": 2}, alpha_pattern={"query": 20}, use_rslora=True),
    "all-linear": dict(r=4, target_modules="all-linear", bias="all", lora_bias=True),
    "pooler-saved": dict(QUERY_VALUE, modules_to_save=["pooler"]),
    "embeddings": dict(r=4, target_modules=["word_embeddings", "intermediate.dense", "output.dense"]),
    "gaussian": dict(QUERY_VALUE, init_lora_weights="gaussian", bias="lora_only"),
    "dora": dict(r=4, use_dora=True, lora_dropout=0.1),
    "dora-embeddings": dict(r=4, target_modules=["word_embeddings", "query"], use_dora=True),
    "ia3": dict(method="ia3"),
    "ia3-some": dict(method="ia3", target_modules=["query", "intermediate.dense"], modules_to_save=["pooler"]),
    "adalora": dict(method="adalora", init_r=4, target_r=1, total_step=5, target_modules=["query", "dense"]),
    "adalora-biases": dict(method="adalora", total_step=4, tinit=1, tfinal=1, bias="lora_only"),
}

CASES = [case | {"folder": name} for name in ("lora", "ia3", "adalora") for case in read_json(GOLDENS / name / "cases.json")]


def assert_same_files(folder: Path, expected: Path) -> None:
    for name in FILES:
        assert (folder / name).read_bytes() == (expected / name).read_bytes(), name


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['folder']}-{case['name']}")
def test_a_golden_adapter_is_saved_with_the_bytes_it_was_loaded_from(case, tmp_path):
    source = GOLDENS / case["folder"] / case["name"]
    model = graft.Model(GOLDENS / case["base"])
    graft.Adapter.load(model, source).save(tmp_path / "saved")
    assert_same_files(tmp_path / "saved", source)


@pytest.mark.parametrize("settings", FROM_PEFT.values(), ids=FROM_PEFT)
def test_an_adapter_of_peft_gives_the_same_logits_and_bytes_in_graft(
    settings, minilm, minilm_tokenizer, short_texts, tmp_path
):
    theirs = adapted(MINILM, len(LABELS), **settings)
    theirs.save_pretrained(tmp_path / "peft")
    adapter = graft.Adapter.load(minilm, tmp_path / "peft")
    found = numpy.asarray(graft.Session(minilm, minilm_tokenizer, adapter, maximum_length=512).classify(short_texts["texts"]))
    expected = logits(theirs, short_texts["ids"]).numpy()
    assert numpy.abs(expected).max() > 0.1
    assert numpy.abs(found - expected).max() < TOLERANCE
    adapter.save(tmp_path / "graft")
    assert_same_files(tmp_path / "graft", tmp_path / "peft")


def train_a_little(model: graft.Model, tokenizer: graft.Tokenizer, texts: list[str], settings: dict) -> graft.Adapter:
    own = {key: value for key, value in settings.items() if key != "method"}
    adapter = graft.Adapter.create(model, method=settings.get("method", "lora"), config=own, seed=3)
    adapter.set_head(task="sequence_classification", labels=LABELS)
    numbers = [index % len(LABELS) for index in range(len(texts))]
    with graft.Trainer(model, adapter, learning_rate=5e-3, seed=1) as trainer:
        with graft.Batch(tokenizer, texts, labels=numbers, maximum_length=64) as batch:
            for _ in range(5):
                trainer.step(batch)
    return adapter


@pytest.mark.parametrize("settings", FROM_GRAFT.values(), ids=FROM_GRAFT)
def test_an_adapter_trained_in_graft_gives_the_same_logits_in_peft(settings, minilm, minilm_tokenizer, short_texts, tmp_path):
    adapter = train_a_little(minilm, minilm_tokenizer, short_texts["texts"], settings)
    found = numpy.asarray(graft.Session(minilm, minilm_tokenizer, adapter, maximum_length=512).classify(short_texts["texts"]))
    adapter.save(tmp_path / "graft")

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # PEFT only warns of missing tensors
        warnings.filterwarnings("ignore", category=FutureWarning)
        # It says so of its own files as well: it takes the kept ranks for LoRA's pattern.
        warnings.filterwarnings("ignore", message="The following rank_pattern keys")
        theirs = loaded(MINILM, tmp_path / "graft", len(LABELS))
    expected = logits(theirs, short_texts["ids"]).numpy()
    assert numpy.ptp(expected, axis=1).max() > 0.05, "the training changed nothing"
    assert numpy.abs(found - expected).max() < TOLERANCE

    # With bias="all" PEFT writes the biases of modules_to_save three times; one copy is all it
    # reads.
    copies = (".modules_to_save.bias", ".original_module.bias")
    ours = safetensors.torch.load_file(tmp_path / "graft" / "adapter_model.safetensors")
    kept = {name: tensor for name, tensor in get_peft_model_state_dict(theirs).items() if not name.endswith(copies)}
    assert sorted(ours) == sorted(kept)
    assert all(torch.equal(ours[name], kept[name]) for name in ours)


@pytest.mark.parametrize("dense_layer", [False, True])
@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_peft_refuses_a_head_that_it_does_not_know(pooling, dense_layer, minilm, tmp_path):
    adapter = graft.Adapter.create(minilm)
    adapter.set_head(labels=LABELS, pooling=pooling, dense_layer=dense_layer)
    adapter.save(tmp_path / "graft")
    # It also warns of the setting; what ends the loading is the classifier that is not there.
    with pytest.warns(UserWarning, match="pooling"), pytest.raises(KeyError, match="classifier"):
        loaded(MINILM, tmp_path / "graft", len(LABELS))


def test_a_graft_adapter_is_the_same_after_saving_and_loading(minilm, minilm_tokenizer, short_texts, tmp_path):
    adapter = train_a_little(minilm, minilm_tokenizer, short_texts["texts"], QUERY_VALUE)
    before = numpy.asarray(graft.Session(minilm, minilm_tokenizer, adapter, maximum_length=512).classify(short_texts["texts"]))
    adapter.save(tmp_path / "first")
    again = graft.Adapter.load(minilm, tmp_path / "first")
    assert again.labels == LABELS
    after = numpy.asarray(graft.Session(minilm, minilm_tokenizer, again, maximum_length=512).classify(short_texts["texts"]))
    assert numpy.array_equal(before, after)
    again.save(tmp_path / "second")
    assert_same_files(tmp_path / "second", tmp_path / "first")
