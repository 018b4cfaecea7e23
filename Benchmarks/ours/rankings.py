"""The recipe of peers/rankings.py in Graft."""

import time

import graft
import settings
from data import LINEAR_LORA, order_figures
from groups import RANKING_LOSSES, RANKING_RECIPE, ranking_parser, rankings

arguments = ranking_parser(__doc__).parse_args()
model, tokenizer = graft.Model(settings.TINY), graft.Tokenizer(settings.TINY)
train, test = (
    graft.Dataset.from_rankings(
        tokenizer, part.questions, part.candidates, part.relevance, maximum_length=RANKING_RECIPE.maximum_length
    )
    for part in rankings(arguments.rows)
)
for seed in arguments.seeds:
    adapter = graft.Adapter.create(model, "lora", LINEAR_LORA, seed=seed)
    adapter.set_head("regression", dense_layer=True)
    with graft.Trainer(
        model,
        adapter,
        loss=arguments.loss,
        loss_settings=RANKING_LOSSES[arguments.loss],
        seed=seed,
        threads=settings.THREADS,
        learning_rate=RANKING_RECIPE.learning_rate,
        weight_decay=0.01,
        warmup_ratio=0.06,
        rows_per_batch=RANKING_RECIPE.rows_per_batch,
        epoch_count=arguments.epochs,
    ) as trainer:
        before = order_figures(trainer.evaluate(test))
        start = time.perf_counter()
        trainer.fit(train, progress=False)
        seconds = round(time.perf_counter() - start, 1)
        found = order_figures(trainer.evaluate(test))
    settings.emit("rankings", side="Graft", loss=arguments.loss, seed=seed, train_seconds=seconds, before=before, **found)
