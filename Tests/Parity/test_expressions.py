"""Regular expressions of `tokenizer.json` against the tokenizers package: the same matches in any
text, or refused by name.
"""

import random
import sys
from collections.abc import Iterable

import pytest
from tokenizers import Regex, pre_tokenizers

import graft
from conftest import GOLDENS
from small_tokenizers import word_tokenizer

sys.path.insert(0, str(GOLDENS / "tokenizers"))

from expressions import CLASSES, PATTERNS, REFUSED, TEXTS  # noqa: E402

SCALARS = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
#: Texts that hold every character, in pieces.
EVERY = ["".join(SCALARS[start : start + 50_000]) for start in range(0, len(SCALARS), 50_000)]


def their_matches(pattern: str, text: str) -> list[tuple[int, int]]:
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    return [offsets for _, offsets in split.pre_tokenize_str(text)]


def our_tokenizer(pattern: str, folder) -> graft.Tokenizer:
    stage = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return word_tokenizer(folder, pre_tokenizer=stage)


def assert_same(pattern: str, texts: Iterable[str], tokenizer: graft.Tokenizer) -> None:
    for text in texts:
        ours = tokenizer.encode(text, add_special_tokens=False).offsets
        assert [tuple(offsets) for offsets in ours] == their_matches(pattern, text), (pattern, text[:80])


@pytest.mark.parametrize("pattern", CLASSES)
def test_every_character_is_in_the_same_classes(pattern, tmp_path):
    # A run of them is one match, but where the expression looks at neighbours.
    repeated = pattern if "<" in pattern or pattern.lower().startswith("\\b") else pattern + "+"
    assert_same(repeated, EVERY, our_tokenizer(repeated, tmp_path))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_match_alike(pattern, tmp_path):
    assert_same(pattern, TEXTS, our_tokenizer(pattern, tmp_path))


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(pattern, tmp_path):
    with pytest.raises(graft.GraftError) as error:
        our_tokenizer(pattern, tmp_path)
    assert REFUSED[pattern] in str(error.value)


def random_pattern(chance: random.Random, depth: int = 0) -> str:
    """Any expression, most of them valid."""
    atoms = ["a", "b", "s", "K", "é", "ß", "1", " ", ".", r"\w", r"\W", r"\d", r"\s", r"\S", r"\p{L}", r"\P{Lu}", r"\p{Han}", r"\b", r"\B", "^", "$",
             "[a-c]", "[^a-c]", r"[\w&&[^b]]", "[[:punct:]]", r"[^\s\p{L}]", r"\R", r"\h", r"\.", "'", "[]a]", r"[a\-z]", "-"]  # fmt: skip
    kind = chance.random()
    if depth > 3 or kind < 0.4:
        return chance.choice(atoms)
    inner = random_pattern(chance, depth + 1)
    if kind < 0.6:
        return inner + random_pattern(chance, depth + 1)
    if kind < 0.7:
        return f"{inner}|{random_pattern(chance, depth + 1)}"
    if kind < 0.85:
        return inner + chance.choice(["*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}", "{,2}", "{2}?", "{1,}?", "{1,2}+", "{"])
    opening = chance.choice(["(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?m:", "(?i)", "(?x: ", "(?<n>", "(?-i:"])
    return opening + inner + (")" if opening != "(?i)" else "")


def test_any_pattern_matches_alike_or_is_refused(tmp_path):
    chance = random.Random(7)
    same = refused = 0
    for _ in range(3000):
        pattern = random_pattern(chance)
        try:
            theirs = [their_matches(pattern, text) for text in TEXTS]
        except BaseException:  # the package panics where it gives up on a text
            theirs = None
        try:
            tokenizer = our_tokenizer(pattern, tmp_path)
        except graft.GraftError as error:
            assert "regular expression" in str(error)
            refused += 1
            continue
        # What the package refuses may be refused here or not.
        if theirs is None:
            continue
        try:
            assert_same(pattern, TEXTS, tokenizer)
            same += 1
        except graft.GraftError as error:
            assert "gave up on the text" in str(error), pattern
            refused += 1
    assert same > 1500 and refused < 1500
