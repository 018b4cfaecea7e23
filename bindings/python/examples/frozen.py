"""Trains a linear layer with softmax on a frozen model with Adagrad, then the same beside an
adapter, and prints what both are right about.

    python frozen.py MODEL TRAIN.tsv TEST.tsv

A line of the files is: text TAB label.
"""

import argparse
import sys
from pathlib import Path

import graft

#: With this name in place of modules, nothing but the head is trained.
HEAD_ALONE = {"target_modules": "dummy-target-modules"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a head on a frozen model with Adagrad, then head and adapter.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()

    model = graft.Model(arguments.model)
    tokenizer = graft.Tokenizer(arguments.model)
    train = graft.Dataset.from_tsv(tokenizer, arguments.train, maximum_length=128)
    test = graft.Dataset.from_tsv(tokenizer, arguments.test, label_names=train.label_names, maximum_length=128)

    print("Adagrad                trained parameters   accuracy   macro F1")
    for name, config, rate in (("frozen, head alone", HEAD_ALONE, 0.02), ("frozen, with adapter", None, 0.005)):
        adapter = graft.Adapter.create(model, config=config)
        adapter.set_head(labels=train.label_names, pooling="mean")
        with graft.Trainer(
            model,
            adapter,
            optimizer="adagrad",
            schedule="constant",
            learning_rate=rate,
            epoch_count=arguments.epochs,
        ) as trainer:
            trainer.fit(train)
            result = trainer.evaluate(test)
        print(f"{name:22} {adapter.parameter_count:18}   {result.accuracy:.4f}     {result.macro_f1:.4f}")


if __name__ == "__main__":
    try:
        main()
    except graft.GraftError as error:
        sys.exit(f"frozen.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
