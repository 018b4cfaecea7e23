"""Trains what vectors of sentences say of their likeness, on pairs that people have judged, and
prints how well the order of the cosines agrees with theirs, before and after.

    python pairs.py MODEL TRAIN.tsv TEST.tsv ADAPTER

A line of the files is: text TAB text TAB likeness, any number. ADAPTER is the folder to save to.
"""

import argparse
import sys
from pathlib import Path

import graft


def read_pairs(tokenizer: graft.Tokenizer, path: Path) -> graft.Dataset:
    fields = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return graft.Dataset.from_groups(
        tokenizer, [row[:2] for row in fields], targets=[float(row[2]) for row in fields], maximum_length=128
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Train vectors of sentences on pairs that were judged.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("adapter", type=Path, help="folder to save to")
    parser.add_argument("--epochs", type=int, default=2)
    arguments = parser.parse_args()

    model = graft.Model(arguments.model)
    tokenizer = graft.Tokenizer(arguments.model)
    train, test = (read_pairs(tokenizer, path) for path in (arguments.train, arguments.test))
    adapter = graft.Adapter.create(model)
    adapter.set_head("sentence_embedding")
    with graft.Trainer(
        model, adapter, loss="cosent", rows_per_batch=64, epoch_count=arguments.epochs
    ) as trainer:
        print(f"before  {trainer.evaluate(test).spearman:.4f}")
        trainer.fit(train)
        print(f"after   {trainer.evaluate(test).spearman:.4f}")
    adapter.save(arguments.adapter)


if __name__ == "__main__":
    try:
        main()
    except (graft.GraftError, ValueError) as error:
        sys.exit(f"pairs.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
