"""Finds named entities in texts, with a LoRA adapter that learns them from others.

    python tag.py MODEL TRAIN.conll TEST.conll ADAPTER

A line of a file is a word and its tag, such as B-person. Texts that are too long are read in
windows.
"""

import argparse
from pathlib import Path

import graft


def main() -> None:
    parser = argparse.ArgumentParser(description="Find named entities in texts.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("train", type=Path, help="words with tags to learn from")
    parser.add_argument("test", type=Path, help="others to measure the adapter on")
    parser.add_argument("adapter", type=Path, help="folder to save the adapter in")
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()

    train, test = (graft.Table.read(path, "conll") for path in (arguments.train, arguments.test))
    tags = sorted({tag for table in (train, test) for own in table["tags"] for tag in own})
    model, tokenizer = graft.Model(arguments.model), graft.Tokenizer(arguments.model)
    rows, others = (
        graft.Dataset.from_table(tokenizer, table, label_names=tags, maximum_length=128, stride=32)
        for table in (train, test)
    )
    print(f"{len(train)} texts in {len(rows)} windows, {len(tags)} tags")

    adapter = graft.Adapter.create(model, "lora", {"r": 16, "lora_alpha": 32})
    adapter.set_head("token_classification", tags)
    with graft.Trainer(
        model, adapter, learning_rate=2e-3, rows_per_batch=8, epoch_count=arguments.epochs
    ) as trainer:
        trainer.fit(rows)
        print(f"entity F1 {trainer.evaluate(others).values['entity_f1']:.4f}")
    adapter.save(arguments.adapter)

    session = graft.Session(model, tokenizer, adapter)
    found = [entity for own in session.tag([" ".join(words) for words in test["words"]]) for entity in own]
    for entity in found[:5]:
        print(f"{entity.type}: {entity.text}")


if __name__ == "__main__":
    main()
