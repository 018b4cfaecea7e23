"""Adapters that Graft saves for each task open in PEFT and compute the same, and entity F1 is
seqeval's."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch
from peft import PeftModel
from seqeval.metrics import f1_score, precision_score, recall_score
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

import graft
from conftest import DATA, GOLDENS, MINILM

TASKS = {
    "token_classification": (AutoModelForTokenClassification, ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]),
    "multi_label_classification": (AutoModelForSequenceClassification, ["a", "b", "c"]),
    "regression": (AutoModelForSequenceClassification, ["x", "y", "z"]),
}
ROWS = [[5, 17, 30, 8], [9], [44, 3, 60, 61, 12, 7]]


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "llama", "gpt2", "mistral", "qwen2", "qwen3", "roberta", "smollm3", "xlm-roberta"])
@pytest.mark.parametrize("task", list(TASKS))
def test_an_adapter_that_graft_saved_opens_in_peft(architecture: str, task: str, tmp_path: Path) -> None:
    kind, labels = TASKS[task]
    name = "token-classification" if task == "token_classification" else "sequence-classification"
    folder = GOLDENS / f"{architecture}-tiny" / name
    model = graft.Model(folder)
    adapter = graft.Adapter.create(model, "lora", {"r": 4, "init_lora_weights": False}, seed=3)
    adapter.set_head(task, labels)
    batch = graft.Batch.from_tokens(ROWS)
    if task == "token_classification":
        batch.set_column("token_labels", [[token % 5 for token in row] for row in ROWS])
    else:
        batch.set_column("targets", [[1, 0, 1], [0, 0, 1], [1, 1, 0]])
    with graft.Trainer(model, adapter, learning_rate=1e-2) as trainer:
        for _ in range(5):
            trainer.step(batch)
        loss = trainer.evaluate(graft.Dataset.from_batch(batch)).loss
    adapter.save(tmp_path)

    base = kind.from_pretrained(folder, num_labels=len(labels), problem_type=None if "token" in task else task)
    base.config.problem_type = task if task != "token_classification" else None
    peft = PeftModel.from_pretrained(base, tmp_path).eval()
    with torch.no_grad():
        logits = [peft(input_ids=torch.tensor([row])).logits for row in ROWS]
    if task == "token_classification":
        targets = torch.tensor([token % 5 for row in ROWS for token in row])
        expected = torch.nn.functional.cross_entropy(torch.cat([row[0] for row in logits]), targets)
    else:
        values = torch.tensor([[1.0, 0, 1], [0, 0, 1], [1, 1, 0]])
        function = torch.nn.functional.mse_loss if task == "regression" else (
            torch.nn.functional.binary_cross_entropy_with_logits
        )
        expected = function(torch.cat(logits), values)
    assert loss == pytest.approx(expected.item(), abs=2e-5)


def sentences(path: Path, separator: str, count: int) -> tuple[list[list[str]], list[list[str]]]:
    """Words and tags of a file in CoNLL's form."""
    words, tags = [], []
    for part in path.read_text(encoding="utf-8").replace("\t\n", "\n").split("\n\n"):
        pairs = [line.split(separator) for line in part.splitlines() if separator in line]
        if pairs:
            # Weibo's words are characters with their place in the word behind them.
            words.append([word[0] if path.name.startswith("weibo") else word for word, _ in pairs])
            tags.append([tag for _, tag in pairs])
        if len(words) == count:
            break
    return words, tags


@pytest.mark.parametrize("name", ["wnut17/emerging.dev.conll", "weibo_ner/weiboNER_2nd_conll.dev"])
def test_entity_f1_is_that_of_seqeval_on_real_data(name: str) -> None:
    model, tokenizer = graft.Model(MINILM), graft.Tokenizer(MINILM)
    # Words of which the tokenizer leaves nothing, and those that are cut, are in no evaluation.
    whole = [
        (own, labels)
        for own, labels in zip(*sentences(DATA / name, "\t", 60))
        if len(own) < 200 and all(tokenizer.encode(word, add_special_tokens=False).ids for word in own)
    ]
    words, tags = [own for own, _ in whole], [labels for _, labels in whole]
    rows = graft.Dataset.from_words(tokenizer, words, tags, maximum_length=256)
    adapter = graft.Adapter.create(model, "lora", {"r": 8}, seed=1)
    adapter.set_head("token_classification", rows.label_names)
    with graft.Trainer(model, adapter, learning_rate=5e-3, epoch_count=2, class_weights=[
        0.2 if label == "O" else 1.0 for label in rows.label_names
    ]) as trainer:
        trainer.fit(rows, progress=False)
        result = trainer.evaluate(rows)
    with graft.Session(model, tokenizer, adapter) as session:
        found = session.tag_words(words)
    assert result.confusion and sum(map(sum, result.confusion)) == sum(map(len, words))
    for measure, function in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        expected = function(tags, found, zero_division=0)
        assert result.values[f"entity_{measure}"] == pytest.approx(expected, abs=1e-12)
    assert numpy.isfinite(result.loss)
