"""The recipe of peers/choices.py in Graft."""

import time

import graft
import settings
from data import LINEAR_LORA
from groups import CHOICE_RECIPE, choice_parser, choices

arguments = choice_parser(__doc__).parse_args()
model, tokenizer = graft.Model(settings.TINY), graft.Tokenizer(settings.TINY)
train, test = (
    graft.Dataset.from_choices(
        tokenizer, part.questions, part.candidates, part.right, maximum_length=CHOICE_RECIPE.maximum_length
    )
    for part in choices()
)
for seed in arguments.seeds:
    adapter = graft.Adapter.create(model, "lora", LINEAR_LORA, seed=seed)
    adapter.set_head("multiple_choice", dense_layer=True)
    with graft.Trainer(
        model,
        adapter,
        seed=seed,
        threads=settings.THREADS,
        learning_rate=CHOICE_RECIPE.learning_rate,
        weight_decay=0.01,
        warmup_ratio=0.06,
        rows_per_batch=CHOICE_RECIPE.rows_per_batch,
        epoch_count=arguments.epochs,
    ) as trainer:
        before = trainer.evaluate(test).accuracy
        start = time.perf_counter()
        trainer.fit(train, progress=False)
        seconds = round(time.perf_counter() - start, 1)
        accuracy = trainer.evaluate(test).accuracy
    settings.emit(
        "choices", side="Graft", seed=seed, train_seconds=seconds,
        before=round(before, 4), test_accuracy=round(accuracy, 4),
    )  # fmt: skip
