"""The adapter methods of the benchmarks: the same settings on both sides, and whose package is the
other side.
"""

import sys
from dataclasses import dataclass

from settings import ADAPTERHUB_PYTHON


@dataclass(frozen=True)
class Method:
    """`settings` are spelt as the peer has them, which is how Graft has them, too."""

    side: str
    settings: dict
    python: str = sys.executable
    # In the recipe of quality; virtual rows begin far from what a model knows, and need more.
    learning_rate: float = 1e-3
    # Whether the head has a dense layer of its own.
    dense_layer: bool = False
    has_dropout: bool = False
    # Whether it prunes ranks by a schedule, which ends where the training does.
    is_scheduled: bool = False

    def settings_for(self, steps: int, lora_dropout: float = 0.0) -> dict:
        """Those of a training of so many steps; ranks are pruned from its first tenth to its last
        third."""
        made = dict(self.settings)
        if self.has_dropout:
            made["lora_dropout"] = lora_dropout
        if self.is_scheduled:
            made |= {"total_step": steps, "tinit": steps // 10, "tfinal": steps // 3, "deltaT": max(1, steps // 100)}
        return made


# Of the programs that measure single steps: most of these prune ranks.
FEW_STEPS = 9

METHODS = {
    "lora": Method(
        "PEFT", {"r": 8, "lora_alpha": 16, "target_modules": ["query", "value"]}, has_dropout=True
    ),
    "bottleneck": Method("AdapterHub", {"config": "seq_bn"}, python=ADAPTERHUB_PYTHON, dense_layer=True),
    # Ranks and alpha of the paper's smaller budget; its rates lie above LoRA's.
    "adalora": Method(
        "PEFT",
        {"init_r": 12, "target_r": 8, "lora_alpha": 32, "target_modules": ["query", "value"]},
        learning_rate=2e-3,
        has_dropout=True,
        is_scheduled=True,
    ),
    "prefix_tuning": Method("PEFT", {"num_virtual_tokens": 20}, learning_rate=1e-2),
    "prompt_tuning": Method("PEFT", {"num_virtual_tokens": 20}, learning_rate=1e-2),
}

# LoRA of language models; a module's name is the architecture's.
LANGUAGE_LORA = {
    name: {"r": 8, "lora_alpha": 16, "target_modules": modules}
    for name, modules in {
        "smollm2-135m": ["q_proj", "v_proj"],
        "qwen2.5-0.5b": ["q_proj", "v_proj"],
        "gpt2-small": ["c_attn"],
        "t5-small": ["q", "v"],
    }.items()
} | {
    "llama-1b": {
        "r": 16,
        "lora_alpha": 32,
        "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    },
}
