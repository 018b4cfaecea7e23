"""sentencepiece: small models of the sentencepiece package, what it makes of texts and of ids, and
what transformers' classes make around them.

`<name>.model` is a model and `<name>.json` what it does; `classes.json` what transformers'
tokenizers do with a folder of one of the models.
"""

import io
import json
import random
import sys
import tempfile
from pathlib import Path

import sentencepiece
import transformers
from sentencepiece import sentencepiece_model_pb2 as proto

from .files import ROOT, fresh_folder, write_json

sys.path.append(str(ROOT / "tokenizers"))
from charsmap import charsmap  # noqa: E402

NAME = "sentencepiece"
TEXT_COUNT = 120

#: Sequences that grapheme clusters and longest beginnings divide otherwise.
RULES = {
    "ﬁ": "fi", "１": "1", "e\u0301": "é", "e": "e", "e\u0301\u0323": "ẹ", "\u00a0": " ", "\u3000": " ", "…": "...", "\u200b": "", "\r\n": " ",
    "\t": " ", "Ａ": "a", "A": "a", "B": "b", "½": " 1/2 ", "ab": "xy", "a\u0308\u0304": "ǟ", "\u0915\u094d\u0937": "ksh", "\u0301\u0301": "\u0301", "：": ":",
}  # fmt: skip

WORDS = """the a of to and in on it is was for that with he she they we you cat dog house tree river water light night
day man woman child hand eye word world time year way thing life work part place case week number point
government company group problem fact running jumped quickly slowly green blue red yellow seven eleven
twelve translation international understanding 中文 分词 模型 语言 世界 今天 naïve café größe straße""".split()

ALPHABET = ["a", "b", "ab", "A", "B", "é", "e\u0301", "e\u0301\u0323", "e", "中", "中文", "語", "ﬁ", "１", " ", "  ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "…", "\u200b", "▁", "▁▁",
            "½", ".", ",", "'s", "12", "😀", "👩‍👩‍👧", "<s>", "</s>", "<unk>", "<sep>", "<cls>", "<0x41>", "\x00", "the", " the", " world", "ing", "\u0915\u094d\u0937", "\u0301", "a\u0308\u0304",
            "xy", "zzzz", "ß", "：", "ab c", "\ufffd", "Ω"]  # fmt: skip


def sentences(count: int) -> list[str]:
    chance = random.Random(1)
    return [" ".join(chance.choice(WORDS) for _ in range(chance.randrange(2, 12))) + "." for _ in range(count)]


def trained(kind: str, size: int, **options) -> proto.ModelProto:
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences(2000)), model_writer=out, model_type=kind, vocab_size=size, num_threads=1, hard_vocab_limit=False,
        normalization_rule_name="identity", character_coverage=1.0, minloglevel=2, **options)  # fmt: skip
    model = proto.ModelProto.FromString(out.getvalue())
    # Where it was made, and nothing that counts.
    model.trainer_spec.ClearField("input")
    model.trainer_spec.ClearField("model_prefix")
    return model


def with_rules(model: proto.ModelProto) -> proto.ModelProto:
    model.normalizer_spec.precompiled_charsmap = charsmap(RULES)
    return model


def with_unused(model: proto.ModelProto, each: int) -> proto.ModelProto:
    normal = [piece for piece in model.pieces if piece.type == piece.NORMAL and len(piece.piece) > 1]
    for piece in normal[::each]:
        piece.type = piece.UNUSED
    return model


def models() -> dict[str, proto.ModelProto]:
    bpe_bytes = trained("bpe", 700, byte_fallback=True, remove_extra_whitespaces=False, user_defined_symbols=["\n\n", "▁▁"], allow_whitespace_only_pieces=True)
    suffix = with_rules(trained("bpe", 300, treat_whitespace_as_suffix=True))
    bare = with_rules(trained("unigram", 260, add_dummy_prefix=False, remove_extra_whitespaces=False))
    bare.normalizer_spec.escape_whitespaces = False
    for piece in bare.pieces:
        piece.piece = piece.piece.replace("▁", " ")
    return {
        "unigram": with_rules(trained("unigram", 300, user_defined_symbols=["<sep>", "ab c", "中"], control_symbols=["<cls>"])),
        "unigram-bytes": with_unused(
            trained("unigram", 600, byte_fallback=True, remove_extra_whitespaces=False, split_by_whitespace=False), 7),
        "bpe-bytes": bpe_bytes,
        "bpe": with_unused(with_rules(trained("bpe", 320, add_dummy_prefix=False, user_defined_symbols=["ab c", "<sep>"])), 5),
        "suffix": suffix,
        "bare": bare,
        "t5": trained("unigram", 200, pad_id=0, eos_id=1, unk_id=2, bos_id=-1),
    }  # fmt: skip


