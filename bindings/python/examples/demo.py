"""Trains two adapters on one frozen model, each for its own question about the same messages, and
shows what they add.

    python demo.py MODEL DATA ADAPTERS

DATA has a folder for each question, with train.tsv and test.tsv of `text TAB label` lines. For each
question, a head alone on the frozen model is trained first, then an adapter with the same head;
both are measured on wordings that the training never saw. The heads read the mean of a text's
tokens, for which the model was made.
"""

import sys
import time
from pathlib import Path

import graft

#: Nothing below the head is trained.
HEAD_ALONE = {"target_modules": "dummy-target-modules"}


def main(folder: Path, data: Path, adapters: Path) -> None:
    model, tokenizer = graft.Model(folder), graft.Tokenizer(folder)
    print(f"{'question':<10}{'trained':<16}{'macro F1':>10}{'parameters':>12}{'file':>10}{'seconds':>9}")
    for question in sorted(path for path in data.iterdir() if path.is_dir()):
        train = graft.Dataset.from_tsv(tokenizer, question / "train.tsv")
        test = graft.Dataset.from_tsv(tokenizer, question / "test.tsv", label_names=train.label_names)

        def measure(trained: str, adapter: graft.Adapter, learning_rate: float) -> None:
            started = time.monotonic()
            with graft.Trainer(model, adapter, learning_rate=learning_rate, epoch_count=3) as trainer:
                trainer.fit(train)
                seconds = time.monotonic() - started
                result = trainer.evaluate(test)
            path = adapters / (question.name if trained == "adapter" else f"{question.name}-head")
            adapters.mkdir(parents=True, exist_ok=True)
            adapter.save(path)
            size = sum(file.stat().st_size for file in path.iterdir())
            print(
                f"{question.name:<10}{trained:<16}{result.macro_f1:>10.3f}{adapter.parameter_count:>12,}"
                f"{size / 1e6:>7.2f} MB{seconds:>9.1f}",
                flush=True,
            )

        head = graft.Adapter.create(model, "lora", HEAD_ALONE)
        head.set_head(labels=train.label_names, pooling="mean")
        measure("head alone", head, 1e-2)  # as fast as a head alone can learn

        adapter = graft.Adapter.create(model)
        adapter.set_head(labels=train.label_names, pooling="mean")
        measure("adapter", adapter, 1e-3)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: demo.py MODEL DATA ADAPTERS")
    try:
        main(*map(Path, sys.argv[1:]))
    except graft.GraftError as error:
        sys.exit(f"demo.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
