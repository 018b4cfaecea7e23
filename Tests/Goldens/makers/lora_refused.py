"""lora-refused: adapter folders that must not load, each with the words that its error must name.
"""

import json
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
import torch
from peft import LoraConfig, get_peft_model

from . import tiny_bert
from .files import fresh_folder, write_json
from .lora import edit_config, randomise_trainable, save_adapter

QUERY = "base_model.model.bert.encoder.layer.0.attention.self.query"

# Settings that PEFT itself can save for BERT: name, what is at fault, LoraConfig, words of the
# error.
SAVED = [
    (
        "pissa",
        "The base weights were changed when it began.",
        dict(init_lora_weights="pissa"),
        ["init_lora_weights", "pissa"],
    ),
    (
        "olora",
        "The base weights were changed when it began.",
        dict(init_lora_weights="olora"),
        ["init_lora_weights", "olora"],
    ),
    (
        "layer-replication",
        "The base has layers twice.",
        dict(layer_replication=[[0, 2], [1, 2]]),
        ["layer_replication"],
    ),
    (
        "trainable-tokens",
        "Rows of the embeddings are replaced.",
        dict(trainable_token_indices={"word_embeddings": [3, 5]}),
        ["trainable_token_indices"],
    ),
]

# Settings edited into a plain adapter, because PEFT saves them only for other models or with other
# packages.
EDITED = [
    ("use-dora", "Magnitudes that the file does not have.", dict(use_dora=True), ["lora_magnitude_vector"]),
    ("dora-bias", "PEFT has no DoRA with biases of B.", dict(use_dora=True, lora_bias=True), ["lora_bias", "use_dora"]),
    (
        "target-parameters",
        "Raw parameters are targets.",
        dict(target_parameters=["attention.self.query.weight"]),
        ["target_parameters"],
    ),
    ("use-qalora", "Inputs are pooled by groups.", dict(use_qalora=True, qalora_group_size=4), ["use_qalora"]),
    ("alora", "Active from some tokens on.", dict(alora_invocation_tokens=[5, 6]), ["alora_invocation_tokens"]),
    (
        "corda",
        "The base weights were changed when it began.",
        dict(init_lora_weights="corda"),
        ["init_lora_weights", "corda"],
    ),
    (
        "loftq",
        "The base weights were changed when it began.",
        dict(init_lora_weights="loftq", loftq_config={"loftq_bits": 4, "loftq_iter": 1}),
        ["loftq"],
    ),
    (
        "lora-ga",
        "The base weights were changed when it began.",
        dict(init_lora_weights="lora_ga"),
        ["init_lora_weights", "lora_ga"],
    ),
    (
        "use-bdlora",
        "Blocks instead of full matrices.",
        dict(use_bdlora={"target_modules_bd_a": ["query"], "nblocks": 2}),
        ["use_bdlora"],
    ),
    ("kasa", "The base weights were changed when it began.", dict(kasa_config={"beta": 0.1}), ["kasa_config"]),
    (
        "megatron",
        "The base is split among machines.",
        dict(megatron_config={"tensor_model_parallel_size": 2}),
        ["megatron_config"],
    ),
    ("velora", "Backward sees compressed inputs.", dict(velora_config={"num_groups": 64}), ["velora_config"]),
    ("monteclora", "Noise is added to A and B.", dict(monteclora_config={"num_samples": 8}), ["monteclora_config"]),
    ("arrow", "Adapters are mixed token by token.", dict(arrow_config={"top_k": 3}), ["arrow_config"]),
    ("eva", "Activations choose where A starts.", dict(eva_config={"rho": 2.0}), ["eva_config"]),
    ("unknown-key", "A setting that nobody knows may matter.", dict(mystery_gain=2.5), ["mystery_gain"]),
    ("unknown-method", "Another method.", dict(peft_type="MYSTERY"), ["peft_type", "MYSTERY"]),
    ("unknown-bias", "Only none, all and lora_only exist.", dict(bias="some"), ["bias", "some"]),
    ("rank-zero", "A rank is at least 1.", dict(r=0), ["r"]),
    ("rank-text", "A rank is a number.", dict(r="8"), ["r"]),
    (
        "bad-regex",
        "The expression does not compile.",
        dict(target_modules="(query|value"),
        ["target_modules", "(query|value"],
    ),
    ("no-match", "Nothing matches.", dict(target_modules=["q_proj"]), ["target_modules", "q_proj"]),
]


