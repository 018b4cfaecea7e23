"""prompt-learning: PEFT's prefix-tuning and prompt tuning on every architecture: results, ten
steps, and texts.
"""

import copy
from dataclasses import dataclass, field
from types import ModuleType

import torch
from peft import PeftModel, PrefixTuningConfig, PromptTuningConfig, get_peft_model

from . import (
    llama_training,
    lora_training,
    seq2seq_training,
    tiny_bert,
    tiny_gpt2,
    tiny_llama,
    tiny_mistral,
    tiny_roberta,
    tiny_seq2seq,
)
from .files import ROOT, fresh_folder, packed, write_both, write_json, write_tensors
from .lora import randomise_trainable, save_adapter
from .lora_training import MAXIMUM_NORM, OPTIMIZER, make_optimizer, without_gradient

NEW_TOKENS = 12
CONFIGS = {"prefix": PrefixTuningConfig, "prompt": PromptTuningConfig}


@dataclass(frozen=True)
class Variant:
    name: str
    about: str
    method: str
    family: ModuleType
    base: str
    task: str
    settings: dict = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"{'bert-tiny' if self.family is tiny_bert else self.family.NAME}/{self.base}"

    @property
    def count(self) -> int:
        return self.settings["num_virtual_tokens"]


def three(**others) -> dict:
    return dict(num_virtual_tokens=3, **others)


VARIANTS = [
    Variant("prefix-bert", "The plain case.", "prefix", tiny_bert, "sequence-classification", "SEQ_CLS", three()),
    Variant("prefix-bert-bare", "No head.", "prefix", tiny_bert, "base", "FEATURE_EXTRACTION", three()),
    Variant(
        "prefix-bert-projected",
        "Made by two layers, and the pooler in full.",
        "prefix",
        tiny_bert,
        "sequence-classification",
        "SEQ_CLS",
        dict(num_virtual_tokens=5, prefix_projection=True, encoder_hidden_size=7, modules_to_save=["pooler"]),
    ),
    Variant("prefix-llama", "Grouped keys.", "prefix", tiny_llama, "plain", "CAUSAL_LM", three()),
    Variant(
        "prefix-llama-projected",
        "Grouped keys of another width than the model's, scaled positions, made by two layers.",
        "prefix",
        tiny_llama,
        "everything",
        "CAUSAL_LM",
        dict(num_virtual_tokens=2, prefix_projection=True),
    ),
    Variant(
        "prefix-llama-head", "A head.", "prefix", tiny_llama, "sequence-classification", "SEQ_CLS",
        dict(num_virtual_tokens=1),
    ),
    Variant("prefix-gpt2", "Learned positions.", "prefix", tiny_gpt2, "plain", "CAUSAL_LM", three()),
    Variant("prefix-gpt2-head", "A head.", "prefix", tiny_gpt2, "sequence-classification", "SEQ_CLS", three()),
    Variant(
        "prompt-bert", "The first virtual token stands for its row.", "prompt", tiny_bert, "sequence-classification",
        "SEQ_CLS", three(),
    ),
    Variant("prompt-bert-bare", "No head.", "prompt", tiny_bert, "base", "FEATURE_EXTRACTION", three()),
    Variant("prompt-llama", "The last one predicts.", "prompt", tiny_llama, "everything", "CAUSAL_LM", three()),
    Variant(
        "prompt-llama-head", "The last token stands for its row, and none pads.", "prompt", tiny_llama,
        "sequence-classification", "SEQ_CLS", three(),
    ),
    Variant(
        "prompt-gpt2", "Learned positions.", "prompt", tiny_gpt2, "plain", "CAUSAL_LM", dict(num_virtual_tokens=4)
    ),
    Variant("prefix-mistral", "A window that keys leave.", "prefix", tiny_mistral, "plain", "CAUSAL_LM", three()),
    Variant("prompt-mistral", "A window that tokens leave.", "prompt", tiny_mistral, "plain", "CAUSAL_LM", three()),
    Variant(
        "prefix-roberta", "Positions past what pads.", "prefix", tiny_roberta, "sequence-classification", "SEQ_CLS", three()
    ),
    Variant("prefix-roberta-bare", "No head.", "prefix", tiny_roberta, "masked-lm", "FEATURE_EXTRACTION", three()),
    Variant(
        "prompt-roberta", "Where tokens are embeddings none pads.", "prompt", tiny_roberta, "sequence-classification",
        "SEQ_CLS", three(),
    ),
    Variant("prefix-bart", "Keys of the decoder, dealt out.", "prefix", tiny_seq2seq, "bart-even", "SEQ_2_SEQ_LM", three()),
    Variant(
        "prefix-t5", "A bias by distance; heads of another width, and fewer layers that write.", "prefix", tiny_seq2seq,
        "t5", "SEQ_2_SEQ_LM", dict(num_virtual_tokens=2, token_dim=24),
    ),
]  # fmt: skip


