"""Models that read rows and write others: their settings, what PEFT makes of their adapters, merged
folders, and the real Marian's translations."""

import dataclasses
import random

import pytest
import torch
import transformers
from peft import PeftModel

import graft
from conftest import DATA, GOLDENS, SHARED, TOLERANCE, read_json
from test_configuration import VALUES, changed
from tokenizers import Tokenizer

CLASSES = {
    "marian": transformers.MarianMTModel,
    "bart": transformers.BartForConditionalGeneration,
    "mbart": transformers.MBartForConditionalGeneration,
    "t5": transformers.T5ForConditionalGeneration,
    "mt5": transformers.MT5ForConditionalGeneration,
}
ROWS = read_json(GOLDENS / "seq2seq-tiny" / "inputs.json")
SOURCES, TARGETS = ROWS["input_ids"], ROWS["target_ids"]
ALL = {"r": 4, "target_modules": "all-linear", "init_lora_weights": False, "task_type": "SEQ_2_SEQ_LM"}


def dataset() -> graft.Dataset:
    batch = graft.Batch.from_tokens(SOURCES)
    batch.set_targets(graft.Batch.from_tokens(TARGETS))
    return graft.Dataset.from_batch(batch)


def loss(model: graft.Model, adapter: graft.Adapter | None = None) -> float:
    """The mean over all tokens of the targets."""
    own = adapter or graft.Adapter.create(model, config={"task_type": "SEQ_2_SEQ_LM"})
    with graft.Trainer(model, own, threads=1) as trainer:
        return trainer.evaluate(dataset()).loss


def reference(model: torch.nn.Module) -> float:
    with torch.inference_mode():
        logits = [
            model(input_ids=torch.tensor([source]), labels=torch.tensor([target])).logits[0]
            for source, target in zip(SOURCES, TARGETS, strict=True)
        ]
    return float(torch.nn.functional.cross_entropy(torch.cat(logits), torch.tensor(sum(TARGETS, []))))


def expected(architecture: str, folder) -> float | None:
    """What transformers computes; None where it cannot, or makes up weights."""
    try:
        model, info = CLASSES[architecture].from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
        missing = [key for key in info["missing_keys"] if "embed_positions" not in key or architecture != "marian"]
        return None if missing or info["mismatched_keys"] else reference(model.eval())
    except Exception:
        return None