def cases(model: bytes) -> dict:
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    chance = random.Random(2)
    texts = ["", " ", "Hello world", "  Hello   world  ", "the cat.  the dog", "\u200b", "▁", "a\u0308\u0304b", "ﬁre e\u0301\u0323 e\u0301"]
    texts += sentences(2010)[2000:]
    while len(texts) < TEXT_COUNT:
        texts.append("".join(chance.choice(ALPHABET) for _ in range(chance.choice([1, 2, 3, 5, 9, 20]))))
    encoded = []
    for text in texts:
        ids = processor.encode(text)
        encoded.append({"text": text, "ids": ids, "decoded": processor.decode(ids)})
    size = processor.get_piece_size()
    sequences = []
    for _ in range(60):
        ids = [chance.randrange(size if chance.random() < 0.5 else 12) for _ in range(chance.choice([1, 2, 4, 8]))]
        sequences.append({"ids": ids, "decoded": processor.decode(ids)})
    return {"texts": encoded, "sequences": sequences}


def class_models() -> dict[str, proto.ModelProto]:
    """Those with the special tokens of a class."""
    roles = {"pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"}
    return {
        "albert": with_rules(
            trained("unigram", 200, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols=["[CLS]", "[SEP]"], user_defined_symbols=["[MASK]", "("])),
        "deberta": trained("unigram", 200, pad_id=0, bos_id=1, eos_id=2, unk_id=3, **roles),
    }  # fmt: skip


#: A model, the folder's settings, and the class that reads it.
CLASSES = [
    ("t5", {"tokenizer_class": "T5Tokenizer"}),
    ("t5", {"tokenizer_class": "T5Tokenizer", "extra_ids": 3}),
    ("unigram", {"tokenizer_class": "XLMRobertaTokenizer"}),
    ("bpe-bytes", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False}),
    ("albert", {"tokenizer_class": "AlbertTokenizer"}),
    ("albert", {"tokenizer_class": "AlbertTokenizer", "do_lower_case": False, "keep_accents": True}),
    ("deberta", {"tokenizer_class": "DebertaV2Tokenizer"}),
    ("deberta", {"tokenizer_class": "DebertaV2Tokenizer", "do_lower_case": True, "split_by_punct": True}),
    ("unigram", {"tokenizer_class": "MBartTokenizer", "src_lang": "ro_RO"}),
    ("bpe-bytes", {"tokenizer_class": "CodeLlamaTokenizer", "add_eos_token": True}),
]  # fmt: skip
CLASS_TEXTS = ["the cat and the dog.", "world", "", "a <extra_id_0> b <extra_id_2>.", "the</s> cat<s>", "it <mask> was", "<unk> word <pad>", "cat <cls> dog"]
#: For classes whose pieces tokenizers finds, which does otherwise where several spaces stand.
STAGE_TEXTS = ["  The  Cafe\u0301, ``size''. ", "a [MASK] b [SEP]( c", "中文 ▁<PRE> <mask> ro_RO", "\n\n x"]
SENTENCE_PIECE_CLASSES = ("T5Tokenizer", "XLMRobertaTokenizer", "LlamaTokenizer")
FILES = {
    "T5Tokenizer": "spiece.model", "XLMRobertaTokenizer": "sentencepiece.bpe.model", "LlamaTokenizer": "tokenizer.model", "AlbertTokenizer": "spiece.model",
    "DebertaV2Tokenizer": "spm.model", "MBartTokenizer": "sentencepiece.bpe.model", "CodeLlamaTokenizer": "tokenizer.model",
}  # fmt: skip


def of_class(model: bytes, settings: dict) -> list[dict]:
    name = settings["tokenizer_class"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILES[name]).write_bytes(model)
        (Path(folder) / "tokenizer_config.json").write_text(json.dumps(settings))
        tokenizer = getattr(transformers, name).from_pretrained(folder)
        results = []
        for text in CLASS_TEXTS + ([] if name in SENTENCE_PIECE_CLASSES else STAGE_TEXTS):
            ids, pair = tokenizer(text)["input_ids"], tokenizer(text, "the world")
            results.append({"text": text, "ids": ids, "pair": pair["input_ids"], "decoded": tokenizer.decode(ids, skip_special_tokens=True)})
    return results


def make() -> None:
    top = fresh_folder(NAME)
    made = {name: model.SerializeToString(deterministic=True) for name, model in models().items()}
    for name, model in made.items():
        (top / f"{name}.model").write_bytes(model)
        write_json(top / f"{name}.json", cases(model))
    for name, model in class_models().items():
        made[name] = model.SerializeToString(deterministic=True)
        (top / f"{name}.model").write_bytes(made[name])
    classes = [
        {"model": name, "settings": settings, "file": FILES[settings["tokenizer_class"]], "texts": of_class(made[name], settings)}
        for name, settings in CLASSES
    ]
    write_json(top / "classes.json", classes)
