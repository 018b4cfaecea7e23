"""Small random language models of every architecture that Graft has, made of the configurations of
the goldens' tiny models.

Whatever is parametrized with `language_models` tries each of Graft's own list: an architecture
without a configuration is an error when the tests are collected.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)
from transformers.models.auto import modeling_auto

import graft
from conftest import GOLDENS

#: A language model's task in Graft, with its class in transformers and the names of that.
CLASSES = {
    "language_model": (AutoModelForCausalLM, modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
    "masked_language_model": (AutoModelForMaskedLM, modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES),
    "seq_2_seq_lm": (AutoModelForSeq2SeqLM, modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES),
}
ROWS = (AutoModelForSequenceClassification, modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES)

#: Tokens of the tiny models that no setting gives a meaning, but of those that end or start a text.
WORDS = range(8, 110)


class LanguageModel(NamedTuple):
    """A configuration among the goldens, and what its architecture is for."""

    architecture: str
    task: str
    folder: Path

    def __str__(self) -> str:
        return str(self.folder.relative_to(GOLDENS))

    def make(self, folder: Path, seed: int, kind: type | None = None, positions: int | None = None) -> Path:
        """Writes a model of that configuration with random weights and without dropout: of another
        class of transformers than its own if `kind` says so, with so many positions."""
        config = AutoConfig.from_pretrained(self.folder)
        for name in config.to_dict():
            if "drop" in name:
                setattr(config, name, 0.0)
        if positions is not None and hasattr(config, "max_position_embeddings"):
            config.max_position_embeddings = positions
        config.num_labels = 3
        model = (kind or CLASSES[self.task][0]).from_config(config, dtype=torch.float32)
        randomised(model, seed).save_pretrained(folder)
        return folder

    def load(self, folder: Path, kind: type | None = None) -> PreTrainedModel:
        """What was made, in float32."""
        own = kind or CLASSES[self.task][0]
        return own.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def randomised(model: PreTrainedModel, seed: int) -> PreTrainedModel:
    """Weights wide enough that attention is far from uniform. Tables are narrow and norms are of
    either sign, or each token would follow itself where they are also the head; and queries of T5
    are narrow, which scales no scores."""
    generator = torch.Generator().manual_seed(seed)
    narrow = {id(module.weight): 0.04 for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    narrow |= {id(weight): 0.12 for name, weight in model.named_parameters() if name.endswith(".q.weight")}
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.requires_grad:  # Marian's positions
                continue
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                parameter.mul_(noise.sign()).add_(0.1 * noise)
            else:
                parameter.copy_(noise * narrow.get(id(parameter), 0.25))
    return model.eval()


def settings(folder: Path) -> str:
    """What tells two configurations apart, beside the class that holds them."""
    passed_over = ("_name_or_path", "architectures", "dtype", "transformers_version", "id2label", "label2id")
    config = AutoConfig.from_pretrained(folder).to_dict()
    return json.dumps({key: value for key, value in config.items() if key not in passed_over}, sort_keys=True)


def language_models(*tasks: str) -> list[LanguageModel]:
    """Those that are for one of the tasks, without two of the same settings."""
    found: dict[str, LanguageModel] = {}
    named: dict[str, str] = {}
    configs = {path.parent: json.loads(path.read_text()) for path in sorted(GOLDENS.glob("*/*/config.json"))}
    for config in configs.values():
        for task, (_, names) in CLASSES.items():
            if names.get(config["model_type"]) == config["architectures"][0]:
                named[config["model_type"]] = task
    missing = set(graft.architectures()) - set(named)
    assert not missing, f"Tests/Goldens has no language model of {', '.join(sorted(missing))}"
    for folder, config in configs.items():
        architecture = config["model_type"]
        # Heads of other tasks have the settings of these, and some more.
        own = config["architectures"][0]
        is_bare = own.endswith("Model") and not own.endswith("EncoderModel")
        if architecture not in graft.architectures() or named[architecture] not in tasks:
            continue
        names = CLASSES[named[architecture]][1]
        if is_bare or names[architecture] == own:
            found.setdefault(settings(folder), LanguageModel(architecture, named[architecture], folder))
    return list(found.values())
