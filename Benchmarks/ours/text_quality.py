"""The recipe of peers/text_quality.py in Graft. Leaves the adapter of each seed as it was and as it
became, for the peer.
"""

import time

import graft
import settings
from texts import (
    NEW_TOKENS,
    TEXT_LORA,
    TEXT_TASKS,
    conversation,
    text_batches,
    text_measures,
    text_parser,
    training_result,
    warmup_steps,
)

arguments = text_parser(__doc__).parse_args()
task = TEXT_TASKS[arguments.task]
model, tokenizer = graft.Model(task.model, threads=settings.THREADS), graft.Tokenizer(task.model)
train, test = task.parts(arguments.rows)


def table(pairs) -> graft.Table:
    if task.head == "seq_2_seq_lm":
        return graft.Table({"source": [source for source, _ in pairs], "output": [output for _, output in pairs]})
    return graft.Table({"messages": [conversation(*pair) for pair in pairs]})


def prompts(pairs) -> list[str]:
    if task.head == "seq_2_seq_lm":
        return [source for source, _ in pairs]
    openings = [conversation(*pair)[:1] for pair in pairs]
    return [tokenizer.apply_chat_template(own, add_generation_prompt=True, tokenize=False) for own in openings]


rows, test_rows = table(train), graft.Dataset.from_table(tokenizer, table(test))
for seed in arguments.seeds:
    batches = text_batches(len(train), task.epochs, seed)
    adapter = graft.Adapter.create(model, "lora", TEXT_LORA, seed=seed)
    adapter.set_head(task.head)
    adapter.save(arguments.adapters / f"{arguments.task}-{seed}-fresh")
    with graft.Trainer(
        model,
        adapter,
        threads=settings.THREADS,
        learning_rate=task.learning_rate,
        weight_decay=0.01,
        schedule_settings={"warmup_steps": warmup_steps(len(batches))},
        total_steps=len(batches),
    ) as trainer:
        before = trainer.evaluate(test_rows).loss
        start = time.perf_counter()
        losses = [trainer.step(graft.Batch.from_table(tokenizer, rows.take(own))).loss for own in batches]
        seconds = round(time.perf_counter() - start, 1)
        after = trainer.evaluate(test_rows).loss
    adapter.save(arguments.adapters / f"{arguments.task}-{seed}-trained")
    start = time.perf_counter()
    with graft.Session(model, tokenizer, adapter, settings.THREADS) as session:
        written = list(map(str, session.generate(prompts(test), maximum_tokens=NEW_TOKENS)))
    result = training_result(arguments.task, seed, before, after, losses) | {
        "train_seconds": seconds,
        "write_seconds": round(time.perf_counter() - start, 1),
    }
    measures = text_measures(written, [output for _, output in test], task.tokenize)
    settings.emit("text quality", side="Graft", **result, **measures)
