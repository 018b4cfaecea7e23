"""The characters that tokenizers 0.23.3 tells apart where it divides text into grapheme clusters,
and by script; both are found by what it does.

A cluster of up to five bytes is looked up as a whole in the map of a `Precompiled` normalizer. So
where a map has `x`, the text `x\\u0301` loses its accent, unless what is before it joins the
cluster: then characters are looked up one by one, and the accent stays.
"""

from collections.abc import Callable, Iterable

import numpy
from tokenizers import Tokenizer, normalizers, pre_tokenizers

from charsmap import charsmap

ACCENT, JOINER = "\u0301", "\u200d"
#: Characters of each kind that are known: of Arabic, Devanagari and Hangul, and an emoji.
PREPENDED, CONSONANT, LINKER, LEADING, VOWEL, TRAILING, EMOJI = "\u0600\u0958\u094d\u1100\u1161\u11a8\u00a9"


def probe(mapped: str, text: Callable[[str], str]) -> Callable[[int], bool]:
    """Whether the accent at the end of a text stays, which is about a scalar."""
    normalizer = normalizers.Precompiled(charsmap({mapped: "x"}))
    return lambda scalar: normalizer.normalize_str(text(chr(scalar))).endswith(ACCENT)


def clusters(scalars: Iterable[int]) -> dict[str, set[int]]:
    """The scalars of each kind but Hangul's syllables, CR, LF and the joiner."""
    scalars = [scalar for scalar in scalars if scalar not in (0, 0x0A, 0x0D, 0x200D)]

    def found(mapped: str, text: Callable[[str], str]) -> set[int]:
        holds = probe(mapped, text)
        return {scalar for scalar in scalars if holds(scalar)}

    letter = normalizers.Precompiled(charsmap({"a": "x"}))
    joining = {scalar for scalar in scalars if letter.normalize_str("a" + chr(scalar)) == "x"}
    sign = normalizers.Precompiled(charsmap({PREPENDED: "x"}))
    # Longer ones are never looked at together with a neighbour.
    alone = {
        scalar for scalar in scalars
        if scalar < 0x10000 and chr(scalar) != PREPENDED and sign.normalize_str(PREPENDED + chr(scalar)) != "x"
    }  # fmt: skip
    prepended = found("a", lambda c: f"{c}a{ACCENT}")
    emoji = found(EMOJI, lambda c: f"{c}{JOINER}{EMOJI}{ACCENT}") - prepended
    extending = (found(EMOJI, lambda c: f"{EMOJI}{c}{JOINER}{EMOJI}{ACCENT}") - prepended) & joining
    linker = found(CONSONANT, lambda c: f"{CONSONANT}{c}{CONSONANT}{ACCENT}") - prepended
    # A character of its own ends a conjunct, so what does not is a bridge.
    bridge = found(CONSONANT, lambda c: f"{CONSONANT}{LINKER}{c}{CONSONANT}{ACCENT}") - prepended - linker
    leading = found(LEADING, lambda c: f"{c}{LEADING}{ACCENT}") - prepended
    open_ended = found(VOWEL, lambda c: f"{c}{VOWEL}{ACCENT}") - prepended - leading
    ended = found(TRAILING, lambda c: f"{c}{TRAILING}{ACCENT}") - prepended - open_ended
    syllables = set(range(0xAC00, 0xD7A4))
    return {
        "cluster control": alone, "cluster extend": extending, "cluster spacing": joining - extending,
        "cluster prepend": prepended, "cluster leading": leading, "cluster vowel": open_ended - syllables,
        "cluster trailing": ended - syllables, "cluster pictographic": emoji,
        "cluster consonant": found(CONSONANT, lambda c: f"{c}{LINKER}{CONSONANT}{ACCENT}") - prepended,
        "cluster linker": linker, "cluster bridge": bridge,
    }  # fmt: skip


def scripts(scalars: Iterable[int]) -> list[tuple[int, int]]:
    """Where runs of scalars of one script begin, and the script's number from 1; 0 for none."""
    splitter = pre_tokenizers.UnicodeScripts()

    def is_one(first: str, second: str) -> bool:
        return len(splitter.pre_tokenize_str(first + second)) == 1

    runs: list[tuple[int, int]] = []
    known: list[str] = []
    for scalar in scalars:
        character = chr(scalar)
        if is_one("a", character) and is_one("\u03b1", character):
            number = 0
        elif runs and runs[-1][1] and is_one(known[runs[-1][1] - 1], character):
            number = runs[-1][1]
        else:
            number = next((index for index, one in enumerate(known, 1) if is_one(one, character)), len(known) + 1)
            if number > len(known):
                known.append(character)
        if (runs[-1][1] if runs else 0) != number:
            runs.append((scalar, number))
    return runs
