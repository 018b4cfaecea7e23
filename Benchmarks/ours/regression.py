"""The recipe of peers/regression.py in Graft."""

import time

import graft
import settings
from data import REGRESSION_RECIPE, regression_parser, regression_parts
from ours.adapted_model import load_model, make_adapter

arguments = regression_parser(__doc__).parse_args()
model, tokenizer = load_model("minilm", "float32"), graft.Tokenizer(settings.MODELS / "minilm")
train, test = (
    graft.Dataset(
        tokenizer,
        [first for first, _ in pairs],
        pairs=[second for _, second in pairs],
        targets=targets,
        maximum_length=REGRESSION_RECIPE["maximum_length"],
    )
    for pairs, targets in regression_parts(arguments)
)
for seed in arguments.seeds:
    adapter = make_adapter(model, [], lora_dropout=0.1, seed=seed, head="regression")
    with graft.Trainer(
        model,
        adapter,
        seed=seed,
        threads=settings.THREADS,
        learning_rate=REGRESSION_RECIPE["learning_rate"],
        weight_decay=0.01,
        warmup_ratio=0.06,
        rows_per_batch=REGRESSION_RECIPE["rows_per_batch"],
        epoch_count=arguments.epochs,
    ) as trainer:
        start = time.perf_counter()
        trainer.fit(train, progress=False)
        seconds = round(time.perf_counter() - start, 1)
        measured = trainer.evaluate(test).values
    settings.emit(
        "regression", side="Graft", seed=seed, rows=len(train), train_seconds=seconds,
        pearson=round(measured["pearson"], 4), spearman=round(measured["spearman"], 4),
    )  # fmt: skip
