"""Finds answers to questions in texts, or that there is none, with a LoRA adapter that learns it
from others.

    python answer.py MODEL SQUAD.json ADAPTER

The file is in SQuAD's form. Articles are split: what the adapter is measured on is about none that
it learned from, nor that the threshold was chosen on, above which a question has no answer.
"""

import argparse
from pathlib import Path
from typing import Literal

import graft


def with_unanswered(table: graft.Table) -> graft.Table:
    """Where all questions have an answer, every third is asked of another's context, as one that
    has none there."""
    if not all(table["answers"]):
        return table
    rows = list(table)
    for number in range(0, len(rows), 3):
        context = table["context"][(number + len(rows) // 2) % len(rows)]
        if context != rows[number]["context"]:
            rows[number].update(context=context, answers=[])
    return graft.Table.read(rows)


def measure(found: list[graft.FoundAnswer], table: graft.Table, script: Literal["squad", "cmrc"]) -> dict[str, float]:
    """What answers to the questions of a table are worth."""
    evaluation = graft.evaluation.answers(
        [answer.text for answer in found],
        [[answer.text for answer in own] for own in table["answers"]],
        no_answer_scores=[answer.no_answer_score for answer in found],
        script=script,
    )
    return dict(evaluation.values)


def main() -> None:
    parser = argparse.ArgumentParser(description="Find answers to questions in texts.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("questions", type=Path, help="file in SQuAD's form")
    parser.add_argument("adapter", type=Path, help="folder to save the adapter in")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows", type=int, help="questions to use, about (default: all)")
    parser.add_argument("--script", choices=["squad", "cmrc"], default="squad", help="whose measures; cmrc for Chinese")
    arguments = parser.parse_args()

    table = graft.Table.read(arguments.questions)
    # Of all articles alike.
    chosen = range(0, len(table), max(1, len(table) // (arguments.rows or len(table))))
    parts = table.take(chosen).split(0.2, 0.2, group="group")
    train, validation, test = (with_unanswered(part) for part in parts)
    model, tokenizer = graft.Model(arguments.model), graft.Tokenizer(arguments.model)
    rows = graft.Dataset.from_table(tokenizer, train, maximum_length=256, stride=64)
    print(f"{model}, {len(train)} questions in {len(rows)} windows, {len(test)} of other articles to answer")

    adapter = graft.Adapter.create(model, "lora", {"r": 16, "lora_alpha": 32})
    adapter.set_head("question_answering")
    with graft.Trainer(
        model, adapter, learning_rate=2e-3, rows_per_batch=8, epoch_count=arguments.epochs
    ) as trainer:
        trainer.fit(rows)
    adapter.save(arguments.adapter)

    session = graft.Session(model, tokenizer, adapter)
    found = session.answer(validation["question"], validation["context"], stride=64)
    measured = measure(found, validation, arguments.script)
    threshold = measured["best_f1_threshold"]
    print(
        f"threshold {threshold:.2f}  F1 {measured['best_f1']:.4f} of {len(validation)} questions,"
        f" {measured['f1']:.4f} without it"
    )

    found = session.answer(test["question"], test["context"], threshold=threshold, stride=64)
    for row, answer in list(zip(test, found))[:4]:
        scores = f"score {answer.score:.2f}, no answer {answer.no_answer_score:.2f}"
        expected = row["answers"][0].text if row["answers"] else "no answer"
        print(f"{row['question']}\n  {answer.text or 'has no answer'}  ({scores}; expected: {expected})")
    measured = measure(found, test, arguments.script)
    print(
        f"exact match {measured['exact_match']:.4f}  F1 {measured['f1']:.4f} of {len(test)} questions:"
        f" {measured['has_answer_f1']:.4f} of those with an answer, {measured['no_answer_f1']:.4f} of those without"
    )


if __name__ == "__main__":
    main()
