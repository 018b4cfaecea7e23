"""seq2seq-token-heads: small random encoder-decoders that answer questions, encoders of T5 alone,
what they compute, and ten training steps of PEFT.
"""

import copy
import random
from dataclasses import dataclass
from functools import partial

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    BartForQuestionAnswering,
    MBartForQuestionAnswering,
    MT5ForQuestionAnswering,
    MT5ForTokenClassification,
    T5EncoderModel,
    T5ForQuestionAnswering,
    T5ForTokenClassification,
)

from .files import ROOT, deviation, fresh_folder, packed, write_both, write_json, write_tensors
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, trained, without_gradient
from .seq2seq_heads import row
from .task_training import Variant, batches, loss_of
from .tiny_llama import LABELS
from .tiny_models import load_model
from .tiny_seq2seq import SIZES, T5_SIZES, TOKENS, randomise

NAME = "seq2seq-token-heads"
SMOOTH, GATED = (dict(T5_SIZES, feed_forward_proj=name) for name in ("gelu", "gated-gelu"))
CASES = [
    ("bart-answers", BartForQuestionAnswering, dict(SIZES, **TOKENS, decoder_start_token_id=2), 11),
    ("mbart-answers", MBartForQuestionAnswering, dict(SIZES, **TOKENS, scale_embedding=True), 2),
    ("t5-answers", T5ForQuestionAnswering, SMOOTH, 3),
    ("mt5-answers", MT5ForQuestionAnswering, GATED, 4),
    ("t5-tokens", T5ForTokenClassification, dict(SMOOTH, id2label=LABELS), 5),
    ("mt5-tokens", MT5ForTokenClassification, dict(GATED, id2label=dict(enumerate("ABCDE"))), 6),
    ("t5-encoder", T5EncoderModel, SMOOTH, 7),
]


@dataclass(frozen=True)
class HeadVariant(Variant):
    modules: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.architecture + "-training"

    @property
    def base(self) -> str:
        return f"{NAME}/{self.architecture}"


ANSWERS = dict(peft_task="QUESTION_ANS", labels=2)
VARIANTS = [
    HeadVariant("bart-answers", "question_answering", "Both stacks.", modules=("q_proj", "fc2"), **ANSWERS),
    HeadVariant("mbart-answers", "question_answering", "Rows that begin with their end.", modules=("k_proj", "v_proj"), **ANSWERS),
    HeadVariant("mt5-tokens", "token_classification", "An encoder alone.", "TOKEN_CLS", modules=("k", "wi_0")),
]  # fmt: skip


def outputs(model: torch.nn.Module, rows: list[list[int]]) -> dict:
    """Of each row alone: logits [tokens, labels], or of a bare model hidden states."""
    with torch.no_grad():
        results = [model(input_ids=torch.tensor([ids]), output_hidden_states=True) for ids in rows]
    if "start_logits" in results[0]:
        return {"logits": packed([torch.stack([result.start_logits, result.end_logits], -1) for result in results])}
    if "logits" in results[0]:
        return {"logits": packed([result.logits for result in results])}
    return {
        f"hidden_states.{layer}": packed([result.hidden_states[layer] for result in results])
        for layer in range(len(results[0].hidden_states))
    }


def base(variant: HeadVariant) -> torch.nn.Module:
    model = load_model(NAME, variant.architecture)
    model.name_or_path = variant.base
    return model


def make_variant(variant: HeadVariant, seed: int) -> dict:
    folder = ROOT / NAME / variant.name
    settings = dict(r=4, lora_alpha=8, target_modules=list(variant.modules))
    model = get_peft_model(base(variant), LoraConfig(task_type=variant.peft_task, **settings))
    randomise_trainable(model, seed)
    save_adapter(model, folder / "start")
    double, single = trained(partial(base, variant), folder / "start", batches(), partial(loss_of, variant))
    still = without_gradient(double["gradients"])
    write_both(folder, double, single, still)
    return {
        "name": variant.name,
        "about": variant.about,
        "base": variant.base,
        "task": variant.task,
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": still,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder(NAME)
    source = random.Random(23)
    rows = [row(source, longest) for longest in (7, 1, 12, 40, 3)] + [[5], [8, 9]]
    write_json(top / "inputs.json", {"input_ids": rows})
    for name, kind, settings, seed in CASES:
        randomise(kind(kind.config_class(**settings)), seed).save_pretrained(top / name)
        model = load_model(NAME, name)
        single, double = (outputs(own, rows) for own in (model, copy.deepcopy(model).double()))
        write_tensors(top / name / "expected.safetensors", double, torch_float32_deviation=deviation(double, single))
    write_json(top / "batches.json", batches())
    write_json(top / "variants.json", [make_variant(variant, seed) for variant, seed in zip(VARIANTS, (760, 762, 763))])
