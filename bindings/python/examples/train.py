"""Trains a LoRA adapter that classifies text, measures it on the test split, and saves it.

    python train.py MODEL DATA ADAPTER

DATA has train.tsv, validation.tsv and test.tsv with `text TAB label` lines.
"""

import argparse
import sys
from pathlib import Path

import graft


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a LoRA adapter that classifies text.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("data", type=Path, help="folder of train.tsv, validation.tsv and test.tsv")
    parser.add_argument("adapter", type=Path, help="folder to save the adapter in")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()

    model = graft.Model(arguments.model, precision=arguments.precision)
    tokenizer = graft.Tokenizer(arguments.model)
    train = graft.Dataset.from_tsv(tokenizer, arguments.data / "train.tsv", maximum_length=128)
    labels = train.label_names
    validation, test = (
        graft.Dataset.from_tsv(tokenizer, arguments.data / name, label_names=labels, maximum_length=128)
        for name in ("validation.tsv", "test.tsv")
    )

    adapter = graft.Adapter.create(model)
    # The mean is what sentence encoders are made for. Without `pooling` the head is one that opens
    # in PEFT.
    adapter.set_head(labels=labels, pooling="mean")
    print(f"{model}, {adapter.parameter_count:,} trained parameters, {len(train)} rows to train on")

    with graft.Trainer(model, adapter, epoch_count=arguments.epochs, metric="macro_f1") as trainer:
        best = trainer.fit(train, evaluation=validation)
        print(f"best on the validation set: {best}")
        result = trainer.evaluate(test)
    print(f"test set: {result}\n\nrow: true label, column: predicted\n{result.confusion_table()}")
    arguments.adapter.parent.mkdir(parents=True, exist_ok=True)
    adapter.save(arguments.adapter)
    print(f"\nsaved in {arguments.adapter}")


if __name__ == "__main__":
    try:
        main()
    except graft.GraftError as error:
        sys.exit(f"train.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
