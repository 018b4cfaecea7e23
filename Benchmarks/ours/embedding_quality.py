"""The recipe of peers/embedding_quality.py in Graft."""

import time

import graft
import settings
from data import embedding_parser, stsb
from ours.adapted_model import load_model

arguments = embedding_parser(__doc__).parse_args()
model = load_model("minilm", "float32")
tokenizer = graft.Tokenizer(settings.MODELS / "minilm")
train, test = (
    graft.Dataset.from_groups(tokenizer, pairs, targets=targets, maximum_length=128)
    for pairs, targets in map(stsb, ("train", "test"))
)
for seed in arguments.seeds:
    adapter = graft.Adapter.create(
        model, "lora", {"r": 8, "lora_alpha": 16, "target_modules": ["query", "value"], "lora_dropout": 0.1}, seed=seed
    )
    adapter.set_head("sentence_embedding")
    trainer = graft.Trainer(
        model,
        adapter,
        loss=arguments.loss,
        learning_rate=1e-3,
        weight_decay=0.01,
        warmup_ratio=0.06,
        rows_per_batch=64,
        epoch_count=arguments.epochs,
        seed=seed,
        threads=settings.THREADS,
    )
    with trainer:
        before = trainer.evaluate(test).values["spearman"]
        start = time.perf_counter()
        trainer.fit(train, progress=False)
        seconds = round(time.perf_counter() - start, 1)
        spearman = trainer.evaluate(test).values["spearman"]
    settings.emit(
        "embedding quality", side="Graft", loss=arguments.loss, seed=seed, train_seconds=seconds,
        before=round(before, 5), test_spearman=round(spearman, 5),
    )  # fmt: skip
