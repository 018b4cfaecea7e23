"""bottleneck: bottleneck adapters as AdapterHub's `adapters` makes, applies and trains them.

Needs the packages of Tests/Parity/requirements-adapters.txt: `adapters` pins another transformers
than PEFT's goldens.
"""

import json
from dataclasses import dataclass, field

import adapters
import torch
from adapters import AutoAdapterModel, BnConfig, DoubleSeqBnConfig, ParBnConfig, SeqBnConfig
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

from .files import ROOT, deviation, fresh_folder, packed, write_both, write_json, write_tensors
from .tiny_models import without_dropout

NAME = "golden"
OPTIMIZER = dict(name="adamw", learning_rate=1e-3, weight_decay=0.01)
MAXIMUM_NORM = 1.0
BASES = {
    "bert": "bert-tiny/config-v4",
    "llama": "llama-tiny/plain-v4",
    "roberta": "roberta-tiny/base",
    "albert": "albert-tiny/groups",
    "electra": "electra-tiny/base",
}


@dataclass(frozen=True)
class Case:
    name: str
    about: str
    config: BnConfig
    head: dict = field(default_factory=dict)
    architecture: str = "bert"
    task: str = "SEQ_CLS"


CASES = [
    Case("seq-bn", "Pfeiffer: after feed-forward, reads the norm of the sum.", SeqBnConfig(reduction_factor=4)),
    Case("double-seq-bn", "Houlsby: both sub-layers, reads their outputs.", DoubleSeqBnConfig(reduction_factor=8)),
    Case("par-bn", "Parallel: reads the residual, scaled.", ParBnConfig(reduction_factor=4)),
    Case(
        "default-width",
        "The usual reduction factor, and a head of one layer.",
        SeqBnConfig(),
        dict(layers=1),
    ),
    Case(
        "residual-after-norm",
        "The bottleneck's result is added to the norm it read.",
        SeqBnConfig(mh_adapter=True, reduction_factor=8, residual_before_ln=False, non_linearity="gelu"),
        dict(activation_function="relu"),
    ),
    Case(
        "post-add",
        "The bottleneck's result is added to the sum.",
        SeqBnConfig(mh_adapter=True, reduction_factor=8, residual_before_ln="post_add", non_linearity="gelu_new"),
        dict(use_pooler=True, layers=1),
    ),
    Case(
        "leave-out",
        "One layer has none.",
        DoubleSeqBnConfig(reduction_factor=8, leave_out=[0], non_linearity="tanh"),
        dict(layers=3),
    ),
    Case(
        "by-layer",
        "A width for each layer, wider than the model in one.",
        SeqBnConfig(reduction_factor={"0": 0.5, "default": 12}, scaling=0.5),
        dict(activation_function=None),
    ),
    Case("llama-seq-bn", "Before norms: reads the sum.", SeqBnConfig(reduction_factor=4), architecture="llama"),
    Case(
        "llama-double-seq-bn", "Both sub-layers.", DoubleSeqBnConfig(reduction_factor=8), dict(layers=1), "llama"
    ),
    Case("llama-par-bn", "Parallel.", ParBnConfig(mh_adapter=True, reduction_factor=8), {}, "llama"),
    Case(
        "llama-residual-after-add",
        "The bottleneck's result is added to the sum it read.",
        SeqBnConfig(mh_adapter=True, reduction_factor=8, residual_before_ln=False, non_linearity="silu"),
        {},
        "llama",
    ),
    Case("llama-language", "A language model.", DoubleSeqBnConfig(reduction_factor=8), {}, "llama", "CAUSAL_LM"),
    Case("roberta-seq-bn", "Positions past what pads.", SeqBnConfig(reduction_factor=4), architecture="roberta"),
    Case(
        "albert-double-seq-bn",
        "Each acts in all layers of its group; a width for each of the layers that share nothing.",
        DoubleSeqBnConfig(reduction_factor={"2": 4, "default": 8}, leave_out=[1]),
        dict(use_pooler=True, layers=1),
        "albert",
    ),
    Case("electra-seq-bn", "Narrow tables.", SeqBnConfig(reduction_factor=4), architecture="electra"),
]


def batches(case: Case) -> str:
    """The folder that has them."""
    return "lora-training" if case.architecture == "bert" else "llama-training"


def base(case: Case) -> torch.nn.Module:
    path = ROOT / BASES[case.architecture]
    if case.task == "CAUSAL_LM":
        model = LlamaForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager")
        adapters.init(model)
    else:
        model = AutoAdapterModel.from_pretrained(path, dtype=torch.float32, attn_implementation="eager")
    model.config._name_or_path = BASES[case.architecture]
    for module in without_dropout(model).modules():
        if isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = 0.0
    return model