def batches_of(variant: Variant) -> tuple[str, list[dict]]:
    if variant.family is tiny_bert:
        return "lora-training", lora_training.batches()
    if variant.family is tiny_seq2seq:
        return "seq2seq-training", seq2seq_training.batches()
    return "llama-training", llama_training.batches()


def base(variant: Variant) -> torch.nn.Module:
    if variant.family is tiny_bert:
        model = tiny_bert.load_base() if variant.base == "base" else lora_training.base()
    else:
        model = variant.family.load(variant.base)
        if variant.family is not tiny_seq2seq:
            model.config.pad_token_id = 0
    model.name_or_path = variant.path
    return model


def rows_of(batch: dict) -> list[dict]:
    """Each row alone: transformers takes what pads for a token where tokens are embeddings."""
    if "target_labels" in batch:
        pairs = zip(batch["input_ids"], batch["target_labels"])
        return [{"input_ids": torch.tensor([ids]), "labels": torch.tensor([labels])} for ids, labels in pairs]
    return [{"input_ids": torch.tensor([ids])} for ids in batch["input_ids"]]


def loss_of(model: torch.nn.Module, batch: dict, variant: Variant) -> torch.Tensor:
    logits = [model(**row).logits[0] for row in rows_of(batch)]
    if variant.task == "SEQ_CLS":
        return torch.nn.functional.cross_entropy(torch.stack(logits), torch.tensor(batch["labels"]))
    if variant.task == "SEQ_2_SEQ_LM":
        targets = torch.tensor([label for labels in batch["target_labels"] for label in labels])
        return torch.nn.functional.cross_entropy(torch.cat(logits), targets, ignore_index=-100)
    targets = [torch.tensor(labels) for labels in batch["token_labels"]]
    if variant.method == "prompt":
        logits = [values[variant.count - 1 : -1] for values in logits]
    else:
        logits, targets = [values[:-1] for values in logits], [labels[1:] for labels in targets]
    return torch.nn.functional.cross_entropy(torch.cat(logits), torch.cat(targets), ignore_index=-100)


def own_names(model: PeftModel, variant: Variant, of=lambda parameter: parameter) -> dict:
    """What is trained, by the names of a file, or PEFT's own for what a projection is made of."""
    named = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            name = name.replace(".modules_to_save.default", "").replace("prompt_encoder.default", "prompt_encoder")
            if not variant.settings.get("prefix_projection"):
                name = name.replace("prompt_encoder.embedding.weight", "prompt_embeddings")
            named[name] = of(parameter).detach().clone()
    return named


def train(model: PeftModel, variant: Variant, batches: list[dict]) -> dict:
    model = model.train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(OPTIMIZER, parameters)
    steps, gradients = [], {}
    for batch in batches:
        optimizer.zero_grad()
        loss = loss_of(model, batch, variant)
        loss.backward()
        gradients = gradients or own_names(model, variant, lambda parameter: parameter.grad)
        norm = torch.nn.utils.clip_grad_norm_(parameters, MAXIMUM_NORM)
        steps.append({"loss": loss.item(), "gradient_norm": norm.item()})
        optimizer.step()
    return {"steps": steps, "gradients": gradients, "final": own_names(model, variant)}


