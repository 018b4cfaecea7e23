"""greedy: the tokens with which transformers goes on, from prompts of the tiny decoders."""

import torch

from .files import fresh_folder, write_json
from .tiny_models import load_model

# Those whose head is not the table of embeddings, of which random ones repeat themselves.
FOLDERS = [
    "gemma-tiny/everything", "gemma2-tiny/everything", "gemma3-tiny/everything", "llama-tiny/everything",
    "phi3-tiny/plain", "phi3-tiny/beyond", "olmo2-tiny/plain", "gpt-neox-tiny/plain",
]  # fmt: skip
PROMPTS = [[3, 60, 17, 42, 99], [9], [4, 7, 4, 8, 30, 31, 32, 33, 34, 35]]
NEW_TOKENS = 50


def greedy(model: torch.nn.Module, prompt: list[int]) -> list[int]:
    """The whole text goes through the model for each token, without a cache."""
    ids = list(prompt)
    with torch.no_grad():
        for _ in range(NEW_TOKENS):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


def make() -> None:
    top = fresh_folder("greedy")
    texts = {}
    for folder in FOLDERS:
        model = load_model(*folder.split("/")).double()
        texts[folder] = [greedy(model, prompt) for prompt in PROMPTS]
    write_json(top / "greedy.json", {"prompts": PROMPTS, "texts": texts})
