"""Makes the table of Unicode sets from what tokenizers 0.23.3 matches, and its golden. A second run
writes the same bytes.

    python Tests/Goldens/tokenizers/make_properties.py

Writes Sources/GraftTokenizers/Text/UnicodeTable.swift, which the library reads, and beside this
script:
    properties.tsv      for each property, bracket and escape how many scalars belong to it, and a
                        hash over them; the names are those that are there already, and a name that
                        is added is filled in
    classes.tsv         the same for the expressions of expressions.py that match one scalar
    expressions.json    where its other expressions match in its texts, and which are refused
"""
import json
from pathlib import Path

import numpy
import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

import make_clusters
from expressions import CLASSES, PATTERNS, REFUSED, TEXTS

assert tokenizers.__version__ == "0.23.3", "the table is of tokenizers 0.23.3"
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-"


def is_looked_at(scalar: int) -> bool:
    """All scalars of the planes with characters; of the others their ends, between which nothing
    changes.
    """
    if 0xD800 <= scalar < 0xE000:
        return False
    return scalar < 0x33480 or 0xE0000 <= scalar < 0xE0200 or not 16 <= scalar & 0xFFFF < 0xFFF0


SCALARS = numpy.array([scalar for scalar in range(0x110000) if is_looked_at(scalar)], dtype="<u4")
TEXT = SCALARS.tobytes().decode("utf-32-le")
# For every scalar the place of the one that stands for it.
STANDING = numpy.searchsorted(SCALARS, numpy.arange(0x110000), side="right") - 1


def ranges(belongs: numpy.ndarray) -> list[tuple[int, int]]:
    """The ranges of the scalars that belong, first and last, from an answer for each that was
    looked at.
    """
    whole = belongs[STANDING]
    whole[0xD800:0xE000] = False
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate(([0], whole.view("u1"), [0])).astype("i1")))
    return list(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist()))


def matched(pattern: str) -> list[tuple[int, int]]:
    """The scalars that an expression matches by themselves."""
    rest = normalizers.Replace(Regex(f"{pattern}+"), "").normalize_str(TEXT)
    belongs = numpy.ones(0x110000, dtype=bool)
    belongs[numpy.frombuffer(rest.encode("utf-32-le"), "<u4")] = False
    return ranges(belongs[SCALARS])


