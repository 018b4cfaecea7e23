"""Language models of every architecture, small and random: greedy texts and beams of transformers,
and the gradients of a LoRA beside PEFT."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
import torch.nn.functional as functional
from peft import LoraConfig, get_peft_model

import graft
from language_models import ROWS, WORDS, LanguageModel, language_models
from peft_models import gradients, graft_gradients, randomise
from small_tokenizers import tokenizer_file

NEW_TOKENS = 64
PROMPTS = [[23, 60, 17], [44, 71, 30, 88, 101, 12, 9, 44, 71, 15]]

#: Transformers' names, of which Graft's differ in `beams`, `samples` and `stop_tokens`.
SEARCHES = [
    dict(num_return_sequences=4),
    dict(num_return_sequences=2, length_penalty=0.0, no_repeat_ngram_size=2),
    dict(num_return_sequences=3, length_penalty=2.0, early_stopping="never"),
    dict(num_return_sequences=4, length_penalty=-1.0, early_stopping=True),
]
BEAMS = 4

#: Largest error of a gradient, against float64, over the largest entry of its tensor, or over a
#: hundredth of the largest of all where that is more.
GRADIENT_TOLERANCE = 1e-4

WRITERS = language_models("language_model", "seq_2_seq_lm")
TRANSLATORS = language_models("seq_2_seq_lm")
LEARNERS = language_models("language_model", "masked_language_model", "seq_2_seq_lm")


@pytest.fixture(scope="module")
def numbers() -> graft.Tokenizer:
    """Token 7 is the word "w7"."""
    words = {"type": "WordLevel", "vocab": {f"w{token}": token for token in range(WORDS.stop)}, "unk_token": "w0"}
    file = tokenizer_file(model=words, pre_tokenizer={"type": "WhitespaceSplit"})
    return graft.Tokenizer.from_files({"tokenizer.json": json.dumps(file).encode()})


def texts(rows: list[list[int]]) -> list[str]:
    return [" ".join(f"w{token}" for token in row) for row in rows]


def generated(model: torch.nn.Module, prompt: list[int], **settings):  # noqa: ANN201
    """All of the text goes through the model for each token, without a cache."""
    ids = torch.tensor([prompt])
    with torch.inference_mode():
        return model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, use_cache=False, pad_token_id=0,
            return_dict_in_generate=True, output_scores=True, **settings,
        )  # fmt: skip


@pytest.mark.parametrize("kind", WRITERS, ids=str)
def test_greedy_texts_are_those_of_transformers(kind: LanguageModel, numbers: graft.Tokenizer, tmp_path: Path) -> None:
    folder = kind.make(tmp_path, seed=7, positions=128)
    theirs, session = kind.load(folder).double(), graft.Session(graft.Model(folder, threads=1), numbers, threads=1)
    for size in (0, 2):  # random models of tied tables repeat themselves where they may
        found = session.generate(
            texts(PROMPTS), maximum_tokens=NEW_TOKENS, no_repeat_ngram_size=size, stop_tokens=[]
        )
        for prompt, text in zip(PROMPTS, found, strict=True):
            start = 1 if kind.task == "seq_2_seq_lm" else len(prompt)
            expected = generated(
                theirs, prompt, max_new_tokens=NEW_TOKENS, no_repeat_ngram_size=size, eos_token_id=None
            ).sequences[0, start:].tolist()
            assert len(expected) == NEW_TOKENS and text.tokens == expected
    assert len({token for text in found for token in text.tokens}) > 8


@pytest.mark.parametrize("kind", TRANSLATORS, ids=str)
def test_beams_are_those_of_transformers(kind: LanguageModel, numbers: graft.Tokenizer, tmp_path: Path) -> None:
    folder = kind.make(tmp_path, seed=7, positions=128)
    theirs, session = kind.load(folder).double(), graft.Session(graft.Model(folder, threads=1), numbers, threads=1)
    ends = list(WORDS[::2])
    lengths = set()
    for search in SEARCHES:
        count = search["num_return_sequences"]
        own = {key: value for key, value in search.items() if key != "num_return_sequences"}
        found = session.generate(
            texts(PROMPTS), beams=BEAMS, samples=count, maximum_tokens=16, stop_tokens=ends, **own
        )
        for row, prompt in enumerate(PROMPTS):
            out = generated(theirs, prompt, num_beams=BEAMS, max_new_tokens=16, eos_token_id=ends, **search)
            best = found[row * count : (row + 1) * count]
            for text, tokens, score in zip(best, out.sequences[:, 1:].tolist(), out.sequences_scores, strict=True):
                end = next((place + 1 for place, token in enumerate(tokens) if token in ends), len(tokens))
                assert text.tokens == tokens[:end], search
                assert text.score == pytest.approx(score.item(), rel=1e-5), search
                lengths.add(end)
    assert len(lengths) > 1


def rows_and_targets(task: str, ends: list[int]) -> tuple[list[list[int]], list]:
    """Four ragged rows with what they are to say: of a language model most of their own tokens."""
    chance = random.Random(4)
    rows = [[chance.choice(WORDS) for _ in range(length)] + ends for length in (9, 2, 14, 5)]
    if task == "sequence_classification":
        return rows, [0, 1, 2, 1]
    if task == "seq_2_seq_lm":
        return rows, [[chance.choice(WORDS) for _ in range(length)] for length in (4, 11, 1, 6)]
    return rows, [[token if chance.random() < 0.6 else -100 for token in row] for row in rows]


def graft_batch(task: str, rows: list[list[int]], targets: list) -> graft.Batch:
    made = graft.Batch.from_tokens(rows, labels=targets if task == "sequence_classification" else None)
    if task == "seq_2_seq_lm":
        made.set_targets(graft.Batch.from_tokens(targets))
    elif task != "sequence_classification":
        made.set_column("token_labels", targets)
    return made


def loss(model: torch.nn.Module, task: str, rows: list[list[int]], targets: list) -> torch.Tensor:
    """The mean of what has a label, each row alone."""
    logits, labels = [], []
    for row, target in zip(rows, targets, strict=True):
        given = {"labels": torch.tensor([target])} if task == "seq_2_seq_lm" else {}
        own = model(input_ids=torch.tensor([row]), **given).logits[0]
        is_next = task == "language_model"
        logits.append(own[:-1] if is_next else own.reshape(-1, own.shape[-1]))
        labels.append(torch.tensor(target[1:] if is_next else target).reshape(-1))
    return functional.cross_entropy(torch.cat(logits), torch.cat(labels), ignore_index=-100)


PEFT_TASKS = {"language_model": "CAUSAL_LM", "seq_2_seq_lm": "SEQ_2_SEQ_LM", "sequence_classification": "SEQ_CLS"}
CASES = [(kind, kind.task) for kind in LEARNERS]
CASES += [(kind, "sequence_classification") for kind in LEARNERS if kind.architecture in ROWS[1]]


@pytest.mark.parametrize(("kind", "task"), CASES, ids=str)
def test_every_gradient_of_a_lora_is_that_of_peft_in_float64(kind: LanguageModel, task: str, tmp_path: Path) -> None:
    of_rows = ROWS[0] if task == "sequence_classification" else None
    folder = kind.make(tmp_path / "model", seed=8, kind=of_rows)
    # DistilBERT's head has a linear layer, which is trained in full.
    targets = dict(target_modules="all-linear", exclude_modules=["pre_classifier"])
    settings = LoraConfig(r=4, **targets, init_lora_weights=False, task_type=PEFT_TASKS.get(task))
    theirs = get_peft_model(kind.load(folder, of_rows), settings)
    randomise(theirs, lambda _, parameter: parameter.requires_grad)
    theirs.save_pretrained(tmp_path / "start")
    # BART reads a row at the last token that ends a text.
    ends = [theirs.config.eos_token_id] if kind.task == "seq_2_seq_lm" else []
    rows, labels = rows_and_targets(task, ends)
    loss(theirs.double(), task, rows, labels).backward()
    expected = gradients(theirs)

    model = graft.Model(folder, threads=1)
    adapter = graft.Adapter.load(model, tmp_path / "start")
    if task == "masked_language_model":  # for which PEFT has no task
        adapter.set_head(task)
    found = graft_gradients(model, adapter, graft_batch(task, rows, labels), tmp_path)
    assert set(found) == set(expected)
    largest = {tensor: gradient.abs().max() for tensor, gradient in expected.items()}
    for tensor, own in found.items():
        scale = max(largest[tensor], max(largest.values()) / 100)
        error = (own - expected[tensor]).abs().max()
        assert error < GRADIENT_TOLERANCE * scale, f"{tensor}: error {error:.1e}, largest {largest[tensor]:.1e}"
