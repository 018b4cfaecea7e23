"""The recipe of peers/tag_quality.py in Graft."""

import time

import graft
import settings
from data import TAG_RECIPE, TAG_SETS, tag_parser
from ours.adapted_model import begun

arguments = tag_parser(__doc__).parse_args()
tags = TAG_SETS[arguments.data]
parts = tags.parts(arguments.rows)
names = sorted({tag for _, rows in parts for row in rows for tag in row})
model, tokenizer = graft.Model(tags.model), graft.Tokenizer(tags.model)
train, test = (
    graft.Dataset.from_words(tokenizer, *part, label_names=names, maximum_length=TAG_RECIPE["maximum_length"])
    for part in parts
)
for seed in arguments.seeds:
    adapter = begun(model, arguments.start, seed, "token_classification", names)
    with graft.Trainer(
        model,
        adapter,
        seed=seed,
        threads=settings.THREADS,
        learning_rate=tags.learning_rate,
        optimizer_settings={"weight_decay": 0.01, "head_lr_ratio": tags.head_lr_ratio},
        schedule_settings={"warmup_ratio": 0.06},
        rows_per_batch=TAG_RECIPE["rows_per_batch"],
        epoch_count=arguments.epochs,
        group_by_length=1,
    ) as trainer:
        start = time.perf_counter()
        trainer.fit(train, progress=False)
        seconds = round(time.perf_counter() - start, 1)
        found = trainer.evaluate(test).values["entity_f1"]
    settings.emit(
        "tag quality", side="Graft", data=arguments.data, seed=seed, train_seconds=seconds, entity_f1=round(found, 4)
    )
    if arguments.save:
        adapter.save(arguments.save)
