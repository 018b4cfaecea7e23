"""A real model of llama.cpp's in one file: what it is, its tokens, and what it answers."""

from __future__ import annotations

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