def joined(splitter) -> list[tuple[int, int]]:
    """The scalars that the `Whitespace` splitter keeps in one word with a letter before them."""
    lengths = numpy.zeros(len(SCALARS), dtype="i4")
    text = "".join(f"a{chr(scalar)} " for scalar in SCALARS)
    for _, (start, end) in splitter.pre_tokenize_str(text):
        if start % 3 == 0:
            lengths[start // 3] = end - start
    return ranges(lengths >= 2)


def is_spelled_out(name: str) -> bool:
    """Whether a name is an escape or a bracket rather than a property."""
    return name[0] in "\\["


def expression(name: str) -> str:
    """Outside brackets `\\w` has six more members than inside: the superscripts and fractions of
    Latin-1.
    """
    if name.startswith("["):
        return f"[{name}]"
    return name if is_spelled_out(name) else rf"\p{{{name}}}"


def orbits() -> list[tuple[int, ...]]:
    """The scalars that are one where case is ignored."""
    cased = set()
    for name in ("CWCF", "CWCM", "CWL", "CWU", "CWT", "LC", "Mn"):
        for first, last in matched(rf"\p{{{name}}}"):
            cased.update(range(first, last + 1))
    text = "\0".join(map(chr, sorted(cased)))
    found = set()
    for scalar in sorted(cased):
        rest = set(normalizers.Replace(Regex(rf"(?i:\x{{{scalar:x}}})"), "").normalize_str(text))
        found.add(tuple(other for other in sorted(cased) if chr(other) not in rest))
    return sorted(orbit for orbit in found if len(orbit) > 1)


def number(value: int) -> str:
    """Digits of five bits, the lowest first; the sixth bit says that more follow."""
    text = ""
    while value >= 32:
        text += DIGITS[32 + value % 32]
        value //= 32
    return text + DIGITS[value]


def deltas(values) -> str:
    text, last = "", 0
    for value in values:
        text += number(value - last)
        last = value
    return text


def set_line(found: list[tuple[int, int]]) -> str:
    return deltas([edge for first, last in found for edge in (first, last + 1)])


def swift(lines: list[str]) -> str:
    """Lines of a literal, none longer than 120 columns."""
    wrapped = []
    for line in lines:
        parts = [line[start : start + 110] for start in range(0, len(line), 110)]
        wrapped.append("\\\n        ".join(parts))
    return "        " + "\n        ".join(wrapped)


def golden(name: str, found: list[tuple[int, int]]) -> str:
    count, total = 0, 0
    for first, last in found:
        for scalar in range(first, last + 1):
            count += 1
            total = (total * 0x9E3779B97F4A7C15 + scalar + 1) % (1 << 64)
    return f"{name}\t{count}\t{total:016x}\n"


def pieces(pattern: str, text: str) -> list[int]:
    """Where the pieces end that an expression cuts a text into, in characters."""
    return [end for _, (_, end) in pre_tokenizers.Split(Regex(pattern), "isolated").pre_tokenize_str(text)]


def write_expressions() -> None:
    alone = [pattern for pattern in CLASSES if "<" not in pattern and not pattern.lower().startswith("\\b")]
    (HERE / "classes.tsv").write_text("".join(golden(pattern, matched(f"(?:{pattern})")) for pattern in alone))
    matches = {pattern: [pieces(pattern, text) for text in TEXTS] for pattern in PATTERNS}
    lines = [f"{json.dumps(pattern)}: {json.dumps(ends)}" for pattern, ends in matches.items()]
    refused = json.dumps(REFUSED, indent=1)
    (HERE / "expressions.json").write_text(
        f'{{"texts": {json.dumps(TEXTS)},\n"pieces": {{\n' + ",\n".join(lines) + f'\n}},\n"refused": {refused}}}\n'
    )


def main() -> None:
    write_expressions()
    names = [line.split("\t")[0] for line in (HERE / "properties.tsv").read_text().splitlines()]
    special = {"rust word": joined(pre_tokenizers.Whitespace())}
    for name, members in make_clusters.clusters(SCALARS.tolist()).items():
        special[name] = ranges(numpy.isin(SCALARS, sorted(members)))
    sets = {name: special[name] if name in special else matched(expression(name)) for name in names}
    lines: dict[str, list[str]] = {}
    for name, found in sets.items():
        plain = name.replace("\\", "escape ") if is_spelled_out(name) else name.lower().replace("_", "").replace("-", "")
        known = lines.setdefault(set_line(found), [])
        if plain not in known:
            known.append(plain)
    scripts, last = "", 0
    for start, script in make_clusters.scripts(SCALARS.tolist()):
        scripts += number(start - last) + number(script)
        last = start
    pairs = orbits()
    folds = sorted({chr(scalar).casefold() for scalar in SCALARS.tolist() if len(chr(scalar).casefold()) > 1})
    unfolded = [scalar for scalar in SCALARS.tolist() if len(chr(scalar).casefold()) > 1]
    source = f'''// Made by Tests/Goldens/tokenizers/make_properties.py from what tokenizers {tokenizers.__version__} matches.

/// Sets of Unicode scalars as text: see `UnicodeProperties` for how it reads.
enum UnicodeTable {{
    /// A line for each set: its names, a colon, and the scalars where it begins and ends in turn.
    static let sets: StaticString = """
{swift([",".join(names) + ":" + edges for edges, names in lines.items()])}
        """

    /// Where runs of scalars of one script begin, and which it is; 0 for none.
    static let scripts: StaticString = """
{swift([scripts])}
        """

    /// The scalars that are one where case is ignored: groups with a space between.
    static let orbits: StaticString = """
{swift([" ".join(deltas(orbit) for orbit in pairs)])}
        """

    /// Sequences of scalars that are one with a single scalar where case is ignored: "ss" with "ß".
    static let folds: StaticString = """
{swift([" ".join("".join(number(ord(part)) for part in fold) for fold in folds)])}
        """

    /// The scalars that such sequences are one with.
    static let folded: StaticString = """
{swift([deltas(unfolded)])}
        """
}}
'''
    (ROOT / "Sources/GraftTokenizers/Text/UnicodeTable.swift").write_text(source)
    (HERE / "properties.tsv").write_text("".join(golden(name, sets[name]) for name in names))


if __name__ == "__main__":
    main()
