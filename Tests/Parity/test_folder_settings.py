"""Folders whose files beside `tokenizer.json` or `vocab.txt` say something, against transformers'
AutoTokenizer.

Either the same ids and the same decoded text, or the folder is refused by name.
"""

import json
import shutil
from pathlib import Path

import pytest
from transformers import AutoTokenizer

import graft
from conftest import MINILM, SHARED, read_json

TEXTS = [
    "Hello World", "HÉLLO naïve Café 中文字 ÀÉ", "a [MASK] b [NEW] c", "<ent>Hi</ent> <s>x</s> extra0 EXTRA0", " leading  spaces ", "don't stop , now . it ' s",
    "<|endoftext|>x", "unaffable zzz[X]zzz", "",
]  # fmt: skip

TOKEN = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}


def added(content: str, **flags) -> dict:
    return {"content": content, **TOKEN, **flags}


#: By name: what is written over tokenizer_config.json, over special_tokens_map.json and
#: added_tokens.json (None: no file), over tokenizer.json, and whether it has to load.
BERT_CASES = {
    "as it is": ({}, None, None, {}, True),
    "do_lower_case false": ({"do_lower_case": False}, None, None, {}, True),
    "do_lower_case false, accents stripped": ({"do_lower_case": False, "strip_accents": True}, None, None, {}, True),
    "strip_accents false": ({"strip_accents": False}, None, None, {}, True),
    "tokenize_chinese_chars false": ({"tokenize_chinese_chars": False}, None, None, {}, True),
    "fast class": ({"tokenizer_class": "BertTokenizerFast", "do_lower_case": False}, None, None, {}, True),
    "plain class": ({"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": False}, None, None, {}, True),
    "distilbert": ({"tokenizer_class": "DistilBertTokenizer", "do_lower_case": False}, None, None, {}, True),
    "no class": ({"tokenizer_class": None, "do_lower_case": False}, None, None, {}, True),
    "nothing says do_lower_case": ({"do_lower_case": ...}, None, None, {"normalizer": {"lowercase": False}}, True),
    "plain class and cased file": ({"tokenizer_class": "PreTrainedTokenizerFast"}, None, None, {"normalizer": {"lowercase": False}}, True),
    "another normalizer": ({}, None, None, {"normalizer": {"type": "NFD"}}, False),
    "added_tokens_decoder": ({"added_tokens_decoder": {"30522": added("[NEW]"), "30523": added("<ent>", special=False, normalized=True)}}, None, None, {}, True),
    "added_tokens_decoder with lstrip": ({"added_tokens_decoder": {"103": added("[MASK]", lstrip=True)}}, None, None, {}, True),
    "added_tokens_decoder with a wrong id": ({"added_tokens_decoder": {"40000": added("[NEW]")}}, None, None, {}, False),
    "added_tokens.json": ({}, {}, {"[NEW]": 30522, "extra0": 30523}, {}, True),
    "added_tokens.json without effect": ({"added_tokens_decoder": {}}, {}, {"[NEW]": 30522}, {}, True),
    "special_tokens_map.json": ({}, {"mask_token": {"content": "[MASK]", **TOKEN, "lstrip": True}, "sep_token": "[SEP]"}, None, {}, True),
    "special_tokens_map.json with more": ({}, {"additional_special_tokens": ["<ent>", "</ent>"]}, None, {}, True),
    "special_tokens_map.json, void": ({"added_tokens_decoder": {}}, {"additional_special_tokens": ["<ent>"]}, None, {}, True),
    "additional_special_tokens": ({"additional_special_tokens": ["<ent>", "</ent>"]}, None, None, {}, True),
    "extra_special_tokens": ({"extra_special_tokens": ["<ent>"]}, None, None, {}, True),
    "extra_special_tokens by name": ({"extra_special_tokens": {"image_token": "<ent>"}}, None, None, {}, True),
    "bos_token": ({"bos_token": "[NEW]", "eos_token": "[SEP]"}, None, None, {}, True),
    "mask token of one word": ({"mask_token": "zzz"}, None, None, {}, True),
    "clean up": ({"clean_up_tokenization_spaces": True}, None, None, {}, True),
    "no clean up": ({"clean_up_tokenization_spaces": False}, None, None, {}, True),
    "no listed tokens": ({}, None, None, {"added_tokens": []}, True),
    "split_special_tokens": ({"split_special_tokens": True}, None, None, {}, False),
    "add_prefix_space": ({"add_prefix_space": True}, None, None, {}, True),
    "add_bos_token": ({"add_bos_token": True, "add_eos_token": True}, None, None, {}, True),
}  # fmt: skip

WORDS_CASES = {
    "as it is": ({}, None, None, True),
    "do_lower_case false": ({"do_lower_case": False}, None, None, True),
    "added_tokens.json": ({}, {}, {"[NEW]": 30522, "extra0": 30523}, True),
    "special_tokens_map.json": ({}, {"additional_special_tokens": ["<ent>", "</ent>"]}, None, True),
    "added_tokens_decoder": ({"added_tokens_decoder": {"30522": added("[NEW]")}}, None, None, True),
    "clean up": ({"clean_up_tokenization_spaces": True}, None, None, True),
    "another class": ({"tokenizer_class": "RobertaTokenizer"}, None, None, False),
}

