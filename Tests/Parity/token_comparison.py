"""Texts to compare tokens on, and the comparison of Graft's tokens with those of the tokenizers
package.
"""

import random
from pathlib import Path
from typing import NamedTuple

from tokenizers import Tokenizer

import graft
from conftest import DATA

FILES = sorted(path.relative_to(DATA) for path in DATA.rglob("*") if path.is_file())

#: More tokens than any text here has: tokenizer.json may shorten, this does not.
WHOLE = 1 << 20


class Sides(NamedTuple):
    """One tokenizer.json in both libraries."""

    ours: graft.Tokenizer
    theirs: Tokenizer


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
