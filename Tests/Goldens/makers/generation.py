"""generation: greedy texts of the real stories260K, and what transformers makes of logits before it
samples.
"""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GenerationConfig, LlamaForCausalLM
from transformers.generation import LogitsProcessor, LogitsProcessorList

from . import beams
from .files import ROOT, deviation, fresh_folder, packed, write_json, write_tensors

STORIES = ROOT.parents[2] / "shared" / "models" / "stories260K" / "hf"
PROMPTS = ["Once upon a time", "Tim had a big red ball.", "One day, Lily", "The cat was sad because", "Zażółć 日本"]
NEW_TOKENS = 200

# Settings by transformers' names, and OpenAI's of the penalties that it lacks.
SAMPLERS = [
    dict(),
    dict(temperature=0.7),
    dict(temperature=1.3, top_k=5),
    dict(top_p=0.9),
    dict(top_p=0.05),
    dict(temperature=0.8, top_k=40, top_p=0.95, repetition_penalty=1.2),
    dict(temperature=2.0, top_k=3, top_p=0.6, repetition_penalty=0.7),
    dict(min_p=0.1),
    dict(temperature=1.5, min_p=0.02, top_k=30),
    dict(typical_p=0.9),
    dict(typical_p=0.2, temperature=2.0),
    dict(top_k=20, top_p=0.9, min_p=0.01, typical_p=0.8, temperature=1.7),
    dict(frequency_penalty=0.8, presence_penalty=1.5),
    dict(frequency_penalty=-0.5, repetition_penalty=1.3, top_p=0.9),
    dict(no_repeat_ngram_size=1),
    dict(no_repeat_ngram_size=2),
    dict(no_repeat_ngram_size=3, top_k=10),
    dict(min_new_tokens=4, eos_token_id=[3, 60]),
    dict(sequence_bias=[[7, 9.0], [3, -2.5], [96, "-inf"]], top_p=0.8),
]


class CountPenalties(LogitsProcessor):
    """mu[j] - c[j] * alpha_frequency - float(c[j] > 0) * alpha_presence: platform.openai.com/docs,
    "Frequency and presence penalties"; c counts the tokens after the prompt."""

    def __init__(self, frequency: float, presence: float, prompt: int) -> None:
        self.frequency, self.presence, self.prompt = frequency, presence, prompt

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        count = torch.zeros_like(scores)
        count[0] += torch.bincount(input_ids[0, self.prompt :], minlength=scores.shape[1])
        return scores - self.frequency * count - self.presence * (count > 0)


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


def processors(model: LlamaForCausalLM, settings: dict[str, object], prompt: list[int]) -> LogitsProcessorList:
    """Those that `generate` makes of the settings; penalties by counts come after that of
    repetition, as in vLLM."""
    own = {name: value for name, value in settings.items() if name not in ("frequency_penalty", "presence_penalty")}
    if bias := own.pop("sequence_bias", None):
        own["sequence_bias"] = [[[token], float(amount)] for token, amount in bias]
    config = GenerationConfig(do_sample=True, **{"top_k": 0, "top_p": 1.0, **own})
    model._prepare_special_tokens(config)
    made = model._get_logits_processor(config, input_ids_seq_length=len(prompt), logits_processor=LogitsProcessorList())
    counts = CountPenalties(settings.get("frequency_penalty", 0), settings.get("presence_penalty", 0), len(prompt))
    place = next((i + 1 for i, one in enumerate(made) if "Repetition" in type(one).__name__), 0)
    return LogitsProcessorList([*made[:place], counts, *made[place:]])


def make_distributions(top: Path) -> None:
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn((5, 97), generator=generator) * 3
    seen = [torch.randint(0, 97, (n,), generator=generator).tolist() for n in (1, 6, 30, 9)]
    # So few different ones that sequences come again.
    seen.append(torch.randint(90, 94, (40,), generator=generator).tolist())
    prompts = [row[: (len(row) + 1) // 2] for row in seen]
    tensors = {"logits": logits}
    model = LlamaForCausalLM.from_pretrained(STORIES)
    for index, settings in enumerate(SAMPLERS):
        rows = [
            processors(model, settings, prompt)(torch.tensor([ids]), row[None].double())
            for prompt, ids, row in zip(prompts, seen, logits, strict=True)
        ]
        tensors[f"probabilities.{index}"] = torch.cat(rows).softmax(-1)
    write_json(top / "samplers.json", {"prompts": prompts, "seen": seen, "samplers": SAMPLERS})
    write_tensors(top / "distributions.safetensors", tensors)


def make() -> None:
    top = fresh_folder("generation")
    make_texts(top)
    make_distributions(top)
    beams.make(top)