LLAMA_CASES = {
    "Llama's class": ({"tokenizer_class": "LlamaTokenizer"}, None, True),
    "Llama's class, legacy": ({"tokenizer_class": "LlamaTokenizerFast", "legacy": True}, None, True),
    "Llama's class, no space": ({"tokenizer_class": "LlamaTokenizer", "add_prefix_space": False}, None, True),
    "Llama's class, added": ({"tokenizer_class": "LlamaTokenizer", "additional_special_tokens": ["<ent>"]}, None, True),
    "as it is": ({}, None, True),
    "bos and eos": ({"add_bos_token": False, "add_eos_token": True}, None, True),
    "Llama's class, no bos": ({"tokenizer_class": "LlamaTokenizer", "add_bos_token": False}, None, False),
    "added": ({"added_tokens_decoder": {"512": added("[NEW]"), "513": added("<ent>", normalized=True)}}, None, True),
    "added before": ({}, {"additional_special_tokens": ["<ent>"]}, True),
    "pad token": ({"pad_token": "<pad>"}, None, True),
    "clean up": ({"clean_up_tokenization_spaces": True}, None, True),
    "prefix space": ({"add_prefix_space": False}, None, False),
}

GPT2_CASES = {
    "plain": ({"tokenizer_class": "PreTrainedTokenizerFast"}, True),
    "its class": ({"tokenizer_class": "GPT2Tokenizer"}, True),
    "prefix space": ({"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}, True),
    "plain with prefix space": ({"tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": True}, False),
    "clean up": ({"tokenizer_class": "GPT2Tokenizer", "clean_up_tokenization_spaces": True}, True),
}


def write(folder: Path, name: str, content: dict | None) -> None:
    if content is not None:
        (folder / name).write_text(json.dumps(content), encoding="utf-8")


def merged(original: dict, changes: dict) -> dict:
    """A file with members replaced; `...` takes one away, and an object without a type changes
    members of one.
    """
    result = {key: value for key, value in {**original, **changes}.items() if value is not ...}
    for key, change in changes.items():
        if isinstance(change, dict) and isinstance(original.get(key), dict) and "type" not in change:
            result[key] = {**original[key], **change}
    return result


def assert_as_transformers(folder: Path, loads: bool) -> None:
    if not loads:
        with pytest.raises(graft.GraftError) as error:
            graft.Tokenizer(folder)
        assert "token" in str(error.value)
        return
    ours = graft.Tokenizer(folder)
    theirs = AutoTokenizer.from_pretrained(folder)
    theirs.backend_tokenizer.no_truncation()
    theirs.backend_tokenizer.no_padding()
    for text in TEXTS:
        expected = theirs(text)["input_ids"]
        assert ours.encode(text, maximum_length=1 << 20).ids == expected, text
        for skip in (True, False):
            decoded = ours.decode(expected, skip_special_tokens=skip)
            assert decoded == theirs.decode(expected, skip_special_tokens=skip), text


@pytest.mark.parametrize("case", BERT_CASES)
def test_settings_beside_a_tokenizer_file_of_bert(case, tmp_path):
    configuration, map_file, added_file, file, loads = BERT_CASES[case]
    shutil.copy(MINILM / "config.json", tmp_path)
    write(tmp_path, "tokenizer_config.json", merged(read_json(MINILM / "tokenizer_config.json"), configuration))
    write(tmp_path, "tokenizer.json", merged(read_json(MINILM / "tokenizer.json"), file))
    write(tmp_path, "special_tokens_map.json", map_file)
    write(tmp_path, "added_tokens.json", added_file)
    assert_as_transformers(tmp_path, loads)


@pytest.mark.parametrize("case", WORDS_CASES)
def test_settings_beside_a_vocabulary_file(case, tmp_path):
    configuration, map_file, added_file, loads = WORDS_CASES[case]
    shutil.copy(MINILM / "config.json", tmp_path)
    shutil.copy(MINILM / "vocab.txt", tmp_path)
    write(tmp_path, "tokenizer_config.json", merged(read_json(MINILM / "tokenizer_config.json"), configuration))
    write(tmp_path, "special_tokens_map.json", map_file)
    write(tmp_path, "added_tokens.json", added_file)
    assert_as_transformers(tmp_path, loads)


def test_a_vocabulary_file_alone(tmp_path):
    shutil.copy(MINILM / "vocab.txt", tmp_path)
    ours = graft.Tokenizer(tmp_path)
    shutil.copy(MINILM / "config.json", tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        assert ours.encode(text).ids == theirs(text)["input_ids"], text


@pytest.mark.parametrize("case", LLAMA_CASES)
def test_settings_beside_a_tokenizer_file_of_llama(case, tmp_path):
    configuration, map_file, loads = LLAMA_CASES[case]
    folder = SHARED / "models" / "stories260K" / "hf"
    shutil.copy(folder / "config.json", tmp_path)
    shutil.copy(folder / "tokenizer.json", tmp_path)
    write(tmp_path, "tokenizer_config.json", merged(read_json(folder / "tokenizer_config.json"), configuration))
    write(tmp_path, "special_tokens_map.json", map_file)
    assert_as_transformers(tmp_path, loads)


@pytest.mark.parametrize("case", GPT2_CASES)
def test_settings_beside_a_tokenizer_file_of_gpt2(case, tmp_path):
    configuration, loads = GPT2_CASES[case]
    shutil.copy(SHARED / "tokenizers" / "gpt2" / "tokenizer.json", tmp_path)
    write(tmp_path, "config.json", {"model_type": "gpt2"})
    write(tmp_path, "tokenizer_config.json", configuration)
    assert_as_transformers(tmp_path, loads)
