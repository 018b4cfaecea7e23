"""Finds answers to questions in texts, with a LoRA adapter that learns it from others.

    python answer.py MODEL SQUAD.json ADAPTER

The file is in SQuAD's form. Articles are split: what the adapter is measured on is about none that
it learned from.
"""

import argparse
from pathlib import Path

import graft


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
    train, test = table.take(chosen).split(0.3, group="group")
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
    found = session.answer(test["question"], test["context"], stride=64)
    for question, answer in list(zip(test["question"], found))[:3]:
        print(f"{question}\n  {answer.text}  (score {answer.score:.2f}, no answer {answer.no_answer_score:.2f})")
    measured = graft.evaluation.answers(
        [answer.text for answer in found],
        [[answer.text for answer in own] for own in test["answers"]],
        no_answer_scores=[answer.no_answer_score for answer in found],
        script=arguments.script,
    )
    print(f"exact match {measured.values['exact_match']:.4f}  F1 {measured.values['f1']:.4f} of {len(test)} questions")


if __name__ == "__main__":
    main()
