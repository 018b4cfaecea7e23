"""What an adapter learns of XQuAD, split by article, in Graft: the recipe of peers/answers.py."""

import time

import graft
import settings
from data import ANSWER_RECIPE, ANSWER_SETS, answer_parser, answer_parts
from ours.adapted_model import begun

arguments = answer_parser(__doc__).parse_args()
data = ANSWER_SETS[arguments.data]
train, test = answer_parts(arguments)
model, tokenizer = graft.Model(data.model), graft.Tokenizer(data.model)
length, stride = ANSWER_RECIPE["maximum_length"], ANSWER_RECIPE["stride"]
rows = graft.Dataset.from_table(tokenizer, train, maximum_length=length, stride=stride)
for seed in arguments.seeds:
    adapter = begun(model, arguments.start, seed, "question_answering")
    with graft.Trainer(
        model,
        adapter,
        seed=seed,
        threads=settings.THREADS,
        learning_rate=data.learning_rate,
        optimizer_settings={"weight_decay": 0.01, "head_lr_ratio": data.head_lr_ratio},
        schedule_settings={"warmup_ratio": 0.06},
        rows_per_batch=ANSWER_RECIPE["rows_per_batch"],
        epoch_count=arguments.epochs,
    ) as trainer:
        start = time.perf_counter()
        trainer.fit(rows, progress=False)
        seconds = round(time.perf_counter() - start, 1)
    start = time.perf_counter()
    with graft.Session(model, tokenizer, adapter, settings.THREADS) as session:
        found = session.answer(test["question"], test["context"], stride=stride)
    answer_seconds = round(time.perf_counter() - start, 1)
    accepted = [[answer.text for answer in own] for own in test["answers"]]
    measured = graft.evaluation.answers([answer.text for answer in found], accepted, script=data.script).values
    result = {"data": arguments.data, "seed": seed, "windows": len(rows), "train_seconds": seconds, "answer_seconds": answer_seconds}
    settings.emit("answers", side="Graft", **result, exact_match=round(measured["exact_match"], 4), f1=round(measured["f1"], 4))
    if arguments.save:
        adapter.save(arguments.save)
