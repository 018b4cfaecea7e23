"""marian-enpt: what the real Marian model from English to Portuguese writes, and its logits.
"""

import torch
from tokenizers import Tokenizer
from transformers import MarianMTModel

from .files import ROOT, deviation, fresh_folder, packed, write_json, write_tensors
from .tiny_seq2seq import written

FOLDER = ROOT.parents[2] / "shared" / "models" / "marian-enpt"
SENTENCES = [
    "The weather is nice today.",
    "Where is the nearest train station?",
    "She has been working as a doctor in Lisbon for more than ten years, and she loves her job.",
    "Please do not forget to buy bread, milk and 12 eggs.",
    "Yes.",
    "The committee has not yet decided whether the new rules will apply to small companies.",
]
NEW_TOKENS = 64


def make() -> None:
    top = fresh_folder("marian-enpt")
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    model = MarianMTModel.from_pretrained(FOLDER, attn_implementation="eager", dtype=torch.float32).eval()
    # As MarianTokenizer, every text ends with the end token.
    sources = [[*tokenizer.encode(sentence).ids, model.config.eos_token_id] for sentence in SENTENCES]
    rows, single, double = [], [], []
    for sentence, ids, text in zip(SENTENCES, sources, written(model, sources, NEW_TOKENS), strict=True):
        assert text[-1] == model.config.eos_token_id, text
        rows.append({"text": sentence, "input_ids": ids, "target_ids": text, "target": tokenizer.decode(text[:-1])})
    for kind, results in ((torch.float32, single), (torch.float64, double)):
        model = model.to(kind)
        for row in rows:
            with torch.no_grad():
                results.append(
                    model(input_ids=torch.tensor([row["input_ids"]]), labels=torch.tensor([row["target_ids"]])).logits
                )
    write_json(top / "greedy.json", rows)
    # Every eleventh token, and every seventh number of it, keep the file small.
    double, single = ({"logits": packed(logits)[::11, ::7]} for logits in (double, single))
    write_tensors(top / "logits.safetensors", double, torch_float32_deviation=deviation(double, single))
