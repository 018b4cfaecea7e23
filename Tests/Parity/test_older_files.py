"""Folders without tokenizer.json, as they were released before there was one: the tokenizer that
transformers makes of them, and MarianTokenizer, which is one of its own.

Ids, offsets and words of many lines of the data sets, and decoded text, are equal.
"""

import functools
import io
import json
import random
from pathlib import Path

import pytest
import sentencepiece
from transformers import AutoTokenizer, MarianTokenizer

import graft
from conftest import DATA, MINILM, SHARED
from token_comparison import DIFFICULT, FILES, PAIRS, WHOLE, Sides, assert_same, lines

#: Lines of every data set, in two languages, and texts chosen to be difficult.
LINES = [line for name in FILES for line in lines(DATA / name)[::40] if len(line) < 4000]
TEXTS = LINES[::2] + DIFFICULT[::4]


@functools.cache
def trained(kind: str, language: int | None = None, **options) -> bytes:
    """A file of SentencePiece.

    :param language: of Tatoeba's pairs, 0 or 1; None for both.
    """
    rows = [line.split("\t") for line in lines(DATA / "tatoeba_en_zh" / "cmn.txt")[::3] if line]
    texts = [text for row in rows for text in (row[:2] if language is None else [row[language]])]
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=out, model_type=kind, vocab_size=2000, character_coverage=0.98,
        num_threads=1, hard_vocab_limit=False, minloglevel=2, **options)  # fmt: skip
    return out.getvalue()


@functools.cache
def bytes_files(*special: str) -> dict[str, bytes]:
    """GPT-2's, with more tokens behind all."""
    folder = SHARED / "tokenizers" / "gpt2"
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    for token in special:
        vocabulary[token] = len(vocabulary)
    return {"vocab.json": json.dumps(vocabulary).encode(), "merges.txt": (folder / "merges.txt").read_bytes()}


def words_file() -> dict[str, bytes]:
    """MPNet's names of special tokens among BERT's words."""
    words = (MINILM / "vocab.txt").read_text(encoding="utf-8").split("\n")
    names = {"[PAD]": "<pad>", "[CLS]": "<s>", "[SEP]": "</s>", "[MASK]": "<mask>"}
    return {"vocab.txt": "\n".join(names.get(word, word) for word in words).encode()}


def albert() -> dict[str, bytes]:
    symbols = {"control_symbols": "[CLS],[SEP]", "user_defined_symbols": "[MASK],(,)"}
    return {"spiece.model": trained("unigram", pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, **symbols)}


def deberta() -> dict[str, bytes]:
    options = {"pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"}
    return {"spm.model": trained("unigram", pad_id=0, bos_id=1, eos_id=2, unk_id=3, **options)}


def mbart() -> dict[str, bytes]:
    return {"sentencepiece.bpe.model": trained("unigram")}


def code_llama() -> dict[str, bytes]:
    infilling = {"byte_fallback": True, "user_defined_symbols": "▁<PRE>,▁<MID>,▁<SUF>,▁<EOT>"}
    spaces = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}
    return {"tokenizer.model": trained("bpe", **infilling, **spaces)}


ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")

