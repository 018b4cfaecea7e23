#!/usr/bin/env python3
"""Makes the golden files of this folder with the real torch, transformers and peft; see README.md.

    python Tests/Goldens/make_goldens.py [maker ...]

Needs the packages of Tests/Parity/requirements.txt. Without arguments, every maker runs.
"""

import os
import sys
import warnings

# PEFT writes sets as lists in hash order, so the order must be pinned before Python starts.
if os.environ.get("PYTHONHASHSEED") != "0":
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable, *sys.argv])
os.environ["HF_HUB_OFFLINE"] = "1"
warnings.filterwarnings("ignore")

import torch  # noqa: E402
import transformers  # noqa: E402

from makers import (  # noqa: E402
    generation,
    llama_training,
    lora,
    lora_refused,
    lora_training,
    minilm,
    optimizers,
    tiny_bert,
    tiny_llama,
)

# In order: later makers read what earlier ones wrote.
MAKERS = {
    "bert-tiny": tiny_bert.make,
    "lora": lora.make,
    "lora-refused": lora_refused.make,
    "lora-training": lora_training.make,
    "llama-tiny": tiny_llama.make,
    "llama-training": llama_training.make,
    "generation": generation.make,
    "optimizers": optimizers.make,
    "minilm": minilm.make,
}


def main() -> None:
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    names = sys.argv[1:] or list(MAKERS)
    if unknown := [name for name in names if name not in MAKERS]:
        sys.exit(f"no such maker: {', '.join(unknown)}; there are {', '.join(MAKERS)}")
    for name in names:
        torch.manual_seed(0)
        MAKERS[name]()
        print("made", name)


main()