def drop_b(tensors: dict) -> dict:
    return {name: tensor for name, tensor in tensors.items() if name != f"{QUERY}.lora_B.weight"}


def cut_a(tensors: dict) -> dict:
    name = f"{QUERY}.lora_A.weight"
    return tensors | {name: tensors[name][:, :16].contiguous()}


# Changes to the tensors of a plain adapter.
TENSORS: list[tuple[str, str, Callable[[dict], dict], list[str]]] = [
    (
        "dora-tensors",
        "Magnitude vectors, and a configuration that does not speak of them.",
        lambda t: t | {f"{QUERY}.lora_magnitude_vector": torch.ones(32)},
        ["lora_magnitude_vector"],
    ),
    (
        "extra-tensor",
        "A tensor for a module that the model does not have.",
        lambda t: t | {f"{QUERY.replace('layer.0', 'layer.9')}.lora_A.weight": torch.ones(2, 32)},
        ["layer.9"],
    ),
    (
        "extra-bias",
        "The biases of bias=all, and a configuration that says none.",
        lambda t: t | {"base_model.model.bert.embeddings.LayerNorm.bias": torch.ones(32)},
        ["bert.embeddings.LayerNorm.bias"],
    ),
    (
        "untargeted-tensor",
        "A tensor for a module that is not a target.",
        lambda t: t | {f"{QUERY.replace('query', 'key')}.lora_A.weight": torch.ones(2, 32)},
        ["layer.0.attention.self.key"],
    ),
    ("missing-tensor", "A without its B.", drop_b, [f"{QUERY}.lora_B.weight"]),
    (
        "missing-classifier",
        "The head is not in the file.",
        lambda t: {n: v for n, v in t.items() if "classifier" not in n},
        ["classifier"],
    ),
    ("wrong-shape", "A is half as wide as its module.", cut_a, [f"{QUERY}.lora_A.weight", "16", "32"]),
    (
        "wrong-rank",
        "A and B have another rank than the configuration.",
        lambda t: {n: v[:1] if "lora_A" in n else v[:, :1].contiguous() if "lora_B" in n else v for n, v in t.items()},
        ["lora_A.weight"],
    ),
    (
        "wrong-dtype",
        "Whole numbers are no weights.",
        lambda t: t | {f"{QUERY}.lora_A.weight": torch.ones(2, 32, dtype=torch.int64)},
        [f"{QUERY}.lora_A.weight", "I64"],
    ),
]


def save(folder: Path, **settings) -> None:
    model = tiny_bert.load_classifier()
    model.name_or_path = "bert-tiny/sequence-classification"
    adapted = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query", "value"], **settings))
    randomise_trainable(adapted, seed=9)
    save_adapter(adapted, folder)


def make() -> None:
    top = fresh_folder("lora-refused")
    cases = []

    def record(name: str, about: str, words: list[str]) -> Path:
        cases.append({"name": name, "about": about, "message_names": words})
        return top / name

    for name, about, settings, words in SAVED:
        save(record(name, about, words), **settings)
    for name, about, edits, words in EDITED:
        folder = record(name, about, words)
        save(folder)
        edit_config(folder, edits)
    for name, about, change, words in TENSORS:
        folder = record(name, about, words)
        save(folder)
        path = folder / "adapter_model.safetensors"
        safetensors.torch.save_file(change(safetensors.torch.load_file(path)), path, metadata={"format": "pt"})
    for name, about, text in (
        ("config-not-json", "The configuration is cut off.", '{"peft_type": "LORA", "r":'),
        ("config-not-object", "The configuration is a list.", json.dumps(["LORA"])),
    ):
        folder = record(name, about, ["adapter_config.json"])
        save(folder)
        (folder / "adapter_config.json").write_text(text)
    write_json(top / "cases.json", cases)
