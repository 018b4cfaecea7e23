#!/usr/bin/env python3
"""Makes the goldens of the tokenizer tests with the real package (tokenizers==0.23.3, numpy).

    make.py MODELS SHARED [NAME...]

MODELS is the folder with minilm/, SHARED the one with data/, models/ and tokenizers/. For each
tokenizer NAME (default all) two files are written beside this script:

NAME.lines.tsv   per data file: path, lines, tokens, hash over every line's encoding, hash over
                 every 16th line's
NAME.cases.json  full encodings and decoded texts of texts chosen to be difficult, pairs and
                 truncations among them
unicode.tsv      per class of characters: how many there are, and a hash over them
stages.json      small tokenizers, each about one stage, with a hash over their encodings and
                 decodings of the same texts
"""
import json
import os
import random
import sys

import numpy
import tokenizers
from charsmap import precompiled
from tokenizers import Tokenizer, normalizers, pre_tokenizers

assert tokenizers.__version__ == "0.23.3", "the goldens are of tokenizers 0.23.3"
HERE = os.path.dirname(os.path.abspath(__file__))
MODELS, SHARED = sys.argv[1:3]
FILES = {
    "minilm": f"{MODELS}/minilm/tokenizer.json",
    "gpt2": f"{SHARED}/tokenizers/gpt2/tokenizer.json",
    "qwen": f"{SHARED}/tokenizers/qwen-tiktoken/tokenizer.json",
    "stories260k": f"{SHARED}/models/stories260K/hf/tokenizer.json",
    "me5": f"{SHARED}/models/me5-small-zh-en-pruned/tokenizer.json",
    "marian": f"{SHARED}/models/marian-enpt/tokenizer.json",
}
STRATEGIES = {"LongestFirst": "longest_first", "OnlyFirst": "only_first", "OnlySecond": "only_second"}
MASK = (1 << 64) - 1
POWERS = numpy.array([pow(0x9E3779B97F4A7C15, i + 1, 1 << 64) for i in range(1 << 16)], dtype=numpy.uint64)


def load(name):
    tokenizer = Tokenizer.from_file(FILES[name])
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def arrays(encoding):
    return {
        "ids": encoding.ids,
        "types": encoding.type_ids,
        "starts": [start for start, _ in encoding.offsets],
        "ends": [end for _, end in encoding.offsets],
        "words": [-1 if word is None else word for word in encoding.word_ids],
    }


