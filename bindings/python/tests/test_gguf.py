"""A real model of llama.cpp's in one file: what it is, its tokens, and what it answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest

import graft

PROMPT = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture(scope="module")
def path(folder: Path) -> Path:
    path = folder.parent / "smollm2-135m-instruct.gguf"
    assert path.is_file(), f"{path} is missing: run make models"
    return path


@pytest.fixture(scope="module")
def tokenizer(path: Path) -> graft.Tokenizer:
    return graft.Tokenizer(path)


def test_tokens_are_those_of_llama_cpp(tokenizer: graft.Tokenizer) -> None:
    assert tokenizer.vocabulary_size == 49152
    assert list(tokenizer.encode(PROMPT).ids) == [
        1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 2, 198, 1, 520, 9531, 198,
    ]  # fmt: skip
    assert tokenizer.decode(tokenizer.encode("  Grüße, 2025!\n").ids) == "  Grüße, 2025!\n"


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_answers_as_llama_cpp_does(
    path: Path, tokenizer: graft.Tokenizer, precision: Literal["float32", "bfloat16"]
) -> None:
    model = graft.Model(path, precision=precision)
    assert (model.architecture, model.layer_count, model.parameter_count) == ("llama", 30, 134515008)
    session = graft.Session(model, tokenizer)
    assert session.generate([PROMPT], maximum_tokens=24) == ["The capital of France is Paris."]


def test_what_is_no_model_is_refused_by_name(path: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(graft.GraftError, match="cut.gguf: there are 49152 elements") as caught:
        graft.Model(tmp_path / "cut.gguf")
    assert caught.value.status == graft.Status.CORRUPT_FILE
    with pytest.raises(graft.GraftError, match="given by its own path"):
        graft.Model(tmp_path)


def test_it_fills_a_schema_and_chooses_a_label(path: Path, tokenizer: graft.Tokenizer) -> None:
    session = graft.Session(graft.Model(path), tokenizer)

    def ask(question: str, constraint: dict[str, object]) -> graft.Continuation:
        prompt = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        (text,) = session.generate([prompt], constraint=constraint, maximum_tokens=60)
        return text

    person = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer", "maximum": 150}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    answer = ask("Name and age as JSON: My name is Alice and I am 34 years old.", {"json_schema": person})
    assert json.loads(answer) == {"name": "Alice", "age": 34} and answer.end == "constraint"
    # A model that would begin with another word chooses best among whole sentences.
    for country, capital in (("France", "Paris"), ("Germany", "Berlin")):
        answers = [f"The capital of {country} is {city}." for city in ("Berlin", "London", "Paris", "Rome")]
        found = ask(f"What is the capital of {country}?", {"choices": answers})
        assert found == f"The capital of {country} is {capital}."
