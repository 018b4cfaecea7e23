"""Learns of pairs of texts how they relate: a number, such as how alike they are, or a class, such
as whether one answers the other. Prints how well it does so with others before and after, and what
it says of the first of them.

    python relate.py values|classes MODEL TRAIN.tsv TEST.tsv ADAPTER

A line of the files is: text TAB text TAB number or class. ADAPTER is the folder to save to.
"""

import argparse
import sys
from pathlib import Path

import graft


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn how pairs of texts relate.")
    parser.add_argument("kind", choices=["values", "classes"])
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("adapter", type=Path, help="folder to save to")
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()
    has_values = arguments.kind == "values"

    model, tokenizer = graft.Model(arguments.model), graft.Tokenizer(arguments.model)
    columns = {"text": 0, "pair": 1, "target" if has_values else "label": 2}
    train, test = (
        graft.Table.read(path, "tsv", columns=columns, header=False) for path in (arguments.train, arguments.test)
    )
    # In the order in which they come; a class that is not among them is an error.
    classes = None if has_values else list(dict.fromkeys(train["label"]))
    train_rows, test_rows = (
        graft.Dataset.from_table(tokenizer, table, label_names=classes, maximum_length=128) for table in (train, test)
    )
    adapter = graft.Adapter.create(model)
    adapter.set_head("regression" if has_values else "sequence_classification", classes or ["value"], dense_layer=True)
    measures = ("pearson", "spearman") if has_values else ("accuracy", "macro_f1")
    with graft.Trainer(model, adapter, learning_rate=2e-3, epoch_count=arguments.epochs) as trainer:
        before = trainer.evaluate(test_rows)
        trainer.fit(train_rows, progress=False)
        for when, measured in (("before", before), ("after ", trainer.evaluate(test_rows))):
            print(when, *(f"{name} {measured.values[name]:.4f}" for name in measures), sep="  ")
    adapter.save(arguments.adapter)

    session, shown = graft.Session(model, tokenizer, adapter), test.take(range(min(3, len(test))))
    texts, pairs = shown["text"], shown["pair"]
    if has_values:
        values = zip(session.classify(texts, pairs), shown["target"])
        said = [f"{value[0]:.2f}, expected {expected:.2f}" for value, expected in values]
    else:
        likeliest = zip(session.predict_best(texts, pairs, count=1), shown["label"])
        said = [f"{best[0][0]} {best[0][1]:.2f}, expected {expected}" for best, expected in likeliest]
    for text, pair, sentence in zip(texts, pairs, said):
        print(text, pair, f"  {sentence}", sep="\n")


if __name__ == "__main__":
    try:
        main()
    except graft.GraftError as error:
        sys.exit(f"relate.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
