"""composition: what AdapterHub's `adapters` makes of several adapters, by Stack and Average.

Needs the packages of Tests/Parity/requirements-adapters.txt.
"""

import json
from pathlib import Path

import torch
from adapters import AutoAdapterModel, BnConfig, DoubleSeqBnConfig, SeqBnConfig
from adapters.composition import Average, Stack

from .bottleneck import BASES, rows_of
from .files import ROOT, fresh_folder, packed, write_json, write_tensors

#: Those that an Average can have: AdapterHub gives all of them what the first reads.
MEMBERS = {
    "bert": {
        "one": DoubleSeqBnConfig(reduction_factor=8),
        "two": DoubleSeqBnConfig(reduction_factor=4, non_linearity="gelu", scaling=0.5),
        "three": SeqBnConfig(mh_adapter=True, reduction_factor=8),
        "four": SeqBnConfig(mh_adapter=True, reduction_factor=4, non_linearity="tanh"),
    },
    "llama": {
        "llama-one": DoubleSeqBnConfig(reduction_factor=8),
        "llama-two": DoubleSeqBnConfig(reduction_factor=4, non_linearity="silu"),
    },
}
#: Name, architecture, members, and the weights of an Average.
CASES = [
    ("stack", "bert", ["three", "one"], None),
    ("stack-turned", "bert", ["one", "three"], None),
    ("stack-of-three", "bert", ["two", "four", "one"], None),
    ("average", "bert", ["one", "two"], [1, 3]),
    ("average-before-norms", "bert", ["three", "four"], [2, 1]),
    ("llama-stack", "llama", ["llama-one", "llama-two"], None),
    ("llama-average", "llama", ["llama-one", "llama-two"], [0.5, 0.5]),
]


def base(architecture: str) -> torch.nn.Module:
    model = AutoAdapterModel.from_pretrained(
        ROOT / BASES[architecture], dtype=torch.float32, attn_implementation="eager"
    )
    model.config._name_or_path = BASES[architecture]
    return model


def average(members: list, weights: list) -> Average:
    """What AdapterHub documents. What it does is to divide by the number of members besides."""
    shares = [len(members) * weight / sum(weights) for weight in weights]
    return Average(*members, weights=shares, normalize_weights=False)


def make_member(architecture: str, name: str, config: BnConfig, seed: int, top: Path) -> None:
    model = base(architecture)
    model.add_adapter(name, config=config)
    generator = torch.Generator().manual_seed(seed)
    for path, parameter in model.named_parameters():
        if f"adapters.{name}." in path:
            with torch.no_grad():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    (top / name).mkdir()
    model.save_adapter(top / name, name, with_head=False, use_safetensors=True)


def hidden(architecture: str, members: list, weights: list | None, top: Path) -> torch.Tensor:
    """Last hidden states [tokens, hidden]."""
    model = base(architecture)
    for member in members:
        model.load_adapter(str(top / member), with_head=False, use_safetensors=True)
    if members:
        model.active_adapters = Stack(*members) if weights is None else average(members, weights)
    model = model.double().eval()
    rows = json.loads((ROOT / BASES[architecture]).parent.joinpath("inputs.json").read_text())
    with torch.no_grad():
        return packed([model(**row, output_hidden_states=True).hidden_states[-1] for row in rows_of(rows)])


def make() -> None:
    top = fresh_folder("composition")
    for architecture, members in MEMBERS.items():
        for seed, (name, config) in enumerate(members.items()):
            make_member(architecture, name, config, 600 + seed, top)
    cases = []
    for name, architecture, members, weights in CASES:
        found = hidden(architecture, members, weights, top)
        for other in [[], members[:1], members[1:]]:
            assert (found - hidden(architecture, other, None, top)).abs().max() > 0.01, name
        write_tensors(top / f"{name}.safetensors", {"last_hidden_state": found})
        cases.append({"name": name, "base": BASES[architecture], "members": members, "weights": weights})
    write_json(top / "cases.json", cases)
