"""Graft's tokens against the tokenizers package: ids, types, offsets and word ids, on every line of every data set."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer

import graft
from conftest import DATA, MINILM

FILES = sorted(path.relative_to(DATA) for path in DATA.rglob("*") if path.is_file())


def test_there_is_data():
    assert len(FILES) >= 30


@pytest.fixture(scope="module")
def reference() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(MINILM / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def same(ours: graft.Encoding, theirs, offsets_too: bool = True) -> bool:
    if (ours.ids, ours.type_ids, ours.word_ids) != (theirs.ids, theirs.type_ids, theirs.word_ids):
        return False
    return not offsets_too or ours.offsets == theirs.offsets


def lines(path: Path) -> list[str]:
    """Lines as text; bytes that are not UTF-8 are read as latin-1, and NUL cannot cross a C interface."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return [line for line in text.splitlines() if "\0" not in line]


@pytest.mark.parametrize("name", FILES, ids=str)
def test_every_line_has_the_same_tokens_and_offsets(name, reference, minilm_tokenizer):
    for line in lines(DATA / name):
        theirs = reference.encode(line)
        ours = minilm_tokenizer.encode(line, maximum_length=len(theirs.ids) + 1)
        assert same(ours, theirs), f"{line!r}\n{ours}\n{theirs.ids} {theirs.offsets}"


def test_pairs_are_truncated_alike(reference, minilm_tokenizer):
    texts = lines(DATA / "stsb" / "sts-test.csv")
    for maximum in (8, 17, 64):
        reference.enable_truncation(maximum)
        for first, second in zip(texts[:300], texts[1:301], strict=True):
            theirs = reference.encode(first, second)
            ours = minilm_tokenizer.encode(first, second, maximum_length=maximum)
            assert same(ours, theirs), f"{first!r} {second!r} at {maximum}: {ours.ids} {theirs.ids}"
    reference.no_truncation()


def test_without_special_tokens(reference, minilm_tokenizer):
    for line in lines(DATA / "tatoeba_en_zh" / "cmn.txt")[:2000]:
        theirs = reference.encode(line, add_special_tokens=False)
        assert same(minilm_tokenizer.encode(line, add_special_tokens=False), theirs), line


def test_decoded_text_is_the_same(reference, minilm_tokenizer):
    for line in lines(DATA / "sst2" / "dev.tsv"):
        ids = reference.encode(line).ids
        for skip in (True, False):
            assert minilm_tokenizer.decode(ids, skip_special_tokens=skip) == reference.decode(
                ids, skip_special_tokens=skip
            )
