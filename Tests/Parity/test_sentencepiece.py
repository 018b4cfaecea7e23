"""Files of SentencePiece, against the sentencepiece package: models put together at random, and one
with the pieces of a real encoder, on real texts.
"""

import base64
import random
import struct

import pytest
import sentencepiece

import graft
from charsmap import charsmap

from conftest import DATA, SHARED, read_json

PIECES = ["a", "b", "A", "é", "e\u0301", "e", "中", "中文", "▁", "▁▁", "▁a", "▁ab", "ab", "abab", "b▁", "a▁b", "bc", "c", "zz", "zzz", ".", "\n", "😀", "\u0301", "<s>x", "'s", "▁the", "the", "th", "he", "t", "h"]  # fmt: skip
LETTERS = [*PIECES, " ", "  ", " a", "\t", "\r\n", "\u00a0", "ß", "Ω", "the the", "<s>", "<0x41>", "\ufeff", "\u0323", "x", "語", "\x00"]
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def field(number: int, value: bool | int | float | bytes) -> bytes:
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(int(value))


def written(pieces: list[tuple[str, float, int]], trainer: dict[int, int], normalizer: dict[int, bool | bytes]) -> bytes:
    """A ModelProto."""
    message = b"".join(
        field(1, field(1, piece.encode()) + field(2, float(score)) + field(3, kind)) for piece, score, kind in pieces
    )
    message += field(2, b"".join(field(number, value) for number, value in trainer.items()))
    return message + field(3, b"".join(field(number, value) for number, value in normalizer.items()))


def random_model(chance: random.Random) -> bytes:
    pieces: list[tuple[str, float, int]] = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    scores = [-1.0, -2.0, -2.0, -2.5, -5.0, -7.25, -0.1]
    for piece in chance.sample(PIECES, chance.randrange(3, len(PIECES))):
        kind = chance.choices([NORMAL, USER_DEFINED, UNUSED], [16, 1, 2])[0]
        pieces.append((piece, chance.choice(scores), kind))
    has_bytes = chance.random() < 0.4
    if has_bytes:
        pieces += [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    trainer = {3: chance.choice([1, 2]), 24: chance.random() < 0.2, 35: has_bytes}
    normalizer: dict[int, bool | bytes] = {3: chance.random() < 0.7, 4: chance.random() < 0.5, 5: chance.random() < 0.9}
    if chance.random() < 0.6:
        keys = chance.sample([key for key in LETTERS if key and key != "\x00"], chance.randrange(1, 14))
        normalizer[2] = charsmap({key: chance.choice(["", "a", "é", "中a", " ", " b", "▁", "b "]) for key in keys})
    return written(pieces, trainer, normalizer)


@pytest.mark.parametrize("seed", range(40))
def test_random_models_give_the_same_ids_and_texts(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(8):
        model = random_model(chance)
        theirs = sentencepiece.SentencePieceProcessor(model_proto=model)
        ours = graft.Tokenizer.from_files({"tokenizer.model": model})
        assert ours.vocabulary_size == theirs.get_piece_size()
        for _ in range(25):
            text = "".join(chance.choice(LETTERS) for _ in range(chance.choice([0, 1, 2, 4, 9, 25])))
            encoding = ours.encode(text)
            assert list(encoding.ids) == theirs.encode(text), text
            assert ours.decode(encoding.ids, skip_special_tokens=True) == theirs.decode(list(encoding.ids)), text
            # Not of control pieces: bytes on both sides of one are put together here, not there.
            ids = [chance.choice([0, chance.randrange(3, theirs.get_piece_size())]) for _ in range(chance.randrange(1, 8))]
            assert ours.decode(ids, skip_special_tokens=True) == theirs.decode(ids), ids


def lines() -> list[str]:
    paragraphs = [
        paragraph["context"]
        for language in ("en", "zh")
        for article in read_json(DATA / "xquad" / f"xquad.{language}.json")["data"]
        for paragraph in article["paragraphs"]
    ]
    return paragraphs[::4]


@pytest.mark.parametrize("kind", [1, 2])
def test_real_pieces_and_real_rules_give_the_same_ids_and_texts(kind: int) -> None:
    file = read_json(SHARED / "models" / "me5-small-zh-en-pruned" / "tokenizer.json")
    normalizer = read_json(SHARED / "models" / "marian-enpt" / "tokenizer.json")["normalizer"]
    rules = next(stage for stage in normalizer.get("normalizers", [normalizer]) if stage["type"] == "Precompiled")
    special = {"<s>": CONTROL, "</s>": CONTROL, "<pad>": CONTROL, "<unk>": UNKNOWN, "<mask>": CONTROL}
    vocabulary = file["model"]["vocab"]
    model = written(
        [(piece, score, special.get(piece, NORMAL)) for piece, score in vocabulary],
        {3: kind},
        {2: base64.b64decode(rules["precompiled_charsmap"])},
    )
    theirs = sentencepiece.SentencePieceProcessor(model_proto=model)
    ours = graft.Tokenizer.from_files({"spiece.model": model})
    for text in lines():
        ids = theirs.encode(text)
        assert list(ours.encode(text, maximum_length=1 << 30).ids) == ids
        assert ours.decode(ids) == theirs.decode(ids)
