"""masked-language: a small random model of each masked language class, what it fills masks with,
and ten training steps of PEFT."""

import copy
import random
from dataclasses import dataclass
from functools import partial

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForMaskedLM

from .files import ROOT, deviation, fresh_folder, write_both, write_json, write_tensors
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, STEPS, trained, without_gradient
from .task_training import VOCABULARY, padded
from .tiny_models import randomise, without_dropout

MASK, BEST = 4, 3
#: Folders, and the architecture and the changes to its configuration that each is made of.
BASES = {
    "bert-tiny": ("bert", {}),
    "bert-untied-tiny": ("bert", {"tie_word_embeddings": False}),
    "distilbert-tiny": ("distilbert", {}),
    "roberta-tiny": ("roberta", {}),
    "xlm-roberta-tiny": ("xlm-roberta", {}),
    "electra-tiny": ("electra", {}),
    "albert-tiny": ("albert", {}),
    "mpnet-tiny": ("mpnet", {}),
    "deberta-v2-tiny": ("deberta-v2", {}),
    "nomic-bert-tiny": ("nomic-bert", {}),
    "modernbert-tiny": ("modernbert", {}),
    "modernbert-biased-tiny": ("modernbert", {"classifier_bias": True, "norm_bias": True, "decoder_bias": False}),
    "deberta-v2-newer-tiny": ("deberta-v2", {"legacy": False}),
}


@dataclass(frozen=True)
class Variant:
    base: str
    modules: tuple
    about: str

    @property
    def name(self) -> str:
        return "-".join([self.base.removesuffix("-tiny"), *self.modules]).replace("_", "-")


VARIANTS = [
    Variant("bert-tiny", ("query", "value"), "Below the head."),
    Variant("bert-tiny", ("dense",), "The head's dense layer as well."),
    Variant("bert-untied-tiny", ("value", "decoder"), "A matrix of the logits that is no embedding."),
    Variant("distilbert-tiny", ("q_lin", "v_lin"), "A head of modules of its own."),
    Variant("albert-tiny", ("query", "dense"), "Tables narrower than the layers."),
    Variant("roberta-tiny", ("query", "value"), "A head whose function is gelu."),
    Variant("modernbert-tiny", ("Wqkv", "dense", "decoder"), "A dense layer and a norm that other heads read, too."),
    Variant("deberta-v2-newer-tiny", ("query_proj", "dense"), "A head that multiplies by the embeddings themselves."),
]


def batches() -> list[dict]:
    """Ten batches of four ragged rows, of which some tokens are masked or others, and have
    labels."""
    source = random.Random(17)
    made = []
    for _ in range(STEPS):
        ids = [[source.randrange(5, VOCABULARY) for _ in range(source.randint(2, 16))] for _ in range(4)]
        labels = [[-100] * len(row) for row in ids]
        for row, own in zip(ids, labels, strict=True):
            for place in range(len(row)):
                if source.random() < 0.3:
                    own[place] = row[place]
                    row[place] = MASK if source.random() < 0.8 else source.randrange(5, VOCABULARY)
        ids[0][0], labels[0][0] = MASK, source.randrange(5, VOCABULARY)
        made.append({"input_ids": ids, "token_labels": labels})
    return made


def made_base(name: str, seed: int) -> torch.nn.Module:
    architecture, changes = BASES[name]
    config = AutoConfig.from_pretrained(ROOT / f"{architecture}-tiny" / "token-classification")
    for key, value in changes.items():
        setattr(config, key, value)
    config.pad_token_id = 1 if architecture in ("roberta", "xlm-roberta", "mpnet") else 0
    config._attn_implementation = "eager"
    return randomise(AutoModelForMaskedLM.from_config(config), seed)


def filled(model: torch.nn.Module) -> dict:
    """The likeliest tokens of each mask of the first batch, each row alone."""
    shares = []
    with torch.no_grad():
        for row in batches()[0]["input_ids"]:
            logits = model(input_ids=torch.tensor([row])).logits[0]
            shares += [logits[place].softmax(-1) for place, token in enumerate(row) if token == MASK]
    best = torch.stack(shares).topk(BEST)
    return {"tokens": best.indices.to(torch.int32), "probabilities": best.values}


def make_base(name: str, seed: int) -> None:
    model = made_base(name, seed)
    folder = ROOT / "masked-language" / name
    model.save_pretrained(folder)
    double, single = filled(copy.deepcopy(model).double()), filled(model)
    assert torch.equal(double["tokens"], single["tokens"])
    distance = deviation({"": double["probabilities"]}, {"": single["probabilities"]})
    write_tensors(folder / "expected.safetensors", double, torch_float32_deviation=distance)


def base(variant: Variant) -> torch.nn.Module:
    path = f"masked-language/{variant.base}"
    model = AutoModelForMaskedLM.from_pretrained(ROOT / path, attn_implementation="eager")
    model.name_or_path = path
    return without_dropout(model)


def loss_alone(model: torch.nn.Module, batch: dict) -> torch.Tensor:
    """Of each row alone: in float64 a window leaves what pads nothing to see, and torch's gradient
    of that is no number."""
    logits = [model(input_ids=torch.tensor([row])).logits[0] for row in batch["input_ids"]]
    labels = torch.tensor([label for row in batch["token_labels"] for label in row])
    return torch.nn.functional.cross_entropy(torch.cat(logits), labels, ignore_index=-100)


def loss_of(model: torch.nn.Module, batch: dict) -> torch.Tensor:
    if model.config.model_type == "modernbert":
        return loss_alone(model, batch)
    padding = model.config.pad_token_id
    labels = padded(batch["token_labels"], -100)
    output = model(
        input_ids=padded(batch["input_ids"], padding),
        attention_mask=padded([[1] * len(row) for row in batch["input_ids"]], 0),
        labels=labels,
    )
    loss = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
    assert abs(loss.item() - output.loss.item()) < 1e-5, "transformers has another loss"
    return loss


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / "masked-language" / variant.name
    model = get_peft_model(base(variant), LoraConfig(r=4, lora_alpha=8, target_modules=list(variant.modules)))
    randomise_trainable(model, seed)
    save_adapter(model, folder / "start")
    double, single = trained(partial(base, variant), folder / "start", batches(), loss_of)
    distance = write_both(folder, double, single)
    return {
        "name": variant.name,
        "about": variant.about,
        "base": f"masked-language/{variant.base}",
        "task": "masked_language_model",
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": without_gradient(double["gradients"]),
        "torch_float32_loss_deviation": distance,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("masked-language")
    write_json(top / "batches.json", batches())
    for seed, name in enumerate(BASES):
        make_base(name, 40 + seed)
    write_json(top / "variants.json", [make_variant(variant, 800 + i) for i, variant in enumerate(VARIANTS)])
