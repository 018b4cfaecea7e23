"""What :func:`graft.evaluation.texts` measures and knows."""

from __future__ import annotations

import re

#: In the order in which an evaluation has them.
NAMES = ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "rougeLsum")
#: Ways to cut texts, by sacrebleu's names.
TOKENIZERS = ("13a", "zh", "char")
HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")


def is_chinese(text: str) -> bool:
    """Whether half of what is no white space is Chinese."""
    return 2 * len(HAN.findall(text)) > len("".join(text.split()))