def results(model: torch.nn.Module, batch: dict, variant: Variant) -> torch.Tensor:
    """Of the rows' own tokens."""
    model = copy.deepcopy(model).double().eval()
    with torch.no_grad():
        outputs = [model(**row) for row in rows_of(batch)]
    values = [output.logits if "logits" in output else output.last_hidden_state for output in outputs]
    if variant.task == "SEQ_2_SEQ_LM":
        return packed(values)
    own = [value if value.dim() == 2 else value[:, -len(ids) :] for value, ids in zip(values, batch["input_ids"])]
    return packed(own)


def texts(model: torch.nn.Module, batch: dict) -> list[list[int]]:
    """What follows each row, by the likeliest token, from PEFT's cache and without one."""
    model = copy.deepcopy(model).double().eval()
    made = []
    for row in batch["input_ids"]:
        if model.config.is_encoder_decoder:
            made.append(target(model, row))
            continue
        ids = list(row)
        with torch.no_grad():
            for _ in range(NEW_TOKENS):
                ids.append(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax().item())
            generated = model.generate(
                input_ids=torch.tensor([row]), attention_mask=torch.ones(1, len(row), dtype=torch.long),
                do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=None,
            )  # fmt: skip
        assert generated[0].tolist() == ids, (generated[0].tolist(), ids)
        made.append(ids[len(row) :])
    return made


def target(model: torch.nn.Module, row: list[int]) -> list[int]:
    """The same of what a decoder writes for a row."""
    ids = [model.config.decoder_start_token_id]
    with torch.no_grad():
        for _ in range(NEW_TOKENS):
            logits = model(input_ids=torch.tensor([row]), decoder_input_ids=torch.tensor([ids])).logits
            ids.append(logits[0, -1].argmax().item())
        generated = model.generate(
            input_ids=torch.tensor([row]), attention_mask=torch.ones(1, len(row), dtype=torch.long), num_beams=1,
            do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=None,
        )  # fmt: skip
    assert generated[0].tolist() == ids, (generated[0].tolist(), ids)
    return ids[1:]


def make_variant(variant: Variant, seed: int) -> dict:
    folder = ROOT / "prompt-learning" / variant.name
    model = get_peft_model(base(variant), CONFIGS[variant.method](task_type=variant.task, **variant.settings))
    randomise_trainable(model, seed, scale=0.5)
    save_adapter(model, folder / "start")
    if variant.settings.get("prefix_projection"):
        write_tensors(folder / "encoder.safetensors", own_names(model, variant))
    name, batches = batches_of(variant)

    value = results(PeftModel.from_pretrained(base(variant), folder / "start"), batches[0], variant)
    assert (value - results(model, batches[0], variant)).abs().max() < 1e-5, "PEFT reads what it did not write"
    assert (value - results(base(variant), batches[0], variant)).abs().max() > 0.05, "it does not change the model"
    write_tensors(folder / "expected.safetensors", {"results": value})
    made = {
        "name": variant.name,
        "about": variant.about,
        "base": variant.path,
        "batches": name,
        "task": variant.task,
        "is_projected": bool(variant.settings.get("prefix_projection")),
    }
    if variant.task in ("CAUSAL_LM", "SEQ_2_SEQ_LM"):
        made["new_ids"] = texts(model, batches[0])
    if variant.task == "FEATURE_EXTRACTION":
        return made
    double = train(copy.deepcopy(model).double(), variant, batches)
    single = train(copy.deepcopy(model), variant, batches)
    still = without_gradient(double["gradients"])
    distance = write_both(folder, double, single, still)
    return made | {
        "optimizer": OPTIMIZER,
        "maximum_gradient_norm": MAXIMUM_NORM,
        "without_gradient": still,
        "torch_float32_loss_deviation": distance,
        "steps": double["steps"],
    }


def make() -> None:
    top = fresh_folder("prompt-learning")
    write_json(top / "variants.json", [make_variant(variant, 500 + i) for i, variant in enumerate(VARIANTS)])
