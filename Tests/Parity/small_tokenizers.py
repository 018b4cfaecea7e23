"""Tokenizers of one stage, written as a `tokenizer.json`."""

import json
from pathlib import Path

import graft

#: Every piece is one unknown token, so that tokens show where a stage cuts.
WORDS = {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}
#: Every byte of the normalised text is a token, so that tokens show what a stage writes.
BYTES = {
    "type": "BPE", "byte_fallback": True, "unk_token": "<0x00>", "merges": [],
    "vocab": {f"<0x{byte:02X}>": byte for byte in range(256)},
}  # fmt: skip


def tokenizer_file(**parts) -> dict:
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": WORDS, **parts,
    }  # fmt: skip


def word_tokenizer(folder: Path, **parts) -> graft.Tokenizer:
    """Writes the file into the folder and loads it."""
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_file(**parts)), encoding="utf-8")
    return graft.Tokenizer(folder)