def randomise(model: torch.nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if f"adapters.{NAME}." in name or name.startswith("heads."):
            with torch.no_grad():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)


def make_folder(case: Case, folder, seed: int) -> None:
    """The adapter, random and with its head, as `adapters` saves it."""
    model = base(case)
    model.add_adapter(NAME, config=case.config)
    if case.task == "SEQ_CLS":
        labels = {index: label for index, label in enumerate(["red", "green", "blue"])}
        model.add_classification_head(NAME, num_labels=3, id2label=labels, **case.head)
    randomise(model, seed)
    folder.mkdir(parents=True)
    model.save_adapter(folder, NAME, with_head=case.task == "SEQ_CLS", use_safetensors=True)


def load(case: Case, folder, dtype: torch.dtype) -> torch.nn.Module:
    model = base(case)
    model.load_adapter(str(folder), use_safetensors=True, set_active=True)
    model.train_adapter(NAME)
    return without_dropout(model).to(dtype)


def rows_of(batch: dict):
    """Keyword arguments for each row alone: without padding, no mask is needed."""
    for index, ids in enumerate(batch["input_ids"]):
        row = {"input_ids": torch.tensor([ids])}
        if "token_type_ids" in batch:
            row["token_type_ids"] = torch.tensor([batch["token_type_ids"][index]])
        yield row


def loss_of(case: Case, model: torch.nn.Module, batch: dict) -> torch.Tensor:
    logits = [model(**row).logits for row in rows_of(batch)]
    if case.task == "SEQ_CLS":
        return torch.nn.functional.cross_entropy(torch.cat(logits), torch.tensor(batch["labels"]))
    targets = torch.tensor([token for row in batch["token_labels"] for token in row[1:]])
    predictions = torch.cat([row[0, :-1] for row in logits])
    return torch.nn.functional.cross_entropy(predictions, targets, ignore_index=-100)


def evaluate(case: Case, folder, dtype: torch.dtype) -> dict:
    model = load(case, folder, dtype).eval()
    rows = json.loads((ROOT / BASES[case.architecture]).parent.joinpath("inputs.json").read_text())
    with torch.no_grad():
        made = [model(**row, output_hidden_states=True) for row in rows_of(rows)]
    hidden = packed([row.hidden_states[-1] for row in made])
    return {"last_hidden_state": hidden, "logits": packed([row.logits for row in made])}


def train(case: Case, folder, dtype: torch.dtype) -> dict:
    model = load(case, folder, dtype).train()
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    settings = dict(OPTIMIZER)
    settings.pop("name")
    optimizer = torch.optim.AdamW(trained.values(), lr=settings.pop("learning_rate"), **settings)
    steps, gradients = [], {}
    for batch in json.loads((ROOT / batches(case) / "batches.json").read_text()):
        optimizer.zero_grad()
        loss = loss_of(case, model, batch)
        loss.backward()
        gradients = gradients or {name: parameter.grad.clone() for name, parameter in trained.items()}
        norm = torch.nn.utils.clip_grad_norm_(trained.values(), MAXIMUM_NORM)
        steps.append({"loss": loss.item(), "gradient_norm": norm.item()})
        optimizer.step()
    return {"steps": steps, "gradients": gradients, "final": {name: p.detach() for name, p in trained.items()}}


def make_case(case: Case, seed: int) -> dict:
    folder = ROOT / "bottleneck" / case.name
    make_folder(case, folder / "start", seed)
    expected = evaluate(case, folder / "start", torch.float64)
    distance = deviation(expected, evaluate(case, folder / "start", torch.float32))
    write_tensors(folder / "expected.safetensors", expected, torch_float32_deviation=distance)

    double = train(case, folder / "start", torch.float64)
    single = train(case, folder / "start", torch.float32)
    saved = {}
    for file in (folder / "start").glob("*.safetensors"):
        saved.update(load_file(file))
    assert set(saved) == set(double["gradients"]), "what is trained is what is saved"
    distance = write_both(folder, double, single)
    return {
        "name": case.name,
        "about": case.about,
        "base": BASES[case.architecture],
        "batches": batches(case),
        "task": case.task,
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": [],
        "torch_float32_loss_deviation": distance,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("bottleneck")
    write_json(top / "variants.json", [make_case(case, 400 + index) for index, case in enumerate(CASES)])
