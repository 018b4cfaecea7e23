"""question-answering: a small random model of each architecture's question answering class, and the
two numbers that it has of each token."""

import copy
import json

import torch
from transformers import AutoConfig, AutoModelForQuestionAnswering

from . import tiny_bert, tiny_models
from .files import ROOT, deviation, fresh_folder, packed, write_tensors
from .tiny_models import randomise

NAMES = [
    "bert", "distilbert", "gpt2", "llama", "mistral", "qwen2", "qwen3", "roberta", "smollm3", "xlm-roberta", "electra",
    "albert", "mpnet", "modernbert", "gpt-neox", "deberta-v2",
]  # fmt: skip


def logits(model: torch.nn.Module, rows: dict) -> torch.Tensor:
    """[tokens, 2]."""
    with torch.no_grad():
        kind = tiny_bert if "token_type_ids" in rows else tiny_models
        results = [model(**row) for row in kind.batches_of_one(rows)]
    return packed([torch.stack([result.start_logits, result.end_logits], -1) for result in results])


def make() -> None:
    top = fresh_folder("question-answering")
    for seed, name in enumerate(NAMES):
        config = AutoConfig.from_pretrained(ROOT / f"{name}-tiny" / "token-classification")
        config.id2label = {0: "LABEL_0", 1: "LABEL_1"}
        config._attn_implementation = "eager"
        model = randomise(AutoModelForQuestionAnswering.from_config(config), seed)
        model.save_pretrained(top / f"{name}-tiny")
        rows = json.loads((ROOT / f"{name}-tiny" / "inputs.json").read_text())
        double = logits(copy.deepcopy(model).double(), rows)
        distance = deviation({"": double}, {"": logits(model, rows)})
        write_tensors(
            top / f"{name}-tiny" / "expected.safetensors", {"logits": double}, torch_float32_deviation=distance
        )