#: By name: the files, the class, the type of the model, and what tokenizer_config.json says beside.
CASES = {
    "qwen2": (bytes_files, "Qwen2Tokenizer", "qwen2", {}),
    "qwen2, named tokens": (bytes_files, "Qwen2Tokenizer", "qwen2", {"eos_token": "<|im_end|>", "bos_token": None, "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]}),
    "qwen2, space": (bytes_files, "Qwen2Tokenizer", "qwen2", {"add_prefix_space": True}),
    "bart": (lambda: bytes_files(*ROBERTA), "BartTokenizer", "bart", {}),
    "bart, space": (lambda: bytes_files(*ROBERTA), "BartTokenizer", "bart", {"add_prefix_space": True}),
    "bart, whole offsets": (lambda: bytes_files(*ROBERTA), "BartTokenizer", "bart", {"trim_offsets": False}),
    "gpt2": (bytes_files, "GPT2Tokenizer", "gpt2", {}),
    "gpt2, beginning": (bytes_files, "GPT2Tokenizer", "gpt2", {"add_bos_token": True}),
    "gpt_neox": (bytes_files, "GPTNeoXTokenizer", "gpt_neox", {}),
    "gpt_neox, ends": (bytes_files, "GPTNeoXTokenizer", "gpt_neox", {"add_bos_token": True, "add_eos_token": True}),
    "albert": (albert, "AlbertTokenizer", "albert", {}),
    "albert, cased": (albert, "AlbertTokenizer", "albert", {"do_lower_case": False, "keep_accents": True}),
    "albert, no space": (albert, "AlbertTokenizer", "albert", {"add_prefix_space": False}),
    "deberta": (deberta, "DebertaV2Tokenizer", "deberta-v2", {"do_lower_case": False, "vocab_type": "spm"}),
    "deberta, words": (deberta, "DebertaV2Tokenizer", "deberta-v2", {"do_lower_case": True, "split_by_punct": True}),
    "deberta, no space": (deberta, "DebertaV2Tokenizer", "deberta-v2", {"add_prefix_space": False}),
    "mbart": (mbart, "MBartTokenizer", "mbart", {}),
    "mbart, from Romanian": (mbart, "MBartTokenizer", "mbart", {"src_lang": "ro_RO", "tgt_lang": "en_XX"}),
    "code_llama": (code_llama, "CodeLlamaTokenizer", "llama", {"add_bos_token": True}),
    "code_llama, ends": (code_llama, "CodeLlamaTokenizer", "llama", {"add_bos_token": False, "add_eos_token": True, "add_prefix_space": False}),
    "code_llama, no infilling": (code_llama, "CodeLlamaTokenizer", "llama", {"fill_token": None}),
    "mpnet": (words_file, "MPNetTokenizer", "mpnet", {}),
    "mpnet, cased": (words_file, "MPNetTokenizer", "mpnet", {"do_lower_case": False, "strip_accents": True}),
    "mpnet, named tokens": (words_file, "MPNetTokenizer", "mpnet", {"mask_token": "<mask>", "unk_token": "[UNK]"}),
}  # fmt: skip


def written(folder: Path, files: dict[str, bytes], name: str | None, settings: dict, model_type: str) -> None:
    for file, content in files.items():
        (folder / file).write_bytes(content)
    if settings or name is not None:
        named = {} if name is None else {"tokenizer_class": name}
        (folder / "tokenizer_config.json").write_text(json.dumps({**settings, **named}), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_texts_have_the_same_tokens_and_tokens_the_same_texts(case: str, tmp_path: Path) -> None:
    files, name, model_type, settings = CASES[case]
    # Known by the class, or by the type of the model alone.
    written(tmp_path, files(), None if settings == {} else name, settings, model_type)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert type(theirs).__name__ == {"BartTokenizer": "RobertaTokenizer"}.get(name, name)
    ours = graft.Tokenizer(tmp_path)
    sides = Sides(ours, theirs.backend_tokenizer)
    special = theirs.all_special_tokens
    marked = [f"a {token}b{token} {token}. {token.upper()}" for token in special]
    rows = []
    for text in TEXTS + marked:
        assert_same(sides, text)
        rows.append(sides.theirs.encode(text).ids)
    for pair in PAIRS[::20]:
        assert_same(sides, *pair)
    chance = random.Random(1)
    rows += [[chance.randrange(len(theirs)) for _ in range(chance.choice([1, 3, 10]))] for _ in range(500)]
    for row in rows:
        for skip in (True, False):
            assert ours.decode(row, skip_special_tokens=skip) == theirs.decode(row, skip_special_tokens=skip), row
    assert ours.vocabulary_size == len(theirs)
    assert ours.mask_token == theirs.mask_token_id or theirs.mask_token_id is None


def marian_files(kind: str) -> dict[str, bytes]:
    """Both languages' pieces in one vocabulary, some without an id."""
    source, target = trained(kind, 0), trained(kind, 1)
    pieces: dict[str, None] = {}
    for model in (source, target):
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        pieces.update(dict.fromkeys(processor.id_to_piece(number) for number in range(3, processor.get_piece_size())))
    kept = [piece for index, piece in enumerate(pieces) if index % 50 != 7]
    random.Random(2).shuffle(kept)
    tokens = ["</s>", "<unk>", *kept, ">>fra<<", ">>zho<<", "<pad>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return {"source.spm": source, "target.spm": target, "vocab.json": json.dumps(vocabulary).encode()}


MARKED = [">>fra<< Hello, world", ">>zho<<你好", ">>xyz<< a", "a >>fra<< b", ">>fra<<", ">>fra", ">> a << b", " >>fra<< c", "<unk>x</s> y <pad>z", "</s>>>fra<< d"]  # fmt: skip


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_released_marian_has_the_same_tokens_and_texts(kind: str, tmp_path: Path) -> None:
    written(tmp_path, marian_files(kind), None, {"source_lang": "en", "target_lang": "zh"}, "marian")
    theirs = MarianTokenizer.from_pretrained(tmp_path)
    ours = graft.Tokenizer(tmp_path)
    rows = []
    for text in TEXTS + MARKED:
        ids = theirs(text)["input_ids"]
        assert list(ours.encode(text, maximum_length=WHOLE).ids) == ids, text
        rows.append(ids)
    for pair in PAIRS[::20]:
        assert list(ours.encode(*pair, maximum_length=WHOLE).ids) == theirs(*pair)["input_ids"], pair
    chance = random.Random(1)
    rows += [[chance.randrange(len(theirs)) for _ in range(chance.choice([1, 3, 10]))] for _ in range(2000)]
    for row in rows:
        for skip in (True, False):
            text = theirs.decode(row, skip_special_tokens=skip, use_source_tokenizer=False)
            assert ours.decode(row, skip_special_tokens=skip) == text, row
        # The release takes the source's file for this where nothing is said, which reads the same.
        assert ours.decode(row, skip_special_tokens=True) == theirs.decode(row, skip_special_tokens=True), row
    assert ours.vocabulary_size == len(theirs)


def test_offsets_of_a_marian_are_those_of_its_pieces(tmp_path: Path) -> None:
    """MarianTokenizer has none; sentencepiece tells them."""
    files = marian_files("unigram")
    written(tmp_path, files, None, {}, "marian")
    ours = graft.Tokenizer(tmp_path)
    processor = sentencepiece.SentencePieceProcessor(model_proto=files["source.spm"])
    for text in LINES[:400]:
        if not text.isascii() or "  " in text or text != text.strip() or "<" in text:
            continue
        pieces = processor.encode(text, return_type="proto").pieces
        theirs = [(piece.begin, piece.end) for piece in pieces]
        offsets = list(ours.encode(text, maximum_length=WHOLE, add_special_tokens=False).offsets)
        assert [end for _, end in offsets] == [end for _, end in theirs], text


@pytest.mark.parametrize("path", ["bart", "mbart"])
def test_saved_by_transformers_it_is_the_same_tokenizer(path: str, tmp_path: Path) -> None:
    files, name, model_type, settings = CASES[path]
    written(tmp_path, files(), name, settings, model_type)
    saved = tmp_path / "saved"
    AutoTokenizer.from_pretrained(tmp_path).save_pretrained(saved)
    (saved / "config.json").write_bytes((tmp_path / "config.json").read_bytes())
    assert (saved / "tokenizer.json").exists()
    older, newer = graft.Tokenizer(tmp_path), graft.Tokenizer(saved)
    for text in TEXTS[::5]:
        assert older.encode(text, maximum_length=WHOLE) == newer.encode(text, maximum_length=WHOLE), text
