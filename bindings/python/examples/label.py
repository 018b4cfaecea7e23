"""Finds all labels that a text has, of which it may have any number, with a LoRA adapter that
learns them from others.

    python label.py MODEL TRAIN.tsv VALIDATION.tsv TEST.tsv ADAPTER

A line of a file is: text TAB labels, with commas between them, or nothing behind the tab. From
which probability on a text has a label is chosen for each label on the texts of VALIDATION, and
measured on those of TEST beside one half for all. ADAPTER is the folder to save to.
"""

import argparse
import sys
from pathlib import Path

import graft


def main() -> None:
    parser = argparse.ArgumentParser(description="Find all labels that a text has.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    for name in ("train", "validation", "test"):
        parser.add_argument(name, type=Path)
    parser.add_argument("adapter", type=Path, help="folder to save to")
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()

    model, tokenizer = graft.Model(arguments.model), graft.Tokenizer(arguments.model)
    train, validation, test = (
        graft.Table.read(path, "tsv", columns={"text": 0, "labels": 1}, header=False)
        for path in (arguments.train, arguments.validation, arguments.test)
    )
    # In the order in which they come; a label that is not among them is an error.
    labels = list(dict.fromkeys(label for own in train["labels"] for label in own))
    rows = graft.Dataset.from_table(tokenizer, train, label_names=labels, maximum_length=128)
    adapter = graft.Adapter.create(model)
    adapter.set_head("multi_label_classification", labels, pooling="mean")
    with graft.Trainer(model, adapter, learning_rate=2e-3, epoch_count=arguments.epochs) as trainer:
        trainer.fit(rows, progress=False)
    adapter.save(arguments.adapter)

    session = graft.Session(model, tokenizer, adapter)
    found = session.predict_proba(validation["text"])
    best = graft.evaluation.label_sets(marks(validation["labels"], labels), found).table("thresholds")
    # A label that is never found keeps one half.
    thresholds = [threshold if f1 > 0 else 0.5 for threshold, f1 in best]
    half, own = (
        graft.evaluation.label_sets(
            marks(test["labels"], labels), marks(session.predict_labels(test["text"], threshold=threshold), labels)
        )
        for threshold in (0.5, thresholds)
    )
    print(f"{'label':16} threshold  F1      F1 at one half")
    for label, threshold, ours, others in zip(labels, thresholds, own.table("labels"), half.table("labels")):
        print(f"{label:16} {threshold:.4f}     {ours[2]:.4f}  {others[2]:.4f}")
    print(f"macro F1 {own.macro_f1:.4f}, {half.macro_f1:.4f} at one half")


def marks(sets: list[list[str]], labels: list[str]) -> list[list[int]]:
    """1 or 0 for each label of each text."""
    return [[int(label in own) for label in labels] for own in sets]


if __name__ == "__main__":
    try:
        main()
    except graft.GraftError as error:
        sys.exit(f"label.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
