"""Chooses the right answer of several, with a LoRA adapter that learns it from other questions.
Prints how many of the test questions it gets right before and after, and its answers to the first.

    python choose.py MODEL TRAIN.tsv TEST.tsv ADAPTER

A line of the files is: question TAB choice TAB choice ... TAB number of the right one, from 0.
There may be any number of choices. ADAPTER is the folder to save to.
"""

import argparse
import sys
from pathlib import Path

import graft


def read_questions(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Questions, the choices of each, and which of them is the right one."""
    fields = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [row[0] for row in fields], [row[1:-1] for row in fields], [int(row[-1]) for row in fields]


def main() -> None:
    parser = argparse.ArgumentParser(description="Choose the right answer of several.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("adapter", type=Path, help="folder to save to")
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()

    model, tokenizer = graft.Model(arguments.model), graft.Tokenizer(arguments.model)
    parts = [read_questions(path) for path in (arguments.train, arguments.test)]
    train, test = (graft.Dataset.from_choices(tokenizer, *part, maximum_length=128) for part in parts)
    adapter = graft.Adapter.create(model)
    adapter.set_head("multiple_choice", dense_layer=True)
    with graft.Trainer(
        model, adapter, learning_rate=2e-3, rows_per_batch=32, epoch_count=arguments.epochs
    ) as trainer:
        print(f"before  accuracy {trainer.evaluate(test).accuracy:.4f}")
        trainer.fit(train, progress=False)
        print(f"after   accuracy {trainer.evaluate(test).accuracy:.4f}")
    adapter.save(arguments.adapter)

    questions, choices, right = parts[1]
    scores = graft.Session(model, tokenizer, adapter).score(questions[:3], choices[:3])
    for question, own, found, expected in zip(questions, choices, scores, right):
        best = max(range(len(own)), key=found.__getitem__)
        print(question, f"  {'right' if best == expected else 'wrong'}: {own[best]}", sep="\n")


if __name__ == "__main__":
    try:
        main()
    except (graft.GraftError, ValueError) as error:
        sys.exit(f"choose.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
