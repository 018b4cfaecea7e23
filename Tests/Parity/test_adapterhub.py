"""Bottleneck adapters cross between Graft and AdapterHub's `adapters` in both directions, with
equal logits and bytes.

Runs with the packages of requirements-adapters.txt, since `adapters` pins another transformers than
PEFT's tests.
"""

import json
from pathlib import Path

import adapters
import numpy
import pytest
import torch
from adapters import AutoAdapterModel, BnConfig, DoubleSeqBnConfig, ParBnConfig, SeqBnConfig
from transformers import AutoModel

import graft
from conftest import GOLDENS, MINILM, TOLERANCE

LABELS = ["delivery", "refund", "account", "other"]
NAME = "parity"
LLAMA = GOLDENS / "llama-tiny" / "plain-v4"

#: Settings that AdapterHub saves and Graft must load with equal logits.
FROM_ADAPTERHUB = {
    "seq_bn": "seq_bn",
    "double_seq_bn": "double_seq_bn",
    "par_bn": "par_bn",
    "houlsby": DoubleSeqBnConfig(init_weights="houlsby", leave_out=[1, 4], non_linearity="gelu"),
    "after-norm": SeqBnConfig(residual_before_ln=False, mh_adapter=True, non_linearity="tanh"),
    "post-add": SeqBnConfig(residual_before_ln="post_add", mh_adapter=True, non_linearity="gelu_new"),
    "by-layer": SeqBnConfig(reduction_factor={"1": 0.5, "3": 400, "default": 12}, scaling=0.25),
    "parallel-both": ParBnConfig(mh_adapter=True, non_linearity="silu"),
    "own": BnConfig(mh_adapter=True, output_adapter=False, reduction_factor=8, non_linearity="relu", dropout=0.3),
}

#: Settings that Graft trains with and AdapterHub must load with equal logits.
FROM_GRAFT = {
    "defaults": None,
    "double_seq_bn": {"config": "double_seq_bn", "dropout": 0.1, "name": "mine"},
    "par_bn": {"config": "par_bn", "reduction_factor": 4, "scaling": 2},
    "houlsby": {"config": "houlsby", "init_weights": "houlsby", "leave_out": [0, 2]},
    "by-layer": {"config": "pfeiffer", "reduction_factor": {"2": 4, "default": 32}, "residual_before_ln": False},
}

#: Settings that Graft does not do, and the word that the error must have.
REFUSED = {
    "invertible": (adapters.SeqBnInvConfig(), "inv_adapter"),
    "compacter": (adapters.CompacterConfig(phm_dim=2), "phm_layer"),
    "norm-after": (SeqBnConfig(ln_after=True), "ln_after"),
    "learned-scaling": (ParBnConfig(scaling="learned"), "scaling"),
    "gating": (SeqBnConfig(use_gating=True), "use_gating"),
    "no-norm-after": (SeqBnConfig(original_ln_after=False), "original_ln_after"),
    "activation": (SeqBnConfig(non_linearity="leakyrelu"), "leakyrelu"),
    "lora": (adapters.LoRAConfig(), "lora"),
    "prompt": (adapters.PromptTuningConfig(), "prompt_tuning"),
}


def randomised(model: torch.nn.Module) -> torch.nn.Module:
    """Every number of adapters and heads drawn anew, so that none is at its start."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "adapters." in name or name.startswith("heads."):
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model.eval()


def adapted(path: Path, config, **head) -> torch.nn.Module:
    model = AutoAdapterModel.from_pretrained(path)
    model.add_adapter(NAME, config=config)
    model.add_classification_head(NAME, num_labels=len(LABELS), id2label=dict(enumerate(LABELS)), **head)
    model.set_active_adapters(NAME)
    return randomised(model)


def logits(model: torch.nn.Module, rows: list) -> numpy.ndarray:
    with torch.inference_mode():
        return torch.cat([model(torch.tensor([row])).logits for row in rows]).numpy()


def save(model: torch.nn.Module, folder: Path) -> Path:
    folder.mkdir()
    model.save_adapter(folder, NAME, with_head=True, use_safetensors=True)
    return folder


def classified(model: graft.Model, adapter: graft.Adapter, tokenizer: graft.Tokenizer, texts: list) -> numpy.ndarray:
    with graft.Session(model, tokenizer, adapter, maximum_length=512) as session:
        return numpy.asarray(session.classify(texts))


def assert_same_files(folder: Path, expected: Path, content=Path.read_bytes) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in expected.iterdir())
    for path in expected.iterdir():
        assert content(folder / path.name) == content(path), path.name


def without_metadata(path: Path):
    """A file's bytes; of tensors, what the header says of them and their bytes."""
    content = path.read_bytes()
    if path.suffix != ".safetensors":
        return content
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header.pop("__metadata__", None)
    return header, content[end:]


