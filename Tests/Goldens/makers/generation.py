"""generation: greedy texts of the real stories260K, and what transformers makes of logits before it
samples.
"""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM
from transformers.generation import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from .files import ROOT, deviation, fresh_folder, packed, write_json, write_tensors

STORIES = ROOT.parents[2] / "shared" / "models" / "stories260K" / "hf"
PROMPTS = ["Once upon a time", "Tim had a big red ball.", "One day, Lily", "The cat was sad because", "Zażółć 日本"]
NEW_TOKENS = 200

SAMPLERS = [
    dict(temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0),
    dict(temperature=0.7, top_k=0, top_p=1.0, repetition_penalty=1.0),
    dict(temperature=1.3, top_k=5, top_p=1.0, repetition_penalty=1.0),
    dict(temperature=1.0, top_k=0, top_p=0.9, repetition_penalty=1.0),
    dict(temperature=1.0, top_k=0, top_p=0.05, repetition_penalty=1.0),
    dict(temperature=0.8, top_k=40, top_p=0.95, repetition_penalty=1.2),
    dict(temperature=2.0, top_k=3, top_p=0.6, repetition_penalty=0.7),
]


def make_texts(top: Path) -> None:
    tokenizer = Tokenizer.from_file(str(STORIES / "tokenizer.json"))
    model = LlamaForCausalLM.from_pretrained(STORIES, attn_implementation="eager").eval()
    rows, logits, exact = [], [], []
    for prompt in PROMPTS:
        ids = tokenizer.encode(prompt).ids
        tokens = torch.tensor([ids])
        with torch.no_grad():
            text = model.generate(
                tokens, attention_mask=torch.ones_like(tokens), do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=None
            )[0].tolist()
            whole = torch.tensor([text])
            logits.append(model(whole).logits)
        new = text[len(ids) :]
        assert len(new) == NEW_TOKENS, len(new)
        rows.append({"prompt": prompt, "input_ids": ids, "new_ids": new, "text": tokenizer.decode(new)})
    model = model.double()
    with torch.no_grad():
        exact = [model(torch.tensor([row["input_ids"] + row["new_ids"]])).logits for row in rows]
    write_json(top / "greedy.json", rows)
    double, single = {"logits": packed(exact)}, {"logits": packed(logits)}
    # Every eleventh token keeps the file small.
    distance = deviation(double, single)
    write_tensors(top / "logits.safetensors", {"logits": double["logits"][::11]}, torch_float32_deviation=distance)


def make_distributions(top: Path) -> None:
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn((4, 97), generator=generator) * 3
    seen = [torch.randint(0, 97, (n,), generator=generator).tolist() for n in (1, 6, 30, 9)]
    tensors = {"logits": logits}
    for index, settings in enumerate(SAMPLERS):
        processors = LogitsProcessorList()
        if settings["repetition_penalty"] != 1:
            processors.append(RepetitionPenaltyLogitsProcessor(settings["repetition_penalty"]))
        processors.append(TemperatureLogitsWarper(settings["temperature"]))
        if settings["top_k"]:
            processors.append(TopKLogitsWarper(settings["top_k"]))
        if settings["top_p"] < 1:
            processors.append(TopPLogitsWarper(settings["top_p"]))
        rows = [processors(torch.tensor([ids]), row[None].double()) for ids, row in zip(seen, logits, strict=True)]
        tensors[f"probabilities.{index}"] = torch.cat(rows).softmax(-1)
    write_json(top / "samplers.json", {"seen": seen, "samplers": SAMPLERS})
    write_tensors(top / "distributions.safetensors", tensors)


def make() -> None:
    top = fresh_folder("generation")
    make_texts(top)
    make_distributions(top)
