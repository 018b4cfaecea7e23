"""GGUF files that Graft writes, in llama.cpp itself: the same tokens, the same greedy texts, but
for ties, and the same perplexity of a text.

Needs llama-cpp-python, which is compiled; `make test-llama` and `make test-whole` run this.
"""

import json
import math
import os
import random
from pathlib import Path
from typing import NamedTuple

import numpy
import pytest
from llama_cpp import Llama, llama_chat_format

import graft

ROOT = Path(__file__).resolve().parents[2]
MODEL = Path(os.environ.get("GRAFT_TEST_MODELS", ROOT / "build" / "models")) / "smollm2-135m-instruct.gguf"
DATA = Path(os.environ.get("GRAFT_TEST_DATA", ROOT.parent / "shared")) / "data"
PROMPTS = ["The capital of France is", "A tokenizer is a program that", "Once upon a time there was a", "2 + 2 ="]
LENGTH = 512
#: The templates of released models that the package has.
TEMPLATES = {name: source for name, source in vars(llama_chat_format).items() if name.endswith("_CHAT_TEMPLATE")}
CONTENTS = [
    "", "Hi", " Hello,\n\"world\" ", "<|im_end|>\n", "[INST] a [/INST]", "é中🙂", "{{ 7 }}{% if %}", "'it''s' \\n",
]  # fmt: skip


class Rounding(NamedTuple):
    """How far a type's answers may be from llama.cpp's, which rounds what it multiplies with
    numbers of 16 bits to such, and with those of 8 bits to blocks of 8 bits."""

    #: By how much less than the largest logit that of Graft's token may be, from where on texts
    #: differ.
    tie: float
    #: Of perplexities, in parts of one.
    perplexity: float


TYPES = {
    "F32": Rounding(1e-3, 0.001),
    "F16": Rounding(0.02, 0.001),
    "BF16": Rounding(0.2, 0.005),
    "Q8_0": Rounding(0.2, 0.01),
}


@pytest.fixture(scope="module", params=TYPES)
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
            assert logits.max() - logits[token] <= TYPES[written.stem].tie, f"{prompt!r}, token {place}"
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
    assert math.exp(loss) == pytest.approx(math.exp(expected), rel=TYPES[written.stem].perplexity)


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_of_released_models_say_what_they_say_there(name: str) -> None:
    tokenizer = graft.Tokenizer(MODEL)
    tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    formatter = llama_chat_format.Jinja2ChatFormatter(TEMPLATES[name], **tokens)
    chance, count = random.Random(1), 0
    for _ in range(200):
        roles = ["user", "assistant"] * chance.randrange(1, 5)
        roles = chance.choice([roles, roles[:-1], roles[1:], ["system", *roles]])
        messages = [{"role": role, "content": chance.choice(CONTENTS)} for role in roles]
        try:
            expected = formatter(messages=messages).prompt
        except ValueError:
            expected = None
        try:
            found = tokenizer.apply_chat_template(
                messages, chat_template=TEMPLATES[name], tokenize=False, add_generation_prompt=True, **tokens
            )
        except graft.GraftError:
            found = None
        assert found == expected, messages
        count += found is not None
    assert count > 20
