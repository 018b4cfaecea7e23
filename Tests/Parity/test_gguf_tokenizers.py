"""Tokenizers of Llama 2 and Gemma, in GGUF files, against the sentencepiece and the tokenizers
package, which are given the file's pieces: the same ids, offsets and texts.

Of the lines of all data sets every twentieth is tried; all with GRAFT_TEST_WHOLE=1 (`make
test-whole`).
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

import gguf
import pytest
import sentencepiece
from tokenizers import Tokenizer

import graft
from conftest import DATA, MINILM, SHARED
from small_tokenizers import tokenizer_file
from test_sentencepiece import BYTE, CONTROL, NORMAL, UNKNOWN, USER_DEFINED, written
from token_comparison import DIFFICULT, FILES, WHOLE, Sides, assert_same, lines

VOCABULARIES = {
    "llama2": SHARED / "tokenizers" / "ggml-vocab" / "ggml-vocab-llama-spm.gguf",
    "gemma": MINILM.parent / "gemma-3-270m.gguf",
}


class Pieces(NamedTuple):
    """What a file has of its tokens, by their ids."""

    path: Path
    tokens: list[str]
    scores: list[float]
    kinds: list[int]
    has_prefix: bool
    unknown: int

    def added(self) -> list[dict]:
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        return [
            {"id": token, "content": self.tokens[token], "special": kind != USER_DEFINED, **flags}
            for token, kind in enumerate(self.kinds)
            if kind not in (NORMAL, BYTE)
        ]

    def merges(self) -> list[list[str]]:
        """Of pairs of pieces those that make a piece, the best piece first."""
        places = {piece: token for token, piece in enumerate(self.tokens) if self.kinds[token] == NORMAL}
        found = []
        for piece, token in places.items():
            parts = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
            known = [pair for pair in parts if pair[0] in places and pair[1] in places]
            found += [(-self.scores[token], places[left], places[right], left, right) for left, right in known]
        return [[left, right] for _, _, _, left, right in sorted(found)]


@pytest.fixture(scope="module", params=VOCABULARIES)
def pieces(request: pytest.FixtureRequest) -> Pieces:
    path = VOCABULARIES[request.param]
    fields = {name: field for name, field in gguf.GGUFReader(path).fields.items() if name.startswith("tokenizer.ggml.")}
    tokens, scores, kinds, unknown = (
        fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "scores", "token_type", "unknown_token_id")
    )
    kinds[unknown] = UNKNOWN  # Gemma's is a control token in its file
    prefix = fields.get("tokenizer.ggml.add_space_prefix")
    return Pieces(path, tokens, scores, kinds, prefix is None or prefix.contents(), unknown)


@pytest.fixture(scope="module")
def ours(pieces: Pieces) -> graft.Tokenizer:
    return graft.Tokenizer(pieces.path)


@pytest.fixture(scope="module")
def sides(pieces: Pieces) -> Sides:
    """A tokenizer.json in the form of the first Llamas', which splits no words."""
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    prefix = [{"type": "Prepend", "prepend": "▁"}] if pieces.has_prefix else []
    strip = [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if pieces.has_prefix else []
    back = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
    file = json.dumps(
        tokenizer_file(
            added_tokens=pieces.added(),
            normalizer={"type": "Sequence", "normalizers": [*prefix, space]},
            decoder={"type": "Sequence", "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"}, *strip]},
            model={
                "type": "BPE", "byte_fallback": True, "fuse_unk": True, "unk_token": pieces.tokens[pieces.unknown],
                "vocab": {piece: token for token, piece in enumerate(pieces.tokens)}, "merges": pieces.merges(),
            },
        )
    )  # fmt: skip
    return Sides(graft.Tokenizer.from_files({"tokenizer.json": file.encode()}), Tokenizer.from_str(file))


@pytest.fixture(scope="module")
def texts() -> list[str]:
    found = list(dict.fromkeys(line for name in FILES for line in lines(DATA / name)))
    return found if os.environ.get("GRAFT_TEST_WHOLE") else found[::20]


def test_ids_and_texts_are_those_of_sentencepiece(pieces: Pieces, ours: graft.Tokenizer, texts: list[str]) -> None:
    # Llama.cpp's converter writes spaces into what users defined; and a text's control tokens count
    # as such in Graft, as in transformers, which to sentencepiece only user-defined ones do.
    kinds = [USER_DEFINED if kind == CONTROL else kind for kind in pieces.kinds]
    marked = [token.replace(" ", "▁") if kind == USER_DEFINED else token for token, kind in zip(pieces.tokens, kinds)]
    model = written(
        list(zip(marked, pieces.scores, kinds, strict=True)),
        {3: 2, 35: True},
        {3: pieces.has_prefix, 4: False, 5: True},
    )
    theirs = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert len(texts) > 5000
    for text in texts:
        ids = theirs.encode(text)
        assert list(ours.encode(text, maximum_length=WHOLE, add_special_tokens=False).ids) == ids, text
        assert ours.decode(ids, skip_special_tokens=False) == theirs.decode(ids), text


def test_ids_offsets_and_texts_are_those_of_tokenizers(sides: Sides, ours: graft.Tokenizer, texts: list[str]) -> None:
    for text in texts + DIFFICULT:
        assert_same(sides, text, special=False)
        ids = sides.theirs.encode(text).ids
        for skip in (True, False):
            assert sides.ours.decode(ids, skip_special_tokens=skip) == sides.theirs.decode(
                ids, skip_special_tokens=skip
            ), text
    for text in texts:
        theirs = sides.theirs.encode(text)
        found = ours.encode(text, maximum_length=WHOLE, add_special_tokens=False)
        assert (found.ids, found.offsets) == (theirs.ids, theirs.offsets), text
