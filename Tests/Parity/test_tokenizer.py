"""Graft's tokens against the tokenizers package: every line of every data set, and texts chosen to
be difficult.

Ids, types, offsets in characters and in bytes, and word numbers are equal, and decoded text.
"""

import random
from pathlib import Path
from typing import NamedTuple

import pytest
from tokenizers import Tokenizer

import graft
from conftest import DATA, MINILM, SHARED

FOLDERS = {
    "minilm": MINILM,
    "gpt2": SHARED / "tokenizers" / "gpt2",
    "qwen": SHARED / "tokenizers" / "qwen-tiktoken",
    "stories260k": SHARED / "models" / "stories260K" / "hf",
    "me5": SHARED / "models" / "me5-small-zh-en-pruned",
    "marian": SHARED / "models" / "marian-enpt",
}
FILES = sorted(path.relative_to(DATA) for path in DATA.rglob("*") if path.is_file())

#: More tokens than any text here has: tokenizer.json may shorten, this does not.
WHOLE = 1 << 20

#: Length, strategy and side of what the package calls truncation.
SHORTENINGS = [
    (8, "longest_first", "right"),
    (7, "longest_first", "left"),
    (9, "only_first", "right"),
    (12, "only_second", "left"),
    (12, "only_second", "right"),
    (3, "longest_first", "right"),
]


class Sides(NamedTuple):
    """One tokenizer.json in both libraries."""

    ours: graft.Tokenizer
    theirs: Tokenizer


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


def lines(path: Path) -> list[str]:
    """The different lines of a file; where one is not UTF-8, its bytes are taken for latin-1."""
    found = []
    for line in dict.fromkeys(path.read_bytes().split(b"\n")):
        try:
            found.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            found.append(line.decode("latin-1"))
    return found


def difficult(count: int = 4000) -> list[str]:
    """Texts of characters that sit badly together, without NUL, which ends a text in C."""
    chance = random.Random(1)
    scalars = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    pools = [
        scalars[32:127],
        scalars[1:0x250],
        scalars[0x300:0x370] + list("aeiou"),
        scalars[0x3000:0x3100] + scalars[0x4E00:0x4F00],
        scalars[0xAC00:0xAC80] + scalars[0x1100:0x1200],
        scalars[1::7],
        list(" \t\n\r\u00a0\u2003\u3000\u0085\u180eab'sS.,!1234"),
        [chr(code) for code in range(0x1F300, 0x1F650)] + ["\u200d", "\ufe0f"],
        ["[CLS]", "[SEP]", "[MASK]", " ", "a", "##", "<s>", "</s>", "<unk>", "▁", "<|endoftext|>", "\n"],
        ["I'm", "'S", "'ll", "'RE", " don't", "can't", "123", "4567", "  ", "\n\n", " \n", "...", "?!", "é", "中文"],
    ]
    texts = ["", " ", "x" * 100, "x" * 101, "é" * 101, "a" * 5000]
    for _ in range(count):
        most, rest, length = chance.choice(pools), chance.choice(pools), chance.choice([1, 2, 3, 8, 20, 60])
        texts.append("".join(chance.choice(most if chance.random() < 0.8 else rest) for _ in range(length)))
    return texts


DIFFICULT = difficult()
PAIRS = list(zip(DIFFICULT[::2], DIFFICULT[1::2], strict=True))


def in_bytes(text: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    if text.isascii():
        return offsets
    places = [0]
    for character in text:
        places.append(places[-1] + len(character.encode()))
    return [(places[start], places[end]) for start, end in offsets]


def expected(group: tuple[str, ...], theirs) -> graft.Encoding:
    """What Graft has to say of a text or pair, from what the package says."""
    if len(group) == 1:
        byte_offsets = in_bytes(group[0], theirs.offsets)
    else:
        # A token's offsets are in the text that it is from; a special token is from none, and has
        # (0, 0).
        byte_offsets = [
            in_bytes("" if part is None else group[part], [offsets])[0]
            for part, offsets in zip(theirs.sequence_ids, theirs.offsets, strict=True)
        ]
    return graft.Encoding(theirs.ids, theirs.type_ids, theirs.offsets, byte_offsets, theirs.word_ids)


def assert_same(sides: Sides, *group: str, maximum: int = WHOLE, special: bool = True) -> None:
    theirs = sides.theirs.encode(*group, add_special_tokens=special)
    ours = sides.ours.encode(*group, maximum_length=maximum, add_special_tokens=special)
    assert ours == expected(group, theirs), group


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
