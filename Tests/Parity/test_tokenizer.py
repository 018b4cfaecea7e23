"""Graft's tokens against the tokenizers package: every line of every data set, and texts chosen to
be difficult.

Ids, types, offsets in characters and in bytes, and word numbers are equal, and decoded text.
"""

import random

import pytest
from tokenizers import Tokenizer

import graft
from conftest import DATA, MINILM, SHARED
from token_comparison import DIFFICULT, FILES, PAIRS, Sides, assert_same, lines

FOLDERS = {
    "minilm": MINILM,
    "gpt2": SHARED / "tokenizers" / "gpt2",
    "qwen": SHARED / "tokenizers" / "qwen-tiktoken",
    "stories260k": SHARED / "models" / "stories260K" / "hf",
    "me5": SHARED / "models" / "me5-small-zh-en-pruned",
    "marian": SHARED / "models" / "marian-enpt",
}

#: Length, strategy and side of what the package calls truncation.
SHORTENINGS = [
    (8, "longest_first", "right"),
    (7, "longest_first", "left"),
    (9, "only_first", "right"),
    (12, "only_second", "left"),
    (12, "only_second", "right"),
    (3, "longest_first", "right"),
]


@pytest.fixture(scope="module", params=FOLDERS)
def sides(request) -> Sides:
    folder = FOLDERS[request.param]
    theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs.no_padding()
    theirs.no_truncation()
    if request.param != "marian":
        return Sides(graft.Tokenizer(folder), theirs)
    # Beside its config.json, a Marian's texts end with a token that its file adds to none.
    return Sides(graft.Tokenizer.from_files({"tokenizer.json": (folder / "tokenizer.json").read_bytes()}), theirs)


def test_there_is_data():
    assert len(FILES) >= 30


@pytest.mark.parametrize("name", FILES, ids=str)
def test_every_line_has_the_same_tokens(name, sides):
    for line in lines(DATA / name):
        assert_same(sides, line)


def test_difficult_texts_have_the_same_tokens(sides):
    for text in DIFFICULT:
        assert_same(sides, text)
        assert_same(sides, text, special=False)


def test_pairs_have_the_same_tokens(sides):
    for pair in PAIRS:
        assert_same(sides, *pair)


@pytest.mark.parametrize("shortening", SHORTENINGS, ids=str)
def test_texts_and_pairs_are_shortened_alike(shortening, sides, tmp_path):
    """As tokenizer.json says, which is the way to every strategy."""
    length, strategy, side = shortening
    theirs = Tokenizer.from_str(sides.theirs.to_str())
    theirs.enable_truncation(length, strategy=strategy, direction=side)
    theirs.save(str(tmp_path / "tokenizer.json"))
    shortening_sides = Sides(graft.Tokenizer(tmp_path), theirs)
    for group in [(text,) for text in DIFFICULT[:2000]] + PAIRS[1000:]:
        # There the package shortens to less than nothing, which is no limit.
        if length < theirs.num_special_tokens_to_add(len(group) == 2):
            with pytest.raises(graft.GraftError):
                shortening_sides.ours.encode(*group)
            continue
        try:
            theirs.encode(*group)
        except BaseException:  # the package panics where a text cannot be shortened enough
            with pytest.raises(graft.GraftError):
                shortening_sides.ours.encode(*group)
        else:
            assert_same(shortening_sides, *group, maximum=0)


def test_decoded_text_is_the_same(sides):
    chance = random.Random(3)
    size = sides.theirs.get_vocab_size()
    texts = lines(DATA / "sst2" / "dev.tsv") + lines(DATA / "xquad" / "README.md") + DIFFICULT
    ids = [sides.theirs.encode(text).ids for text in texts]
    ids += [[chance.randrange(size) for _ in range(chance.choice([1, 3, 10]))] for _ in range(5000)]
    for row in ids:
        for skip in (True, False):
            text = sides.theirs.decode(row, skip_special_tokens=skip)
            ours = sides.ours.decode(row, skip_special_tokens=skip)
            assert ours == text, row
