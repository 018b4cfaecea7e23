"""seq2seq-training: ten training steps of PEFT on seq2seq-tiny: losses, first gradients, and the
adapter at the end.
"""

import random
from dataclasses import dataclass
from functools import partial

import torch
from peft import IA3Config, LoraConfig, get_peft_model

from . import tiny_seq2seq
from .files import ROOT, fresh_folder, write_both, write_json
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, STEPS, trained, without_gradient


@dataclass(frozen=True)
class Variant:
    name: str
    about: str
    settings: dict
    base: str = "marian"
    config: type = LoraConfig
    label_smoothing: float = 0.0


CROSS = r".*encoder_attn\.(k_proj|v_proj)"
VARIANTS = [
    Variant("all-linear", "Every product of both stacks.", dict(r=2, lora_alpha=4, target_modules="all-linear")),
    Variant("decoder", "What reads the encoder alone.", dict(r=4, lora_alpha=8, target_modules=CROSS)),
    Variant(
        "smoothed",
        "Label smoothing, norms in full, and the encoder's first layer.",
        dict(
            r=2,
            lora_alpha=4,
            target_modules=["encoder.layers.0.self_attn.q_proj"],
            modules_to_save=["encoder_attn_layer_norm", "encoder.layers.0.final_layer_norm"],
        ),
        label_smoothing=0.1,
    ),
    Variant("bart", "What PEFT adapts by itself.", dict(r=4, lora_alpha=8), base="bart"),
    Variant(
        "mbart",
        "Norms before; DoRA in cross-attention.",
        dict(r=2, lora_alpha=4, use_dora=True, target_modules=r".*(encoder_attn\.[qkv]_proj|fc1)"),
        base="mbart",
    ),
    Variant("ia3", "Keys, values and the feed-forward.", {}, base="bart", config=IA3Config),
    Variant("t5", "Every product, with a bias by distance.", dict(r=2, lora_alpha=4, target_modules="all-linear"), base="t5"),
    Variant(
        "t5-gated",
        "A gated feed-forward, and norms in full.",
        dict(r=2, target_modules=["wi_0", "wo"], modules_to_save=["final_layer_norm", "layer.1.layer_norm"]),
        base="t5-gated",
    ),
]


def batches() -> list[dict]:
    """Ten batches of four pairs of ragged rows; a third of the targets' tokens do not count."""
    source = random.Random(13)
    made = []
    for _ in range(STEPS):

        def row(longest: int) -> list[int]:
            return [source.randrange(3, tiny_seq2seq.SIZES["vocab_size"]) for _ in range(source.randint(1, longest))]

        sources, targets = [row(16) for _ in range(4)], [row(12) for _ in range(4)]
        labels = [[-100 if source.random() < 0.3 else token for token in target] for target in targets]
        for masked, target in zip(labels, targets, strict=True):
            masked[-1] = target[-1]
        made.append({"input_ids": sources, "target_ids": targets, "target_labels": labels})
    return made


def loss_of(model: torch.nn.Module, batch: dict, label_smoothing: float) -> torch.Tensor:
    """Of all rows together, each run alone: what a padded batch must equal."""
    logits = [
        model(input_ids=torch.tensor([source]), labels=torch.tensor([labels])).logits[0]
        for source, labels in zip(batch["input_ids"], batch["target_labels"], strict=True)
    ]
    labels = torch.tensor([label for row in batch["target_labels"] for label in row])
    return torch.nn.functional.cross_entropy(
        torch.cat(logits), labels, ignore_index=-100, label_smoothing=label_smoothing
    )


def base(variant: Variant) -> torch.nn.Module:
    model = tiny_seq2seq.load(variant.base)
    model.name_or_path = f"{tiny_seq2seq.NAME}/{variant.base}"
    return model


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / "seq2seq-training" / variant.name
    model = get_peft_model(base(variant), variant.config(task_type="SEQ_2_SEQ_LM", **variant.settings))
    randomise_trainable(model, seed, scale=0.1)
    save_adapter(model, folder / "start")
    double, single = trained(
        partial(base, variant), folder / "start", batches(),
        lambda model, batch: loss_of(model, batch, variant.label_smoothing),
    )  # fmt: skip
    still = without_gradient(double["gradients"])
    write_both(folder, double, single, still)
    return {
        "name": variant.name,
        "about": variant.about,
        "base": f"{tiny_seq2seq.NAME}/{variant.base}",
        "task": "SEQ_2_SEQ_LM",
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "label_smoothing": variant.label_smoothing,
        "without_gradient": still,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("seq2seq-training")
    write_json(top / "batches.json", batches())
    write_json(top / "variants.json", [make_variant(variant, 700 + i) for i, variant in enumerate(VARIANTS)])
