"""Vectors of sentences in PEFT below a loss of sentence-transformers: MiniLM on STS-B, Spearman's
correlation of the test pairs' cosines, and seconds, for each seed.

LoRA of rank 8 on query and value with dropout 0.1, the model's own dropout 0.1, mean pooling, AdamW
with rate 1e-3 and decay 0.01, linear schedule with 6 % warm-up, gradients clipped to norm 1,
batches of 32 pairs.
"""

import math

import settings
from data import embedding_parser, shuffled, stsb
from peers.adapted_model import collate, load_tokenizer, pair_loss, torch_for, vectors, train as train_model

BATCH_PAIRS, MAXIMUM_TOKENS = 32, 128

arguments = embedding_parser(__doc__).parse_args()
torch = torch_for("medium")
from peft import LoraConfig, get_peft_model  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402
from transformers import AutoModel  # noqa: E402

tokenizer = load_tokenizer()
tokenizer.enable_truncation(MAXIMUM_TOKENS)
(train, train_targets), (test, test_targets) = map(stsb, ("train", "test"))
train_ids, test_ids = (
    [[encoding.ids for encoding in tokenizer.encode_batch(pair)] for pair in pairs] for pairs in (train, test)
)


def pair_vectors(model, pairs):
    return [vectors(model, collate([pair[side] for pair in pairs])) for side in (0, 1)]


def spearman(model) -> float:
    model.eval()
    cosines = []
    with torch.inference_mode():
        for start in range(0, len(test_ids), 64):
            a, b = pair_vectors(model, test_ids[start : start + 64])
            cosines += (a * b).sum(-1).tolist()
    return float(spearmanr(cosines, test_targets).statistic)


loss_of = pair_loss(arguments.loss)


def losses(model, seed: int):
    for epoch in range(arguments.epochs):
        order = shuffled(len(train), seed * arguments.epochs + epoch)
        for first in range(0, len(order), BATCH_PAIRS):
            rows = order[first : first + BATCH_PAIRS]
            targets = torch.tensor([train_targets[row] for row in rows])
            yield loss_of(pair_vectors(model, [train_ids[row] for row in rows]), targets)


for seed in arguments.seeds:
    torch.manual_seed(seed)
    total = arguments.epochs * math.ceil(len(train) / BATCH_PAIRS)
    config = LoraConfig(
        task_type="FEATURE_EXTRACTION", r=8, lora_alpha=16, target_modules=["query", "value"], lora_dropout=0.1
    )
    model = get_peft_model(AutoModel.from_pretrained(settings.MODELS / "minilm"), config)
    before = spearman(model)
    model.train()
    seconds = train_model(model, losses(model, seed), total, 1e-3)
    settings.emit(
        "embedding quality", side="PEFT", loss=arguments.loss, seed=seed, train_seconds=seconds,
        before=round(before, 5), test_spearman=round(spearman(model), 5),
    )  # fmt: skip
