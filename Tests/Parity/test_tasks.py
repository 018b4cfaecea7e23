"""Adapters that Graft saves for each task open in PEFT and compute the same, and entity F1 is
seqeval's."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch
from peft import PeftModel
from seqeval.metrics import f1_score, precision_score, recall_score
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    BatchEncoding,
)

import graft
from conftest import DATA, GOLDENS, MINILM, SHARED
from graft.answers import AnswerWindows

TASKS = {
    "token_classification": (AutoModelForTokenClassification, ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]),
    "multi_label_classification": (AutoModelForSequenceClassification, ["a", "b", "c"]),
    "regression": (AutoModelForSequenceClassification, ["x", "y", "z"]),
}
ARCHITECTURES = [
    "bert", "distilbert", "llama", "gpt2", "mistral", "qwen2", "qwen3", "roberta", "smollm3", "xlm-roberta", "electra",
    "albert", "mpnet", "modernbert", "gpt-neox", "deberta-v2",
]  # fmt: skip
ROWS = [[5, 17, 30, 8], [9], [44, 3, 60, 61, 12, 7]]


def learnt(model: graft.Model, adapter: graft.Adapter, batch: graft.Batch, steps: int) -> float:
    """The loss of a batch after some steps on it."""
    with graft.Trainer(model, adapter, learning_rate=1e-2) as trainer:
        for _ in range(steps):
            trainer.step(batch)
        return trainer.evaluate(graft.Dataset.from_batch(batch)).loss


#: Of Gemma 3 and OLMo 2 transformers has no class of token classification.
CASES = [(name, task) for name in [*ARCHITECTURES, "gemma", "gemma2", "phi3", "nomic-bert"] for task in TASKS]
CASES += [(name, task) for name in ["gemma3", "olmo2"] for task in TASKS if task != "token_classification"]


@pytest.mark.parametrize(("architecture", "task"), CASES)
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
    loss = learnt(model, adapter, batch, 5)
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


@pytest.mark.parametrize("architecture", ["bert", "modernbert", "deberta-v2"])
def test_what_heads_read_is_an_adapters_own_where_the_checkpoint_lacks_it(architecture: str, tmp_path: Path) -> None:
    folder = GOLDENS / f"{architecture}-tiny" / ("masked-lm" if architecture == "bert" else "base")
    model = graft.Model(folder)
    adapter = graft.Adapter.create(model, "lora", {"r": 4, "init_lora_weights": False}, seed=3)
    with pytest.raises(graft.GraftError, match="dense_layer"):
        adapter.set_head("sequence_classification", ["a", "b", "c"])
    adapter.set_head("sequence_classification", ["a", "b", "c"], dense_layer=True, dropout=0)
    batch = graft.Batch.from_tokens(ROWS)
    batch.set_column("labels", [0, 1, 2])
    loss = learnt(model, adapter, batch, 5)
    adapter.save(tmp_path / "adapter")
    model.merge(graft.Composition(adapter), tmp_path / "merged")
    base = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3)
    merged, report = AutoModelForSequenceClassification.from_pretrained(tmp_path / "merged", output_loading_info=True)
    assert not report["missing_keys"]
    for other in (PeftModel.from_pretrained(base, tmp_path / "adapter").eval(), merged.eval()):
        with torch.no_grad():
            logits = torch.cat([other(input_ids=torch.tensor([row])).logits for row in ROWS])
        expected = torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2]))
        assert loss == pytest.approx(expected.item(), abs=2e-5)


def test_a_chain_of_labels_opens_in_peft_as_its_logits_with_a_warning(tmp_path: Path) -> None:
    kind, labels = TASKS["token_classification"]
    folder = GOLDENS / "bert-tiny" / "token-classification"
    model = graft.Model(folder)
    adapter = graft.Adapter.create(model, "lora", {"r": 4, "init_lora_weights": False}, seed=3)
    adapter.set_head("token_classification", labels, crf=True)
    batch = graft.Batch.from_tokens(ROWS)
    batch.set_column("token_labels", [[token % 5 for token in row] for row in ROWS])
    # A chain that learned nothing leaves each token to its logits.
    with graft.Trainer(model, adapter) as trainer:
        loss = trainer.evaluate(graft.Dataset.from_batch(batch)).loss
    adapter.save(tmp_path)

    with pytest.warns(UserWarning, match="crf"):
        peft = PeftModel.from_pretrained(kind.from_pretrained(folder, num_labels=len(labels)), tmp_path).eval()
    with torch.no_grad():
        logits = torch.cat([peft(input_ids=torch.tensor([row])).logits[0] for row in ROWS])
    targets = torch.tensor([token % 5 for row in ROWS for token in row])
    assert loss == pytest.approx(torch.nn.functional.cross_entropy(logits, targets).item(), abs=2e-5)


SPANS = [[1, 3], [0, 0], [2, 2]]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_head_of_answers_that_graft_saved_opens_in_peft(architecture: str, tmp_path: Path) -> None:
    folder = GOLDENS / "question-answering" / f"{architecture}-tiny"
    model = graft.Model(folder)
    assert model.task == "question_answering"
    adapter = graft.Adapter.create(model, "lora", {"r": 4, "init_lora_weights": False}, seed=3)
    adapter.set_head("question_answering", dropout=0)
    # PEFT's class takes token types and passes none on, and so has Graft's adapter none.
    types = [[token % 2 if architecture == "bert" else 0 for token in range(len(row))] for row in ROWS]
    batch = graft.Batch.from_tokens(ROWS, type_ids=types)
    batch.set_column("answer_spans", SPANS)
    loss = learnt(model, adapter, batch, 5)
    adapter.save(tmp_path / "adapter")

    base = AutoModelForQuestionAnswering.from_pretrained(folder)
    peft = PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    merged = graft.Composition(adapter)
    model.merge(merged, tmp_path / "merged")
    plain = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "merged").eval()
    for other in (peft, plain):
        with torch.no_grad():
            losses = [
                other(
                    input_ids=torch.tensor([row]),
                    start_positions=torch.tensor([start]),
                    end_positions=torch.tensor([end]),
                    **({"token_type_ids": torch.tensor([own])} if other is peft else {}),
                ).loss.item()
                for row, own, (start, end) in zip(ROWS, types, SPANS)
            ]
        assert loss == pytest.approx(sum(losses) / len(losses), abs=3e-5)


MASKED = ["bert", "bert-untied", "distilbert", "roberta", "xlm-roberta", "electra", "albert", "mpnet"]
MASKED += ["modernbert", "modernbert-biased", "deberta-v2", "deberta-v2-newer"]
LABELS = [[-100, 17, -100, 8], [9], [-100, -100, 60, -100, 12, -100]]


@pytest.mark.parametrize("architecture", MASKED)
def test_an_adapter_for_masked_words_opens_in_peft_and_merges(architecture: str, tmp_path: Path) -> None:
    folder = GOLDENS / "masked-language" / f"{architecture}-tiny"
    model = graft.Model(folder)
    adapter = graft.Adapter.create(model, "lora", {"r": 4, "init_lora_weights": False, "target_modules": "all-linear"})
    adapter.set_head("masked_language_model")
    batch = graft.Batch.from_tokens(ROWS)
    batch.set_column("token_labels", LABELS)
    loss = learnt(model, adapter, batch, 5)
    adapter.save(tmp_path / "adapter")
    model.merge(graft.Composition(adapter), tmp_path / "merged")
    peft = PeftModel.from_pretrained(AutoModelForMaskedLM.from_pretrained(folder), tmp_path / "adapter").eval()
    for other in (peft, AutoModelForMaskedLM.from_pretrained(tmp_path / "merged").eval()):
        with torch.no_grad():
            logits = [other(input_ids=torch.tensor([row])).logits[0] for row in ROWS]
        labels = torch.tensor([label for row in LABELS for label in row])
        expected = torch.nn.functional.cross_entropy(torch.cat(logits), labels)
        assert loss == pytest.approx(expected.item(), abs=5e-5)


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "albert"])
def test_a_head_of_choices_opens_in_peft_and_merges(architecture: str, tmp_path: Path) -> None:
    folder = GOLDENS / f"{architecture}-tiny" / "sequence-classification"
    model = graft.Model(folder)
    adapter = graft.Adapter.create(model, "lora", {"r": 4, "init_lora_weights": False}, seed=3)
    adapter.set_head("multiple_choice")
    batch = graft.Batch.from_tokens(ROWS)
    batch.set_column("group_places", [0, 1, 2])
    batch.set_column("labels", [0, 0, 1])
    loss = learnt(model, adapter, batch, 3)
    adapter.save(tmp_path / "adapter")
    assert graft.Adapter.load(model, tmp_path / "adapter").task == "multiple_choice"
    model.merge(graft.Composition(adapter), tmp_path / "merged")
    assert graft.Model(tmp_path / "merged").task == "multiple_choice"
    base = AutoModelForMultipleChoice.from_pretrained(folder, ignore_mismatched_sizes=True)
    peft = PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    for other in (peft, AutoModelForMultipleChoice.from_pretrained(tmp_path / "merged").eval()):
        with torch.no_grad():
            scores = torch.cat([other(input_ids=torch.tensor([[row]])).logits for row in ROWS], 1)
        expected = torch.nn.functional.cross_entropy(scores, torch.tensor([2]))
        assert loss == pytest.approx(expected.item(), abs=5e-5)


@pytest.mark.parametrize("name", ["minilm", "models/me5-small-zh-en-pruned"])
def test_windows_and_their_answers_are_those_of_transformers(name: str) -> None:
    folder = MINILM if name == "minilm" else SHARED / name
    fast, tokenizer = AutoTokenizer.from_pretrained(folder), graft.Tokenizer(folder)
    for language in ("en", "zh"):
        table = graft.Table.read(DATA / "xquad" / f"xquad.{language}.json").take(range(0, 400, 4))
        answers = [own[0] for own in table["answers"]]
        with AnswerWindows(tokenizer, table["question"], table["context"], 192, 48) as windows:
            with windows.batch() as batch:
                lengths = [end - start for start, end in zip(batch.row_starts, batch.row_starts[1:])]
            spans = windows.spans(table["answers"])
        expected = fast(
            table["question"], table["context"], truncation="only_second", max_length=192, stride=48,
            return_overflowing_tokens=True, return_offsets_mapping=True,
        )  # fmt: skip
        assert lengths == list(map(len, expected["input_ids"])) and len(lengths) > len(table)
        assert spans == [
            labels(expected, window, answers[expected["overflow_to_sample_mapping"][window]])
            for window in range(len(lengths))
        ]


def labels(expected: BatchEncoding, window: int, answer: graft.Answer) -> tuple[int, int]:
    """As transformers' run_qa.py has them, but that it starts a few answers behind their end, at
    the second of two tokens of one character."""
    offsets, sequences = expected["offset_mapping"][window], expected.sequence_ids(window)
    start, end = answer.start, answer.start + len(answer.text)
    own = [token for token, sequence in enumerate(sequences) if sequence == 1]
    first, last = own[0], own[-1]
    if not (offsets[first][0] <= start and offsets[last][1] >= end):
        return 0, 0
    while first < len(offsets) and offsets[first][0] <= start:
        first += 1
    while offsets[last][1] >= end:
        last -= 1
    return min(first - 1, last + 1), last + 1


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
