"""Groups of texts in PEFT and transformers: each candidate is read together with its question, by a
model whose scores of a group are learned together.

LoRA of rank 16 on all linear modules with dropout 0.1, the model's own dropout 0.1, the head of a
class of transformers with its pooler, which the model has none of: both are learned. AdamW with
decay 0.01, linear schedule with 6 % of warm-up, gradients clipped to norm 1.
"""

import math
from collections.abc import Callable

import settings
from data import LINEAR_LORA, shuffled
from groups import GroupRecipe, Groups
from peers.adapted_model import torch_for, train

torch = torch_for("medium")
from peft import LoraConfig, get_peft_model  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

tokenizer = AutoTokenizer.from_pretrained(settings.TINY)


def load(kind: type, seed: int, **config):
    """A class of transformers with a fresh adapter."""
    torch.manual_seed(seed)
    base = kind.from_pretrained(settings.TINY, dtype=torch.float32, **config)
    return get_peft_model(base, LoraConfig(task_type="SEQ_CLS", modules_to_save=["pooler"], **LINEAR_LORA))


def encode(part: Groups, rows: list[int], recipe: GroupRecipe) -> dict:
    """Tokens of all candidates of some groups, [groups × candidates, tokens]."""
    pairs = [(part.questions[row], candidate) for row in rows for candidate in part.candidates[row]]
    questions, candidates = map(list, zip(*pairs))
    length = recipe.maximum_length
    return dict(tokenizer(questions, candidates, truncation=True, max_length=length, padding=True, return_tensors="pt"))


def all_scores(model, part: Groups, recipe: GroupRecipe, scores: Callable) -> list[list[float]]:
    """Of each group; `scores` makes [groups, candidates] of the numbers of some."""
    model.eval()
    found = []
    with torch.inference_mode():
        for first in range(0, len(part), recipe.groups_per_batch):
            rows = list(range(first, min(first + recipe.groups_per_batch, len(part))))
            found += scores(model, part, rows).tolist()
    return found


def learn(model, groups: int, recipe: GroupRecipe, loss: Callable, epochs: int, seed: int) -> float:
    """`loss` is that of the groups of some numbers; returns the seconds."""
    size = recipe.groups_per_batch

    def losses():
        for epoch in range(epochs):
            order = shuffled(groups, seed * epochs + epoch)
            for first in range(0, groups, size):
                yield loss(model, order[first : first + size])

    model.train()
    return train(model, losses(), epochs * math.ceil(groups / size), recipe.learning_rate)
