"""adalora-training: ten steps of PEFT's AdaLoRA through all of its phases: as llama-training, with
the penalty in the losses and norms, the ranks that are kept after each step, and the folder that
PEFT saves at the end.
"""

import json
from types import SimpleNamespace

import torch
from peft import AdaLoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict

from . import lora_training, tiny_bert
from .actions_training import BERT, CLASSIFICATION, GPT2, LLAMA
from .files import ROOT, fresh_folder, write_both, write_json, write_tensors
from .llama_training import Variant, base, batches, loss_of
from .lora import randomise_trainable, results, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, make_optimizer, saved_names, without_gradient

SCHEDULE = dict(total_step=10, tinit=2, tfinal=3)

VARIANTS = [
    (
        BERT,
        Variant(
            "bert",
            "Ranks are pruned after steps 3 to 7, every bias learns.",
            dict(init_r=4, target_r=2, bias="all", target_modules=["query", "value", "dense"], **SCHEDULE),
            **CLASSIFICATION,
        ),
    ),
    (
        BERT,
        Variant(
            "bert-interval",
            "Ranks are pruned every two steps and may come back between; the last prunes whole modules.",
            dict(init_r=3, target_r=1, deltaT=2, beta1=0.5, beta2=0.7, target_modules=["query", "key", "value"], **SCHEDULE),
            **CLASSIFICATION,
        ),
    ),
    (
        LLAMA,
        Variant(
            "llama",
            "PEFT's defaults but for the schedule, and a strong penalty.",
            dict(orth_reg_weight=2.0, **SCHEDULE),
            base="everything",
        ),
    ),
    (
        GPT2,
        Variant(
            "gpt2",
            "Transposed modules, no steps at either end, no penalty.",
            dict(init_r=4, target_r=1, orth_reg_weight=0.0, total_step=10, target_modules=["c_attn", "c_proj"], fan_in_fan_out=True),
        ),
    ),
]


def penalty(model: PeftModel, batch: dict, task: str) -> torch.Tensor:
    """What PEFT's model adds to a loss."""
    row = torch.tensor([batch["input_ids"][0]])
    labels = torch.tensor(batch["labels"][:1]) if task == "SEQ_CLS" else row
    return model(input_ids=row, labels=labels).loss - model.base_model.model(input_ids=row, labels=labels).loss


def whole_state(model: PeftModel) -> dict:
    """The adapter's tensors with what is pruned, under their names in files."""
    config = model.peft_config["default"]
    pattern, config.rank_pattern = config.rank_pattern, None
    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    config.rank_pattern = pattern
    return state


def kept_ranks(model: PeftModel) -> dict:
    """By module, the ranks whose singular values are not zero."""
    state = whole_state(model)
    return {name: (tensor != 0).view(-1).tolist() for name, tensor in state.items() if "lora_E" in name}


def train(variant: Variant, family: SimpleNamespace, folder, dtype: torch.dtype) -> dict:
    model = PeftModel.from_pretrained(base(variant, family), folder, is_trainable=True).to(dtype).train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(OPTIMIZER, parameters)
    steps, gradients = [], {}
    for number, batch in enumerate(lora_training.batches() if family.NAME == "bert-tiny" else batches(), 1):
        optimizer.zero_grad()
        loss = loss_of(model, batch, variant.task)
        loss.backward()
        if not gradients:
            named = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
            gradients = saved_names(model, named)
        added = penalty(model, batch, variant.task)
        if added.requires_grad:
            added.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, MAXIMUM_NORM)
        optimizer.step()
        model.base_model.update_and_allocate(number)
        steps.append(
            {"loss": loss.item() + added.item(), "gradient_norm": norm.item(), "kept_ranks": kept_ranks(model)}
        )
    return {"steps": steps, "gradients": gradients, "final": whole_state(model), "model": model}


def make_variant(variant: Variant, seed: int, family: SimpleNamespace) -> dict:
    folder = ROOT / "adalora-training" / variant.name
    model = get_peft_model(base(variant, family), AdaLoraConfig(task_type=variant.task, **variant.lora))
    randomise_trainable(model, seed, scale=0.1)
    save_adapter(model, folder / "start")
    double = train(variant, family, folder / "start", torch.float64)
    single = train(variant, family, folder / "start", torch.float32)
    for step, other in zip(double["steps"], single["steps"], strict=True):
        assert step["kept_ranks"] == other["kept_ranks"], f"{variant.name}: ranks are too near to one another"
    save_adapter(single["model"], folder / "end")
    if family is BERT:
        rows = tiny_bert.inputs()
        logits = results(PeftModel.from_pretrained(base(variant, family), folder / "end"), rows)
        write_tensors(folder / "end" / "expected.safetensors", {"logits": logits})
    still = without_gradient(double["gradients"])
    write_both(folder, double, single, still)
    pattern = json.loads((folder / "end" / "adapter_config.json").read_text())["rank_pattern"]
    counts = sorted(sum(kept) for kept in pattern.values())
    print(f"  {variant.name}: ranks {counts}")
    return {
        "name": variant.name,
        "about": variant.about,
        "base": f"{family.NAME}/{variant.base}",
        "batches": family.batches,
        "task": variant.task,
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": still,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("adalora-training")
    write_json(top / "variants.json", [make_variant(v, 700 + i, family) for i, (family, v) in enumerate(VARIANTS)])
