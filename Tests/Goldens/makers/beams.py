"""generation/beams.json: what transformers' beam search makes of the tiny decoders."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from .files import ROOT, write_json

MODELS = ["llama-tiny/everything", "gpt2-tiny/everything", "mistral-tiny/plain", "qwen3-tiny/windowed"]
PROMPTS = [[1, 5, 9, 33], [1, 70, 12, 4, 4, 90, 17], [1, 2]]

# transformers' names; several ends of text make the search keep more candidates.
SEARCHES = [
    dict(num_beams=4, max_new_tokens=12, num_return_sequences=4, eos_token_id=7),
    dict(num_beams=3, max_new_tokens=16, length_penalty=2.0, num_return_sequences=2, eos_token_id=[7, 20, 41, 66]),
    dict(num_beams=2, max_new_tokens=16, length_penalty=-1.0, early_stopping=True, eos_token_id=[7, 20, 41, 66]),
    dict(num_beams=4, max_new_tokens=16, length_penalty=0.5, early_stopping="never", eos_token_id=[20, 41, 66, 80, 90]),
    dict(num_beams=5, max_new_tokens=10, repetition_penalty=1.3, no_repeat_ngram_size=2, num_return_sequences=5, eos_token_id=[66, 80]),
    dict(num_beams=3, max_new_tokens=14, min_new_tokens=6, num_return_sequences=3, eos_token_id=list(range(60, 90))),
    dict(num_beams=4, max_new_tokens=8, num_return_sequences=4, eos_token_id=None),
]


def make(top: Path) -> None:
    cases = []
    for folder in MODELS:
        model = AutoModelForCausalLM.from_pretrained(ROOT / folder, attn_implementation="eager").eval()
        for search in SEARCHES:
            texts = []
            for prompt in PROMPTS:
                tokens = torch.tensor([prompt])
                with torch.no_grad():
                    found = model.generate(
                        tokens,
                        attention_mask=torch.ones_like(tokens),
                        do_sample=False,
                        pad_token_id=0,
                        return_dict_in_generate=True,
                        output_scores=True,
                        **search,
                    )
                ends = search["eos_token_id"]
                ends = ends if isinstance(ends, list) else [] if ends is None else [ends]
                new = []
                for row in found.sequences[:, len(prompt) :].tolist():
                    end = next((i + 1 for i, token in enumerate(row) if token in ends), len(row))
                    new.append(row[:end])
                texts.append({"new_ids": new, "scores": found.sequences_scores.tolist()})
            cases.append({"model": folder, "search": search, "texts": texts})
    write_json(top / "beams.json", {"prompts": PROMPTS, "cases": cases})