@pytest.mark.parametrize("architecture", CLASSES)
def test_no_key_is_passed_over_that_transformers_acts_on(architecture, tmp_path, monkeypatch):
    monkeypatch.setitem(changed.__globals__["MODELS"], architecture, f"seq2seq-tiny/{architecture}")
    plain = changed(architecture, tmp_path / "plain", {})
    assert abs(loss(graft.Model(plain, threads=1)) - expected(architecture, plain)) < TOLERANCE
    failures = []
    config = CLASSES[architecture].config_class
    for key in sorted({field.name for field in dataclasses.fields(config)} | {"encoder_layerdrop", "static_position_embeddings"}):
        for value in random.Random(key).sample(VALUES, 2):
            folder = changed(architecture, tmp_path / "changed", {key: value})
            theirs = expected(architecture, folder)
            if theirs is None:
                continue
            try:
                ours = loss(graft.Model(folder, threads=1))
                if not abs(ours - theirs) < TOLERANCE:
                    failures.append(f"{key} = {value!r}: {ours}, in transformers {theirs}")
            except graft.GraftError as error:
                if key not in str(error) and "the model takes at most" not in str(error):
                    failures.append(f"{key} = {value!r}: the refusal does not name it: {error}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("architecture", CLASSES)
def test_peft_computes_what_a_trained_adapter_does(architecture, tmp_path):
    folder = GOLDENS / "seq2seq-tiny" / architecture
    model = graft.Model(folder)
    adapter = graft.Adapter.create(model, config=ALL, seed=3)
    with graft.Trainer(model, adapter, learning_rate=1e-2, epoch_count=3, rows_per_batch=2) as trainer:
        before = trainer.evaluate(dataset()).loss
        trainer.fit(dataset(), progress=False)
        after = trainer.evaluate(dataset()).loss
    assert after < before
    adapter.save(tmp_path / "adapter")
    theirs = PeftModel.from_pretrained(CLASSES[architecture].from_pretrained(folder), tmp_path / "adapter").eval()
    assert abs(reference(theirs) - after) < TOLERANCE


@pytest.mark.parametrize("architecture", CLASSES)
def test_a_merged_model_is_opened_by_transformers(architecture, tmp_path):
    model = graft.Model(GOLDENS / "seq2seq-tiny" / architecture)
    adapter = graft.Adapter.create(model, config=ALL, seed=4)
    model.merge(adapter, tmp_path / "merged")
    theirs, report = CLASSES[architecture].from_pretrained(
        tmp_path / "merged", dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not [key for key in report["missing_keys"] if "embed_positions" not in key] and not report["mismatched_keys"]
    attached = loss(model, adapter)
    assert abs(reference(theirs.eval()) - attached) < TOLERANCE
    assert abs(loss(graft.Model(tmp_path / "merged")) - attached) < TOLERANCE


HEADS = {
    "bart": transformers.BartForSequenceClassification,
    "mbart": transformers.MBartForSequenceClassification,
    "t5": transformers.T5ForSequenceClassification,
    "mt5": transformers.MT5ForSequenceClassification,
}
CLASSIFIED = read_json(GOLDENS / "seq2seq-heads" / "inputs.json")["input_ids"]


@pytest.mark.parametrize("base", ["seq2seq-heads", "seq2seq-tiny"])
@pytest.mark.parametrize("architecture", HEADS)
def test_a_head_of_rows_that_graft_trained_opens_in_peft_and_merges(architecture, base, tmp_path):
    folder = GOLDENS / base / architecture
    model = graft.Model(folder)
    adapter = graft.Adapter.create(model, config={"r": 4, "init_lora_weights": False}, seed=3)
    adapter.set_head("sequence_classification", ["a", "b", "c"])
    batch = graft.Batch.from_tokens(CLASSIFIED)
    batch.set_column("labels", [0, 1, 2, 1, 0])
    with graft.Trainer(model, adapter, learning_rate=1e-2) as trainer:
        before = trainer.evaluate(graft.Dataset.from_batch(batch)).loss
        for _ in range(10):
            trainer.step(batch)
        after = trainer.evaluate(graft.Dataset.from_batch(batch)).loss
    assert after < before
    adapter.save(tmp_path / "adapter")
    model.merge(adapter, tmp_path / "merged")
    again = graft.Adapter.load(model, tmp_path / "adapter")
    assert again.task == "sequence_classification" and graft.Model(tmp_path / "merged").labels == ["a", "b", "c"]

    peft = PeftModel.from_pretrained(HEADS[architecture].from_pretrained(folder, num_labels=3), tmp_path / "adapter")
    merged, report = HEADS[architecture].from_pretrained(tmp_path / "merged", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    for other in (peft.eval(), merged.eval()):
        with torch.inference_mode():
            logits = torch.cat([other(input_ids=torch.tensor([row])).logits for row in CLASSIFIED])
        assert abs(torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 1, 0])).item() - after) < TOLERANCE


@pytest.mark.parametrize("architecture", ["bart-even", "t5", "mt5"])
@pytest.mark.parametrize("projects", [False, True])
def test_a_prefix_that_graft_trained_opens_in_peft(architecture, projects, tmp_path):
    folder = GOLDENS / "seq2seq-tiny" / architecture
    model = graft.Model(folder)
    settings = {"num_virtual_tokens": 3, "prefix_projection": projects}
    adapter = graft.Adapter.create(model, "prefix_tuning", settings, seed=3)
    adapter.set_head("seq_2_seq_lm")
    with graft.Trainer(model, adapter, learning_rate=5e-2, epoch_count=3, rows_per_batch=2) as trainer:
        before = trainer.evaluate(dataset()).loss
        trainer.fit(dataset(), progress=False)
        after = trainer.evaluate(dataset()).loss
    assert after < before - 1e-3
    adapter.save(tmp_path / "adapter")
    theirs = CLASSES[architecture.removesuffix("-even")].from_pretrained(folder)
    assert abs(reference(PeftModel.from_pretrained(theirs, tmp_path / "adapter").eval()) - after) < TOLERANCE


def test_the_real_marian_translates_as_in_transformers():
    folder = SHARED / "models" / "marian-enpt"
    lines = (DATA / "tatoeba_en_zh" / "cmn.txt").read_text(encoding="utf-8").splitlines()[::700]
    texts = [line.split("\t")[0] for line in lines]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = transformers.MarianMTModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    written = []
    for text in texts:
        ids = torch.tensor([[*tokenizer.encode(text).ids, 0]])
        out = model.generate(ids, attention_mask=torch.ones_like(ids), num_beams=1, do_sample=False, max_new_tokens=64)
        written.append(tokenizer.decode([token for token in out[0, 1:].tolist() if token]))
    session = graft.Session(graft.Model(folder), graft.Tokenizer(folder))
    assert session.generate(texts, maximum_tokens=64) == written
