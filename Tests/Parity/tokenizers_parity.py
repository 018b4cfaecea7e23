#!/usr/bin/env python3
"""Compares encodings and decodings with the real `tokenizers` package on every line of every data set.

    swift build -c release --product TokenizerBenchmark
    Tests/Parity/tokenizers_parity.py [NAME...]

Every text goes through alone, in pairs, without special tokens and shortened in several ways; ids, type ids, offsets in
characters, word ids and masks must be equal, and decoded text. The environment says where things are: GRAFT_TEST_MODELS
(build/models) and GRAFT_TEST_DATA (../shared/data). Exits with 1 when anything differs.
"""
import os
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
DATA = Path(os.environ.get("GRAFT_TEST_DATA", SHARED / "data"))
MODELS = Path(os.environ.get("GRAFT_TEST_MODELS", ROOT / "build" / "models"))
PROGRAM = ROOT / ".build" / "release" / "TokenizerBenchmark"
FILES = {
    "minilm": MODELS / "minilm" / "tokenizer.json",
    "gpt2": SHARED / "tokenizers" / "gpt2" / "tokenizer.json",
    "qwen": SHARED / "tokenizers" / "qwen-tiktoken" / "tokenizer.json",
    "stories260k": SHARED / "models" / "stories260K" / "hf" / "tokenizer.json",
}
STRATEGIES = {"LongestFirst": "longest_first", "OnlyFirst": "only_first", "OnlySecond": "only_second"}
SHORTENINGS = [
    (8, "LongestFirst", "Right"), (7, "LongestFirst", "Left"), (9, "OnlyFirst", "Right"), (12, "OnlySecond", "Left"),
    (12, "OnlySecond", "Right"), (3, "LongestFirst", "Right"),
]


def lines() -> list[str]:
    found = []
    for path in sorted(DATA.glob("*/*")):
        if path.name != "SOURCE.txt":
            found += path.read_bytes().decode("utf-8", "replace").split("\n")
    return found


def random_texts(count: int, seed: int) -> list[str]:
    """Texts of characters that sit badly together."""
    chance = random.Random(seed)
    scalars = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    pools = [
        scalars[32:127], scalars[:0x250], scalars[0x300:0x370] + list("aeiou"), scalars[0x3000:0x3100] + scalars[0x4E00:0x4F00],
        scalars[0xAC00:0xAC80] + scalars[0x1100:0x1200], scalars[::7], list(" \t\n\r\u00a0\u2003\u3000\u0085\u180eab'sS.,!1234"),
        [chr(c) for c in range(0x1F300, 0x1F650)] + ["\u200d", "\ufe0f"],
        ["[CLS]", "[SEP]", "[MASK]", " ", "a", "##", "<s>", "</s>", "<unk>", "▁", "<|endoftext|>", "\n"],
        ["I'm", "'S", "'ll", "'RE", " don't", "can't", "123", "4567", "  ", "\n\n", " \n", "...", "?!", "é", "中文"],
    ]
    texts = ["", " ", "\0", "x" * 100, "x" * 101, "é" * 101, "a" * 5000]
    for _ in range(count):
        most, rest, length = chance.choice(pools), chance.choice(pools), chance.choice([1, 2, 3, 8, 20, 60])
        texts.append("".join(chance.choice(most if chance.random() < 0.8 else rest) for _ in range(length)))
    return texts


def run(command: str, file: Path, records: list[bytes], *arguments: str) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "in", Path(folder) / "out"
        source.write_bytes(b"".join(struct.pack("<I", len(record)) + record for record in records))
        subprocess.run([PROGRAM, command, file, source, result, *arguments], check=True)
        data, found, position = result.read_bytes(), [], 0
        while position < len(data):
            (length,) = struct.unpack_from("<I", data, position)
            found.append(data[position + 4 : position + 4 + length])
            position += 4 + length
        return found


def arrays(encoding) -> list[int]:
    words = [-1 if word is None else word for word in encoding.word_ids]
    starts, ends = [start for start, _ in encoding.offsets], [end for _, end in encoding.offsets]
    return encoding.ids + encoding.type_ids + starts + ends + words + encoding.special_tokens_mask


def compare(name: str, texts: list[str], pairs: bool = False, plain: bool = False, shortening=None) -> int:
    tokenizer = Tokenizer.from_file(str(FILES[name]))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    arguments = ["pairs"] * pairs + ["plain"] * plain
    if shortening:
        length, strategy, side = shortening
        tokenizer.enable_truncation(length, strategy=STRATEGIES[strategy], direction=side.lower())
        arguments.append("max=%d,%s,%s" % shortening)
    inputs = list(zip(texts[::2], texts[1::2])) if pairs else [(text,) for text in texts]
    results = run("encode", FILES[name], [text.encode() for group in inputs for text in group], *arguments)
    assert len(results) == len(inputs)
    different = 0
    for result, group in zip(results, inputs):
        try:
            expected = arrays(tokenizer.encode(*group, add_special_tokens=not plain))
        except BaseException:  # The package panics where text cannot be shortened enough: ours must refuse it too.
            expected = []
        if numpy.frombuffer(result, dtype="<i4").tolist() != expected:
            different += 1
            if different <= 3:
                print("DIFFERENT", group, arguments)
    print(f"{name}: {len(inputs)} {'pairs' if pairs else 'texts'} {' '.join(arguments)}: {different} different", flush=True)
    return different


def compare_decoded(name: str, texts: list[str]) -> int:
    tokenizer = Tokenizer.from_file(str(FILES[name]))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    chance = random.Random(3)
    lists = [tokenizer.encode(text).ids for text in texts]
    lists += [[chance.randrange(tokenizer.get_vocab_size()) for _ in range(chance.choice([1, 3, 10]))] for _ in range(5000)]
    different = 0
    for skip in [True, False]:
        records = [struct.pack(f"<{len(ids)}i", *ids) for ids in lists]
        results = run("decode", FILES[name], records, *["skip"] * skip)
        for ids, result in zip(lists, results):
            different += result.decode() != tokenizer.decode(ids, skip_special_tokens=skip)
    print(f"{name}: {2 * len(lists)} decoded: {different} different", flush=True)
    return different


def main() -> int:
    different = 0
    every, difficult = lines(), random_texts(4000, 1)
    for name in sys.argv[1:] or FILES:
        different += compare(name, every)
        different += compare(name, difficult) + compare(name, difficult, plain=True) + compare(name, difficult, pairs=True)
        for shortening in SHORTENINGS:
            different += compare(name, difficult, shortening=shortening)
            different += compare(name, difficult, pairs=True, shortening=shortening)
        different += compare_decoded(name, every[::5] + difficult)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