def line_hash(encoding):
    """The sum of (number + 2) * K**(position + 1) modulo 2**64 over all arrays end to end."""
    numbers = numpy.array(sum(arrays(encoding).values(), []), dtype=numpy.int64)
    total = 0
    for start in range(0, len(numbers), len(POWERS)):
        part = (numbers[start : start + len(POWERS)] + 2).astype(numpy.uint64)
        total += int((part * POWERS[: len(part)]).sum()) * pow(int(POWERS[-1]), start // len(POWERS), 1 << 64)
    return total & MASK


def chain(total, value):
    return (total * 0x9E3779B97F4A7C15 + value + 1) & MASK


def data_files():
    for folder in sorted(os.listdir(f"{SHARED}/data")):
        for file in sorted(os.listdir(f"{SHARED}/data/{folder}")):
            if file != "SOURCE.txt":
                yield f"{folder}/{file}"


def text_of(line):
    """Lines that are not UTF-8 are taken as Latin-1."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def write_lines(name, tokenizer):
    rows = []
    for path in data_files():
        lines = open(f"{SHARED}/data/{path}", "rb").read().split(b"\n")
        tokens = every = sixteenth = 0
        for number, line in enumerate(lines):
            encoding = tokenizer.encode(text_of(line))
            value = line_hash(encoding)
            tokens += len(encoding)
            every = chain(every, value)
            if number % 16 == 0:
                sixteenth = chain(sixteenth, value)
        rows.append(f"{path}\t{len(lines)}\t{tokens}\t{every:016x}\t{sixteenth:016x}\n")
    with open(f"{HERE}/{name}.lines.tsv", "w") as file:
        file.writelines(rows)


CHOSEN = [
    "", " ", "  ", "\0", "a\0b", "\n\n\t ", "Hello, world!", "  two  spaces ", "e\u0301", "\u0301", "\u0301\u0323a\u0323\u0301",
    "a\u0323\u0301\u302e\u0301", "q\u0307\u0323", "İstanbul ǅ ß ﬁ Å Ω K", "한국어 텍스트", "[CLS] x [SEP][MASK]", "[CLS", "x[MASK]y",
    "ａｂｃ　１２３", "🚀 (normal) 😶\u200d🌫️ ✅", "\ufffd\u200d\u00ad", "x" * 101, "x" * 100, "é" * 101, "don't do not isn't .",
    "野口里佳 Noguchi", "豈更車", "\u1100\u1161\u11a8", "ᄀ가각", "\U0001d165\U0001d16d\u0301", " <|endoftext|> hi<|im_start|>",
    "</s>hello<s> <unk>  x", "I'm I'LL 'RE we'Ve", "ſ'ſ K", "12345 1,234.5 ½ ②", "line one\nline two\r\n\r\n  indented\n",
    "tab\tand\u00a0nbsp\u2003em\u3000wide\u180e\u0085", "naïve café", "مرحبا بالعالم", "שלום עולם", "ไทยไม่มีวรรค", "नमस्ते दुनिया",
    "ﷺ", "\u1e9b\u0323", "a" * 300, "Ünïcödé ÀÉÎÕÜ", "…—–“”‘’", "http://example.com/a?b=c&d=%20", "__init__(self, *args)",
    "\U00011938\U00030000\U0002ebf0\U0001fbf0", "\ue000\uf8ff\U000f0000", "\u0378\U000e0001", "ΑΣ ΟΔΥΣΣΕΎΣ", "ﬀ ﬃ Ⅷ ㎏ ㍿",
]


def random_texts(count, seed):
    chance = random.Random(seed)
    scalars = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    pools = [
        scalars[32:127], scalars[:0x250], scalars[0x300:0x370] + list("aeiou"), scalars[0x3000:0x3100] + scalars[0x4E00:0x4F00],
        scalars[0xAC00:0xAC80] + scalars[0x1100:0x1200], scalars[::7], list(" \t\n\r\u00a0\u2003\u3000\u0085\u180eab'sS.,!1234"),
        [chr(c) for c in range(0x1F300, 0x1F650)] + ["\u200d", "\ufe0f"],
        ["[CLS]", "[SEP]", "[MASK]", " ", "a", "##", "<s>", "</s>", "<unk>", "▁", "<|endoftext|>", "\n"],
        ["I'm", "'S", "'ll", "'RE", " don't", "can't", "123", "4567", "  ", "\n\n", " \n", "...", "?!", "é", "中文"],
    ]
    for _ in range(count):
        most, rest, length = chance.choice(pools), chance.choice(pools), chance.choice([1, 2, 3, 8, 20])
        yield "".join(chance.choice(most if chance.random() < 0.8 else rest) for _ in range(length))


def write_cases(name, tokenizer):
    texts = CHOSEN + list(random_texts(120, 1))
    cases = []

    def add(text, pair=None, truncation=None, plain=False):
        if truncation:
            length, strategy, side = truncation
            tokenizer.enable_truncation(length, strategy=STRATEGIES[strategy], direction=side.lower())
        try:
            encoding = tokenizer.encode(text, pair, add_special_tokens=not plain)
        except Exception:
            return
        finally:
            tokenizer.no_truncation()
        case = {"text": text, **arrays(encoding)}
        case["decoded"] = [tokenizer.decode(encoding.ids, skip_special_tokens=skip) for skip in (True, False)]
        if pair is not None:
            case["pair"] = pair
        if truncation:
            case["truncation"] = truncation
        if plain:
            case["plain"] = True
        cases.append(case)

    for text in texts:
        add(text)
    for text, pair in zip(texts[5:40], texts[6:41]):
        add(text, pair)
        add(text, pair, plain=True)
    for text, pair in zip(texts[55:75], texts[20:40]):
        for truncation in [(8, "LongestFirst", "Right"), (7, "LongestFirst", "Left"), (9, "OnlyFirst", "Right"), (9, "OnlySecond", "Left")]:
            add(text, pair, truncation)
            add(text, None, truncation)
    with open(f"{HERE}/{name}.cases.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")


def write_unicode():
    """What single characters do between two letters, for every class of characters that the stages
    tell apart.
    """
    clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    chinese = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False)
    accents = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    bert = pre_tokenizers.BertPreTokenizer()
    forms = {"nfc": normalizers.NFC(), "nfd": normalizers.NFD(), "nfkc": normalizers.NFKC(), "nfkd": normalizers.NFKD()}
    classes = {
        "bert control": lambda c: clean.normalize_str(f"a{c}b") == "ab",
        "white space": lambda c: len(bert.pre_tokenize_str(f"a{c}b")) == 2,
        "punctuation": lambda c: len(bert.pre_tokenize_str(f"a{c}b")) == 3,
        "bert chinese": lambda c: chinese.normalize_str(c) == f" {c} ",
        "nonspacing mark": lambda c: accents.normalize_str(f"a{c}b") == "ab",
        "mark": lambda c: normalizers.StripAccents().normalize_str(f"a{c}b") == "ab",
    }
    results = {f"{name} of one": (lambda c, n=normalizer: n.normalize_str(c)) for name, normalizer in forms.items()}
    results["nfc among marks"] = lambda c: forms["nfc"].normalize_str(f"e\u0345{c}\u0323\u0334")
    results["nfd among marks"] = lambda c: forms["nfd"].normalize_str(f"e\u0345{c}\u0323\u0334")
    results["lowercase"] = lambda c: normalizers.Lowercase().normalize_str(c)
    scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    with open(f"{HERE}/unicode.tsv", "w") as file:
        for name, belongs in classes.items():
            members = [c for c in scalars if belongs(chr(c))]
            total = 0
            for c in members:
                total = chain(total, c)
            file.write(f"{name}\t{len(members)}\t{total:016x}\n")
        # Beyond these are planes without assigned characters and planes of private use.
        scalars = [c for c in scalars if c < 0x33480 or 0xE0000 <= c < 0xE0200]
        for name, result in results.items():
            changed, total = 0, 0
            for c in scalars:
                text = result(chr(c))
                changed += text != chr(c)
                for part in text:
                    total = chain(total, ord(part))
            file.write(f"{name}\t{changed}\t{total:016x}\n")
        ends = [end for _, (_, end) in pre_tokenizers.UnicodeScripts().pre_tokenize_str("".join(map(chr, scalars)))]
        total = 0
        for end in ends:
            total = chain(total, end)
        file.write(f"ends of scripts\t{len(ends)}\t{total:016x}\n")


# Shows every byte of its text. In stages.json it stands once, for all tokenizers without a model.
BYTES_MODEL = {
    "type": "BPE", "byte_fallback": True, "unk_token": "<0x00>", "merges": [],
    "vocab": {f"<0x{byte:02X}>": byte for byte in range(256)},
}


def small_tokenizers():
    """By name: a `tokenizer.json` that is about one stage."""
    letters = {c: i for i, c in enumerate("?abcdefgh ▁Ġ")}
    merges = ["a b", "c d", "ab cd", "b c", "e f", "f e", "abcd e"]
    merged = {**letters, **{m.replace(" ", ""): len(letters) + i for i, m in enumerate(merges)}}

    def tokenizer(**parts):
        return {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": BYTES_MODEL, **parts,
        }

    def bpe(**settings):
        return {"type": "BPE", "vocab": merged, "merges": merges, "unk_token": "?", **settings}

    def added(content, **settings):
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
        return {"id": settings.pop("id", 256), "content": content, **flags, **settings}

    bert = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
    found = {}
    for kind in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"]:
        found[f"normalizer {kind}"] = tokenizer(normalizer={"type": kind})
    for off in ["clean_text", "handle_chinese_chars", "strip_accents", "lowercase"]:
        found[f"normalizer BERT without {off}"] = tokenizer(normalizer={**bert, off: False})
    found["normalizer BERT"] = tokenizer(normalizer=bert)
    for left, right in [(True, True), (True, False), (False, True)]:
        found[f"normalizer Strip {left} {right}"] = tokenizer(
            normalizer={"type": "Strip", "strip_left": left, "strip_right": right})
    replacements = [
        ({"String": " "}, "▁"), ({"Regex": r"\s+"}, " "), ({"Regex": "[aeiou]"}, ""), ({"Regex": r"\p{L}*"}, "<>"),
        ({"Regex": r"(?i:s)|\d"}, "é"), ({"String": "a"}, "bb"),
    ]
    for pattern, content in replacements:
        found[f"normalizer Replace {pattern} {content}"] = tokenizer(
            normalizer={"type": "Replace", "pattern": pattern, "content": content})
    maps = {
        "letters": {"a": "A", "b": "", "c": "xyz", "\r": " ", "\u00e9": "e", "\u0301": "'", "e": "3", "\u4e2d": "zz", "\u200d": ""},
        "clusters": {"e\u0301": "é", "\u0958": "क", "\u00a9": "(c)", "\u0600": "#", "\u1161": "A", "\U0001f680": "rocket", " ": "▁"},
    }
    for name, pairs in maps.items():
        found[f"normalizer Precompiled {name}"] = tokenizer(normalizer=precompiled(pairs))
        found[f"normalizer Precompiled {name} after NFD"] = tokenizer(normalizer={
            "type": "Sequence", "normalizers": [{"type": "NFD"}, precompiled(pairs), {"type": "Lowercase"}]})
    found["normalizer Prepend"] = tokenizer(normalizer={"type": "Prepend", "prepend": "▁é"})
    found["normalizers in sequence"] = tokenizer(
        normalizer={"type": "Sequence", "normalizers": [
            {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, {"type": "NFC"}, bert]})
    simple = [
        {"type": "BertPreTokenizer"}, {"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "Digits", "individual_digits": True},
        {"type": "Digits", "individual_digits": False}, {"type": "CharDelimiterSplit", "delimiter": " "},
        {"type": "FixedLength", "length": 3}, {"type": "Punctuation"}, {"type": "UnicodeScripts"},
    ]
    for settings in simple:
        found[f"pre-tokenizer {settings}"] = tokenizer(pre_tokenizer=settings)
    behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
    patterns = [
        {"String": " "}, {"Regex": r"\s"}, {"Regex": r"\w+|[^\w\s]+"}, {"Regex": r"[\p{L}\p{M}]+"}, {"Regex": r"\d*"}, {"Regex": r"^.|\S$"},
        {"Regex": r"(?<=\s)\S|\h{2}|[^\w]\D"}, {"Regex": r"[^\S\n]|\u00e9|[\w&]{,2}\."},
        {"Regex": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"},
        {"Regex": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|\p{N}|[\p{P}\p{S}]+|\s+"},
    ]
    for pattern in patterns:
        for behavior in behaviors:
            for invert in [False, True]:
                found[f"pre-tokenizer Split {pattern} {behavior} {invert}"] = tokenizer(pre_tokenizer={
                    "type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert})
    for behavior in behaviors:
        found[f"pre-tokenizer Punctuation {behavior}"] = tokenizer(pre_tokenizer={"type": "Punctuation", "behavior": behavior})
    for scheme in ["always", "first", "never"]:
        for split in [True, False]:
            found[f"pre-tokenizer Metaspace {scheme} {split}"] = tokenizer(
                pre_tokenizer={"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split},
                added_tokens=[added("[SEP]")])
    for prefix in [True, False]:
        for regex in [True, False]:
            level = {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}
            found[f"pre-tokenizer ByteLevel {prefix} {regex}"] = tokenizer(
                pre_tokenizer=level, post_processor=level, added_tokens=[added(" hi", rstrip=True)])
    found["pre-tokenizers in sequence"] = tokenizer(normalizer={"type": "NFKC"}, pre_tokenizer={
        "type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Punctuation"}, {"type": "Digits", "individual_digits": True}]})
    models = {
        "plain": bpe(), "fused": bpe(fuse_unk=True), "without unknown token": bpe(unk_token=None), "whole words": bpe(ignore_merges=True),
        "merges as pairs": bpe(merges=[m.split(" ") for m in merges]),
        "continuing prefix": bpe(
            continuing_subword_prefix="##", vocab={"?": 0, "a": 1, "##b": 2, "##c": 3, "ab": 4, "abc": 5, "##bc": 6},
            merges=["a ##b", "##b ##c", "ab ##c"]),
        "ending suffix": bpe(
            end_of_word_suffix="</w>", vocab={"?": 0, "a": 1, "b": 2, "b</w>": 3, "a</w>": 4, "ab": 5, "ab</w>": 6},
            merges=["a b", "a b</w>"]),
        "some bytes": bpe(byte_fallback=True, vocab={**merged, "<0xC3>": 50, "<0xA9>": 51}),
        "word level": {"type": "WordLevel", "vocab": {"?": 0, "Hello": 1, "a": 2}, "unk_token": "?"},
        "word piece": {
            "type": "WordPiece", "vocab": {"?": 0, "a": 1, "@b": 2, "ab": 3, "@c": 4}, "unk_token": "?",
            "continuing_subword_prefix": "@", "max_input_chars_per_word": 5},
    }
    pieces = [
        ["<unk>", 0], ["a", -1], ["b", -1.5], ["c", -2], ["ab", -2.5], ["bc", -3.5], ["abc", -4.5], ["abcd", -4], ["▁", -1], ["▁a", -2],
        ["e", -3], ["ee", -6], ["eee", -9], ["", 0], ["a", -1.25], ["中", -3], ["<0xC3>", -9], ["<0xA9>", -9], ["<0x20>", -9],
    ]  # fmt: skip
    unigram = {"type": "Unigram", "unk_id": 0, "vocab": pieces, "byte_fallback": False}
    models |= {
        "unigram": unigram, "unigram of bytes": {**unigram, "byte_fallback": True},
        "unigram with the unknown token late": {**unigram, "unk_id": 13}, "unigram of high scores": {
            **unigram, "vocab": [[piece, score + 40] for piece, score in [*pieces, ["xy", -1], ["Hello", 90], ["zz", -2]]]},
        "unigram without type": {"vocab": pieces, "unk_id": 0},
    }  # fmt: skip
    for name, model in models.items():
        for split in [None, {"type": "Whitespace"}]:
            found[f"model {name}, {'words' if split else 'whole'}"] = tokenizer(model=model, pre_tokenizer=split)
    flags = [dict(zip(["single_word", "lstrip", "rstrip", "normalized"], [bool(n >> i & 1) for i in range(4)])) for n in range(16)]
    for flag in flags:
        found[f"added tokens {flag}"] = tokenizer(
            normalizer={"type": "Lowercase"},
            added_tokens=[added("[SEP]", **flag), added("a", id=257, **flag), added("ab", id=258, **flag), added("<s>", id=259, special=True, **flag)])
    ends = {"sep": ["</s>", 7], "cls": ["<s>", 5]}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    roberta = {"type": "RobertaProcessing", "trim_offsets": True, "add_prefix_space": True, **ends}
    template = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "x", "type_id": 3}}, {"Sequence": {"id": "A", "type_id": 2}}],
        "pair": [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "x", "type_id": 4}}, {"Sequence": {"id": "A", "type_id": 5}}],
        "special_tokens": {"x": {"id": "x", "ids": [9, 10], "tokens": ["x", "y"]}}}
    processors = {
        "BertProcessing": {"type": "BertProcessing", **ends}, "RobertaProcessing": roberta,
        "RobertaProcessing untrimmed": {**roberta, "trim_offsets": False}, "TemplateProcessing": template,
        "Sequence": {"type": "Sequence", "processors": [level, template]},
    }
    for name, processor in processors.items():
        found[f"post-processor {name}"] = tokenizer(pre_tokenizer=level, post_processor=processor)
    words = ["?", "▁a", "▁", "b</w>", "##c", "Ġd", "é", "<0xE4>", "<0xB8>", "<0xAD>", "<0x41>", " '", "n't", ".", " do not", "a▁▁b", "ĊĠ", "</w></w>", "xx", "aaxaa"]
    decoders = [
        None, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "WordPiece", "prefix": "##", "cleanup": False},
        {"type": "BPEDecoder", "suffix": "</w>"}, {"type": "Strip", "content": "a", "start": 1, "stop": 0}, {"type": "Strip", "content": "a", "start": 2, "stop": 0},
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "Replace", "pattern": {"Regex": "[a-c]+"}, "content": "-"},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": True},
        {"type": "CTC", "pad_token": "?", "word_delimiter_token": "▁", "cleanup": True},
        {"type": "CTC", "pad_token": "a", "word_delimiter_token": "▁", "cleanup": False},
        {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    ]
    for decoder in decoders:
        found[f"decoder {decoder}"] = tokenizer(
            decoder=decoder, model={"type": "WordLevel", "vocab": {w: i for i, w in enumerate(words)}, "unk_token": "?"})
    return found


def write_stages():
    texts = CHOSEN + list(random_texts(60, 2)) + ["abcd abcde efe zz abcabc", "Hello hello [SEP]a ab <S>  hi there", "xabx [SEP] é\u0301 a"]
    chance = random.Random(4)
    lists = [[chance.randrange(20) for _ in range(chance.choice([1, 2, 4, 9]))] for _ in range(200)]
    stages = []
    for name, settings in small_tokenizers().items():
        tokenizer = Tokenizer.from_str(json.dumps(settings))
        encoded = decoded = 0
        for text, pair in zip(texts, texts[1:] + texts[:1]):
            for arguments in [(text,), (text, pair)]:
                encoded = chain(encoded, line_hash(tokenizer.encode(*arguments)))
        for ids in lists:
            for part in tokenizer.decode(ids).encode():
                decoded = chain(decoded, part)
            decoded = chain(decoded, 256)
        if settings["model"] == BYTES_MODEL:
            del settings["model"]
        stages.append({"name": name, "encoded": f"{encoded:016x}", "decoded": f"{decoded:016x}", "tokenizer": settings})
    with open(f"{HERE}/stages.json", "w") as file:
        rows = ",\n".join(json.dumps(stage, separators=(",", ":")) for stage in stages)
        file.write('{"model":' + json.dumps(BYTES_MODEL, separators=(",", ":")) + ',\n"texts":' + json.dumps(texts) + ',\n"ids":' + json.dumps(lists, separators=(",", ":")) + ',\n"stages":[\n' + rows + "\n]}\n")


for name in sys.argv[3:] or [*FILES, "unicode", "stages"]:
    if name == "unicode":
        write_unicode()
        continue
    if name == "stages":
        write_stages()
        continue
    tokenizer = load(name)
    write_lines(name, tokenizer)
    write_cases(name, tokenizer)
