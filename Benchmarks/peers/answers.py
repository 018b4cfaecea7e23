"""What an adapter learns of XQuAD, split by article, in PEFT and transformers.

LoRA of rank 16 on all linear modules, AdamW, linear schedule with 6 % of warm-up, gradients clipped
to norm 1, windows of 256 tokens with a stride of 64, batches of 8. Windows, labels and answers are
those of transformers' run_qa.py; the measures are Graft's, which equal the scripts'.
"""

import collections
import math
import random
import time

import graft
import settings
from data import ANSWER_RECIPE, ANSWER_SETS, answer_parser, answer_parts
from peers.adapted_model import begun, train as train_model

arguments = answer_parser(__doc__).parse_args()
torch = settings.prepare_torch("medium")
from transformers import (  # noqa: E402
    AutoModelForQuestionAnswering,
    AutoTokenizer,
)

BEST, LONGEST = 20, 30
data = ANSWER_SETS[arguments.data]
train, test = answer_parts(arguments)
tokenizer = AutoTokenizer.from_pretrained(data.model)


def windows(table):
    return tokenizer(
        list(table["question"]),
        list(table["context"]),
        truncation="only_second",
        max_length=ANSWER_RECIPE["maximum_length"],
        stride=ANSWER_RECIPE["stride"],
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )


def span(encoded, window: int, answers: list) -> tuple[int, int]:
    answer = answers[encoded["overflow_to_sample_mapping"][window]][0]
    start, end, offsets = answer.start, answer.start + len(answer.text), encoded["offset_mapping"][window]
    own = [token for token, sequence in enumerate(encoded.sequence_ids(window)) if sequence == 1]
    if not (offsets[own[0]][0] <= start and offsets[own[-1]][1] >= end):
        return 0, 0
    return max(t for t in own if offsets[t][0] <= start), min(t for t in own if offsets[t][1] >= end)


def batch(encoded, rows: list[int]) -> dict:
    given = {name: [encoded[name][row] for row in rows] for name in tokenizer.model_input_names if name in encoded}
    return dict(tokenizer.pad(given, return_tensors="pt"))


def answers(model, encoded, table) -> list[str]:
    found = collections.defaultdict(list)
    with torch.inference_mode():
        for first in range(0, len(encoded["input_ids"]), 16):
            rows = list(range(first, min(first + 16, len(encoded["input_ids"]))))
            output = model(**batch(encoded, rows))
            for row, starts, ends in zip(rows, output.start_logits, output.end_logits, strict=True):
                own = {token for token, sequence in enumerate(encoded.sequence_ids(row)) if sequence == 1}
                for start in starts.argsort(descending=True)[:BEST].tolist():
                    for end in ends.argsort(descending=True)[:BEST].tolist():
                        if start in own and end in own and start <= end < start + LONGEST:
                            offsets = encoded["offset_mapping"][row]
                            place = offsets[start][0], offsets[end][1]
                            question = encoded["overflow_to_sample_mapping"][row]
                            found[question].append((float(starts[start] + ends[end]), place))
    return [
        table["context"][row][slice(*max(found[row])[1])] if found[row] else "" for row in range(len(table))
    ]


rows, test_rows = windows(train), windows(test)
spans = [span(rows, window, train["answers"]) for window in range(len(rows["input_ids"]))]


def losses(model, seed: int, size: int):
    for epoch in range(arguments.epochs):
        order = list(range(len(spans)))
        random.Random(seed * arguments.epochs + epoch).shuffle(order)
        for first in range(0, len(order), size):
            own = order[first : first + size]
            places = torch.tensor([spans[row] for row in own])
            yield model(**batch(rows, own), start_positions=places[:, 0], end_positions=places[:, 1]).loss


for seed in arguments.seeds:
    torch.manual_seed(seed)
    base = AutoModelForQuestionAnswering.from_pretrained(data.model, dtype=torch.float32)
    model = begun(base, arguments.start, "QUESTION_ANS")
    size = ANSWER_RECIPE["rows_per_batch"]
    total = arguments.epochs * math.ceil(len(spans) / size)
    seconds = train_model(model, losses(model, seed, size), total, data.learning_rate, data.head_lr_ratio)
    model.eval()
    start = time.perf_counter()
    found = answers(model, test_rows, test)
    answer_seconds = round(time.perf_counter() - start, 1)
    accepted = [[answer.text for answer in own] for own in test["answers"]]
    measured = graft.evaluation.answers(found, accepted, script=data.script).values
    result = {"data": arguments.data, "seed": seed, "windows": len(spans), "train_seconds": seconds, "answer_seconds": answer_seconds}
    settings.emit("answers", side="PEFT", **result, exact_match=round(measured["exact_match"], 4), f1=round(measured["f1"], 4))
