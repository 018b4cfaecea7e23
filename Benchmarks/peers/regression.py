"""How alike the two sentences of a pair are, read together, in PEFT and transformers: MiniLM on
STS-B, correlations of the test pairs, for each seed.

LoRA of rank 8 on query and value with dropout 0.1, the model's own dropout 0.1, the head of
transformers' class with one output and its squared error, AdamW with rate 1e-3 and decay 0.01,
linear schedule with 6 % warm-up, gradients clipped to norm 1, batches of 16.
"""

import math

import settings
from data import REGRESSION_RECIPE, regression_parser, regression_parts, shuffled
from peers.adapted_model import load, torch_for, train as train_model

arguments = regression_parser(__doc__).parse_args()
torch = torch_for("medium")
from scipy.stats import pearsonr, spearmanr  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

SIZE = REGRESSION_RECIPE["rows_per_batch"]
tokenizer = AutoTokenizer.from_pretrained(settings.MODELS / "minilm")
(train, train_targets), (test, test_targets) = regression_parts(arguments)


def batch(pairs: list[list[str]]) -> dict:
    firsts, seconds = map(list, zip(*pairs))
    length = REGRESSION_RECIPE["maximum_length"]
    return dict(tokenizer(firsts, seconds, truncation=True, max_length=length, padding=True, return_tensors="pt"))


def predictions(model) -> list[float]:
    model.eval()
    with torch.inference_mode():
        found = [model(**batch(test[first : first + 64])).logits[:, 0] for first in range(0, len(test), 64)]
    return torch.cat(found).tolist()


def losses(model, seed: int):
    for epoch in range(arguments.epochs):
        order = shuffled(len(train), seed * arguments.epochs + epoch)
        for first in range(0, len(order), SIZE):
            rows = order[first : first + SIZE]
            targets = torch.tensor([train_targets[row] for row in rows])
            yield model(**batch([train[row] for row in rows]), labels=targets).loss


for seed in arguments.seeds:
    torch.manual_seed(seed)
    model = load("minilm", 1, model_dropout=0.1, lora_dropout=0.1).train()
    total = arguments.epochs * math.ceil(len(train) / SIZE)
    seconds = train_model(model, losses(model, seed), total, REGRESSION_RECIPE["learning_rate"])
    found = predictions(model)
    settings.emit(
        "regression", side="PEFT", seed=seed, rows=len(train), train_seconds=seconds,
        pearson=round(float(pearsonr(found, test_targets).statistic), 4),
        spearman=round(float(spearmanr(found, test_targets).statistic), 4),
    )  # fmt: skip
