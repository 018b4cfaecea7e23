"""GGUF files that Graft writes, in llama.cpp itself: the same tokens, the same greedy texts, but
for ties, and the same perplexity of a text.

Needs llama-cpp-python, which is compiled; `make test-llama` and `make test-whole` run this.
"""

import json
import math
import os
from pathlib import Path

import numpy
import pytest
from llama_cpp import Llama

import graft

ROOT = Path(__file__).resolve().parents[2]
MODEL = Path(os.environ.get("GRAFT_TEST_MODELS", ROOT / "build" / "models")) / "smollm2-135m-instruct.gguf"
DATA = Path(os.environ.get("GRAFT_TEST_DATA", ROOT.parent / "shared")) / "data"
PROMPTS = ["The capital of France is", "A tokenizer is a program that", "Once upon a time there was a", "2 + 2 ="]
LENGTH = 512
#: By how much less than the largest logit that of Graft's token may be in llama.cpp, which rounds
#: what it multiplies with bfloat16 to bfloat16. The texts differ from there on.
TIES = {"F32": 1e-3, "F16": 1e-3, "BF16": 0.2, "Q8_0": 0.2}


@pytest.fixture(scope="module", params=TIES)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written") / f"{request.param}.gguf"
    with graft.Model(MODEL) as model:
        model.write_gguf(path, type=request.param)
    return path


@pytest.fixture(scope="module")
def theirs(written: Path) -> Llama:
    return Llama(str(written), n_ctx=LENGTH, n_threads=os.cpu_count(), logits_all=True, verbose=False)


@pytest.fixture(scope="module")
def ours(written: Path) -> graft.Model:
    return graft.Model(written)


def row(tokenizer: graft.Tokenizer) -> list[int]:
    articles = json.loads((DATA / "xquad" / "xquad.en.json").read_text(encoding="utf-8"))["data"]
    text = "\n\n".join(paragraph["context"] for article in articles for paragraph in article["paragraphs"])[:8000]
    return list(tokenizer.encode(text, maximum_length=1 << 30).ids[:LENGTH])


def test_greedy_texts_are_those_of_llama_cpp(written: Path, ours: graft.Model, theirs: Llama) -> None:
    tokenizer = graft.Tokenizer(written)
    session = graft.Session(ours, tokenizer)
    for prompt in PROMPTS:
        ids = list(tokenizer.encode(prompt).ids)
        assert theirs.tokenize(prompt.encode(), add_bos=False) == ids
        (text,) = session.generate([prompt], maximum_tokens=16, stop_tokens=[])
        theirs.reset()
        theirs.eval(ids)
        assert len(text.tokens) == 16
        for place, token in enumerate(text.tokens):
            logits = theirs.scores[theirs.n_tokens - 1]
            assert logits.max() - logits[token] <= TIES[written.stem], f"{prompt!r}, token {place}"
            theirs.eval([token])


def test_the_perplexity_of_a_text_is_that_of_llama_cpp(written: Path, ours: graft.Model, theirs: Llama) -> None:
    ids = row(graft.Tokenizer(written))
    theirs.reset()
    theirs.eval(ids)
    logits = numpy.array(theirs.scores[: len(ids) - 1], dtype=numpy.float64)
    largest = logits.max(axis=1, keepdims=True)
    sums = numpy.log(numpy.exp(logits - largest).sum(axis=1)) + largest[:, 0]
    expected = float((sums - logits[numpy.arange(len(ids) - 1), ids[1:]]).mean())
    adapter = graft.Adapter.create(ours, "lora", {"r": 1})
    adapter.set_head("language_model")
    batch = graft.Batch.from_tokens([ids])
    batch.set_column("token_labels", [ids])
    with graft.Trainer(ours, adapter) as trainer:
        loss = trainer.evaluate(graft.Dataset.from_batch(batch)).loss
    assert math.exp(loss) == pytest.approx(math.exp(expected), rel=0.005)