@pytest.mark.parametrize("head", [dict(), dict(layers=1), dict(use_pooler=True, layers=1)], ids=str)
@pytest.mark.parametrize("config", FROM_ADAPTERHUB.values(), ids=FROM_ADAPTERHUB)
def test_an_adapter_of_adapterhub_gives_the_same_logits_and_bytes_in_graft(
    config, head, minilm, minilm_tokenizer, short_texts, tmp_path
):
    theirs = adapted(MINILM, config, **head)
    folder = save(theirs, tmp_path / "theirs")
    adapter = graft.Adapter.load(minilm, folder)
    assert (adapter.method, adapter.task, adapter.labels) == ("bottleneck", "sequence_classification", LABELS)
    expected = logits(theirs, short_texts["ids"])
    assert numpy.abs(expected).max() > 0.1
    assert numpy.abs(classified(minilm, adapter, minilm_tokenizer, short_texts["texts"]) - expected).max() < TOLERANCE
    adapter.save(tmp_path / "ours")
    assert_same_files(tmp_path / "ours", folder)


@pytest.mark.parametrize("dense_layer", [False, True])
@pytest.mark.parametrize("settings", FROM_GRAFT.values(), ids=FROM_GRAFT)
def test_an_adapter_trained_in_graft_gives_the_same_logits_in_adapterhub(
    settings, dense_layer, minilm, minilm_tokenizer, short_texts, tmp_path
):
    adapter = graft.Adapter.create(minilm, "bottleneck", settings, seed=3)
    adapter.set_head("sequence_classification", LABELS, dense_layer=dense_layer)
    numbers = [index % len(LABELS) for index in range(len(short_texts["texts"]))]
    with graft.Trainer(minilm, adapter, learning_rate=5e-3, seed=1) as trainer:
        with graft.Batch(minilm_tokenizer, short_texts["texts"], labels=numbers, maximum_length=64) as batch:
            for _ in range(5):
                trainer.step(batch)
    found = classified(minilm, adapter, minilm_tokenizer, short_texts["texts"])
    adapter.save(tmp_path / "ours")

    theirs = AutoAdapterModel.from_pretrained(MINILM)
    name = theirs.load_adapter(str(tmp_path / "ours"), use_safetensors=True, set_active=True)
    assert name == (settings or {}).get("name", "default")
    assert theirs.get_labels_dict(name) == dict(enumerate(LABELS))
    expected = logits(theirs.eval(), short_texts["ids"])
    assert numpy.ptp(expected, axis=1).max() > 0.05, "the training changed nothing"
    assert numpy.abs(found - expected).max() < TOLERANCE
    # And what AdapterHub saves again is what Graft saved, but for what it has no name for: the
    # length of the rows.
    (tmp_path / "theirs").mkdir()
    theirs.save_adapter(tmp_path / "theirs", name, with_head=True, use_safetensors=True)
    assert_same_files(tmp_path / "theirs", tmp_path / "ours", content=without_metadata)


def test_adapterhub_refuses_a_chain_of_labels(minilm, tmp_path):
    adapter = graft.Adapter.create(minilm, "bottleneck")
    adapter.set_head("token_classification", LABELS, crf=True)
    adapter.save(tmp_path / "ours")
    with pytest.raises(TypeError, match="crf"):
        AutoAdapterModel.from_pretrained(MINILM).load_adapter(str(tmp_path / "ours"), use_safetensors=True)


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_adapterhub_refuses_a_head_that_it_does_not_know(pooling, minilm, tmp_path):
    adapter = graft.Adapter.create(minilm, "bottleneck")
    adapter.set_head(labels=LABELS, pooling=pooling)
    adapter.save(tmp_path / "ours")
    with pytest.raises(TypeError, match="pooling"):
        AutoAdapterModel.from_pretrained(MINILM).load_adapter(str(tmp_path / "ours"), use_safetensors=True)


