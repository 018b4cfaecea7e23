#!/usr/bin/env python3
"""Makes the golden files of this folder with the real torch, transformers, peft and adapters; see
README.md.

    python Tests/Goldens/make_goldens.py [maker ...]

Needs the packages of Tests/Parity/requirements.txt. Without arguments, every maker runs but
`bottleneck` and `composition`, which need those of Tests/Parity/requirements-adapters.txt.
"""

import importlib
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

# In order: later makers read what earlier ones wrote.
MAKERS = {
    "bert-tiny": "tiny_bert",
    "lora": "lora",
    "lora-refused": "lora_refused",
    "lora-training": "lora_training",
    "pooled-head": "pooled_head",
    "llama-tiny": "tiny_llama",
    "llama-training": "llama_training",
    "gpt2-tiny": "tiny_gpt2",
    "gpt2-training": "gpt2_training",
    "mistral-tiny": "tiny_mistral",
    "mistral-training": "mistral_training",
    "qwen2-tiny": "tiny_qwen2",
    "qwen3-tiny": "tiny_qwen3",
    "qwen-training": "qwen_training",
    "smollm3-tiny": "tiny_smollm3",
    "gemma-tiny": "tiny_gemma",
    "gemma2-tiny": "tiny_gemma2",
    "gemma3-tiny": "tiny_gemma3",
    "gemma-training": "gemma_training",
    "phi3-tiny": "tiny_phi3",
    "olmo2-tiny": "tiny_olmo2",
    "gpt-neox-tiny": "tiny_gpt_neox",
    "decoder-training": "decoder_training",
    "roberta-tiny": "tiny_roberta",
    "xlm-roberta-tiny": "tiny_xlm_roberta",
    "roberta-training": "roberta_training",
    "seq2seq-tiny": "tiny_seq2seq",
    "seq2seq-training": "seq2seq_training",
    "seq2seq-heads": "seq2seq_heads",
    "seq2seq-token-heads": "seq2seq_token_heads",
    "marian-enpt": "marian_enpt",
    "distilbert-tiny": "tiny_distilbert",
    "distilbert-training": "distilbert_training",
    "electra-tiny": "tiny_electra",
    "electra-training": "electra_training",
    "albert-tiny": "tiny_albert",
    "albert-training": "albert_training",
    "mpnet-tiny": "tiny_mpnet",
    "mpnet-training": "mpnet_training",
    "modernbert-tiny": "tiny_modernbert",
    "modernbert-training": "modernbert_training",
    "deberta-v2-tiny": "tiny_deberta_v2",
    "deberta-training": "deberta_training",
    "nomic-bert-tiny": "tiny_nomic_bert",
    "nomic-bert-training": "nomic_bert_training",
    "question-answering": "question_answering",
    "masked-language": "masked_language",
    "task-training": "task_training",
    "embedding-training": "embedding_training",
    "group-training": "group_training",
    "preference-training": "preference_training",
    "prompt-learning": "prompt_learning",
    "adversarial": "adversarial",
    "actions-training": "actions_training",
    "adalora-training": "adalora_training",
    "gguf-blocks": "gguf_blocks",
    "gguf-tiny": "gguf_tiny",
    "gguf-lora": "gguf_lora",
    "generation": "generation",
    "greedy": "greedy",
    "measures": "measures",
    "chat-templates": "chat_templates",
    "optimizers": "optimizers",
    "minilm": "minilm",
    "sentencepiece": "sentence_pieces",
}
# Those that need AdapterHub's packages instead, and run only when they are named.
ADAPTERHUB_MAKERS = {"bottleneck": "bottleneck", "composition": "composition"}


def main() -> None:
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    names = sys.argv[1:] or list(MAKERS)
    known = MAKERS | ADAPTERHUB_MAKERS
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"no such maker: {', '.join(unknown)}; there are {', '.join(known)}")
    for name in names:
        torch.manual_seed(0)
        importlib.import_module(f"makers.{known[name]}").make()
        print("made", name)


main()
