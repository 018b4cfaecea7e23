"""Adapts a model that knows a language to a domain, on texts that nobody labelled: words are masked
and told. Prints the pseudo-perplexity of texts that were held out, before and after.

    python adapt.py MODEL TEXTS HELD_OUT ADAPTER

MODEL is one of a class as BertForMaskedLM. A line of the files is a text. ADAPTER is the folder to
save to.
"""

import argparse
import sys
from pathlib import Path

import graft

LENGTH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description="Adapt a model to a domain on texts without labels.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("texts", type=Path)
    parser.add_argument("held_out", type=Path)
    parser.add_argument("adapter", type=Path, help="folder to save to")
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()

    model = graft.Model(arguments.model)
    tokenizer = graft.Tokenizer(arguments.model)
    texts, held_out = (
        path.read_text(encoding="utf-8").splitlines() for path in (arguments.texts, arguments.held_out)
    )
    train = graft.Dataset.from_texts(tokenizer, texts, maximum_length=LENGTH)
    test = graft.Dataset.from_texts(tokenizer, held_out, mask_each=True, maximum_length=LENGTH)
    adapter = graft.Adapter.create(model, "lora", {"r": 16, "target_modules": "all-linear"})
    adapter.set_head("masked_language_model")
    masking = {"mask_token": tokenizer.mask_token, "whole_word_mask": True}
    with graft.Trainer(
        model, adapter, masking=masking, rows_per_batch=16, epoch_count=arguments.epochs
    ) as trainer:
        print(f"before  {trainer.evaluate(test).perplexity:.2f}")
        trainer.fit(train)
        print(f"after   {trainer.evaluate(test).perplexity:.2f}")
    adapter.save(arguments.adapter)


if __name__ == "__main__":
    try:
        main()
    except (graft.GraftError, ValueError) as error:
        sys.exit(f"adapt.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
