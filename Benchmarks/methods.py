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


METHODS = {
    "lora": Method(
        "PEFT", {"r": 8, "lora_alpha": 16, "target_modules": ["query", "value"]}, has_dropout=True
    ),
    "bottleneck": Method("AdapterHub", {"config": "seq_bn"}, python=ADAPTERHUB_PYTHON, dense_layer=True),
    "prefix_tuning": Method("PEFT", {"num_virtual_tokens": 20}, learning_rate=1e-2),
    "prompt_tuning": Method("PEFT", {"num_virtual_tokens": 20}, learning_rate=1e-2),
}