@pytest.mark.parametrize("config, word", REFUSED.values(), ids=REFUSED)
def test_what_is_not_done_is_refused_by_name(config, word, minilm, tmp_path):
    folder = save(adapted(MINILM, config), tmp_path / "theirs")
    with pytest.raises(graft.GraftError, match=word) as caught:
        graft.Adapter.load(minilm, folder)
    assert caught.value.status is graft.Status.UNSUPPORTED


def test_a_pickle_is_refused_with_advice(minilm, tmp_path):
    model = adapted(MINILM, "seq_bn")
    (tmp_path / "theirs").mkdir()
    model.save_adapter(tmp_path / "theirs", NAME)
    with pytest.raises(graft.GraftError, match="use_safetensors=True"):
        graft.Adapter.load(minilm, tmp_path / "theirs")


def test_an_adapter_of_the_bare_encoder_needs_no_head(minilm, minilm_tokenizer, short_texts, tmp_path):
    model = AutoModel.from_pretrained(MINILM)
    adapters.init(model)
    model.add_adapter(NAME, config="double_seq_bn", set_active=True)
    randomised(model)
    tmp_path.joinpath("theirs").mkdir()
    model.save_adapter(tmp_path / "theirs", NAME, use_safetensors=True)
    adapter = graft.Adapter.load(minilm, tmp_path / "theirs")
    assert adapter.task is None
    with graft.Session(minilm, minilm_tokenizer, adapter, maximum_length=512) as session:
        found = numpy.asarray(session.embed(short_texts["texts"], normalize=False))
    with torch.inference_mode():
        hidden = [model(torch.tensor([row])).last_hidden_state[0] for row in short_texts["ids"]]
    expected = torch.stack([row.mean(0) for row in hidden]).numpy()
    assert numpy.abs(found - expected).max() < TOLERANCE
    adapter.save(tmp_path / "ours")
    assert_same_files(tmp_path / "ours", tmp_path / "theirs")


def test_an_adapter_of_another_model_is_refused(minilm, tmp_path):
    folder = save(adapted(LLAMA, "seq_bn"), tmp_path / "theirs")
    with pytest.raises(graft.GraftError, match="llama model of hidden size 32"):
        graft.Adapter.load(minilm, folder)


SPANS = [[1, 3], [0, 0], [2, 2]]


def test_heads_of_answers_cross_in_both_directions(tmp_path: Path) -> None:
    path, rows = GOLDENS / "bert-tiny" / "base", [[5, 17, 30, 8], [9, 4], [44, 3, 60]]
    model = graft.Model(path)
    batch = graft.Batch.from_tokens(rows)
    batch.set_column("answer_spans", SPANS)
    dataset = graft.Dataset.from_batch(batch)

    def loss_there(other: torch.nn.Module) -> float:
        with torch.no_grad():
            losses = [
                other(
                    input_ids=torch.tensor([row]), start_positions=torch.tensor([start]), end_positions=torch.tensor([end])
                ).loss.item()
                for row, (start, end) in zip(rows, SPANS)
            ]
        return sum(losses) / len(losses)

    adapter = graft.Adapter.create(model, "bottleneck", {"name": NAME}, seed=3)
    adapter.set_head("question_answering")
    with graft.Trainer(model, adapter, learning_rate=1e-2) as trainer:
        for _ in range(5):
            trainer.step(batch)
        loss = trainer.evaluate(dataset).loss
    adapter.save(tmp_path / "graft")
    other = AutoAdapterModel.from_pretrained(path)
    other.load_adapter(str(tmp_path / "graft"), use_safetensors=True)
    other.set_active_adapters(NAME)
    assert loss_there(other.eval()) == pytest.approx(loss, abs=2e-5)

    other = AutoAdapterModel.from_pretrained(path)
    other.add_adapter(NAME, config="seq_bn")
    other.add_qa_head(NAME)
    other.set_active_adapters(NAME)
    other = randomised(other)
    other.save_adapter(str(tmp_path / "hub"), NAME, with_head=True, use_safetensors=True)
    loaded = graft.Adapter.load(model, tmp_path / "hub")
    assert (loaded.task, loaded.labels) == ("question_answering", ["start", "end"])
    with graft.Trainer(model, loaded) as trainer:
        assert trainer.evaluate(dataset).loss == pytest.approx(loss_there(other), abs=2e-5)
