"""The recipe of peers/retrieval.py in Graft."""

import time

import graft
import settings
from data import LINEAR_LORA, RETRIEVAL_RECIPE, retrieval, retrieval_parser

arguments = retrieval_parser(__doc__).parse_args()
model, tokenizer = graft.Model(RETRIEVAL_RECIPE["model"]), graft.Tokenizer(RETRIEVAL_RECIPE["model"])
data, length = retrieval(), RETRIEVAL_RECIPE["maximum_length"]
train = graft.Dataset.from_groups(tokenizer, data.train, maximum_length=length)


def measured(adapter: graft.Adapter | None) -> dict[str, float]:
    with graft.Session(model, tokenizer, adapter, settings.THREADS, maximum_length=length) as session:
        stored, asked = session.embed(data.paragraphs), session.embed(data.questions)
    products = [[0.0] * len(data.paragraphs) for _ in data.questions]
    for own, found in zip(products, graft.nearest(stored, asked, len(stored), threads=settings.THREADS), strict=True):
        for place, product in found:
            own[place] = product
    return data.measured(products)


before = measured(None)
for seed in arguments.seeds:
    adapter = graft.Adapter.create(model, "lora", LINEAR_LORA, seed=seed)
    adapter.set_head("sentence_embedding")
    with graft.Trainer(
        model,
        adapter,
        loss="in_batch_negatives",
        seed=seed,
        threads=settings.THREADS,
        learning_rate=RETRIEVAL_RECIPE["learning_rate"],
        weight_decay=0.01,
        warmup_ratio=0.06,
        rows_per_batch=2 * RETRIEVAL_RECIPE["pairs_per_batch"],
        epoch_count=arguments.epochs,
    ) as trainer:
        start = time.perf_counter()
        trainer.fit(train, progress=False)
        seconds = round(time.perf_counter() - start, 1)
    settings.emit("retrieval", side="Graft", seed=seed, train_seconds=seconds, before=before, **measured(adapter))
