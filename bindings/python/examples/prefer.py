"""Teaches a language model which of two answers is preferred, with a LoRA adapter in PEFT's layout.

    python prefer.py MODEL PREFERENCES.tsv ADAPTER

A line of the file is `prompt TAB preferred answer TAB other answer`. The model without the adapter
is the reference (direct preference optimisation).
"""

import argparse
import sys
from pathlib import Path

import graft


def main() -> None:
    parser = argparse.ArgumentParser(description="Teach a language model preferences, with a LoRA adapter.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("preferences", type=Path, help="file of `prompt TAB preferred TAB other` lines")
    parser.add_argument("adapter", type=Path, help="folder to save the adapter in")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--beta", type=float, default=0.1, help="how near to the base model it stays")
    arguments = parser.parse_args()

    lines = [line.split("\t") for line in arguments.preferences.read_text("utf-8").splitlines()]
    for number, line in enumerate(lines, 1):
        if len(line) != 3:
            sys.exit(f"{arguments.preferences}: expected prompt TAB preferred TAB other in line {number}")
    model, tokenizer = graft.Model(arguments.model), graft.Tokenizer(arguments.model)
    pairs = graft.Dataset.from_preferences(
        tokenizer,
        [prompt for prompt, _, _ in lines],
        [preferred for _, preferred, _ in lines],
        [other for _, _, other in lines],
        end_tokens=model.end_tokens[:1],
        maximum_length=512,
    )
    adapter = graft.Adapter.create(model)
    adapter.set_head("language_model")
    with graft.Trainer(
        model,
        adapter,
        loss="dpo",
        loss_settings={"beta": arguments.beta},
        rows_per_batch=8,
        epoch_count=arguments.epochs,
    ) as trainer:
        trainer.fit(pairs)
        result = trainer.evaluate(pairs)
    print(f"loss {result.loss:.4f}  accuracy {result.rewards_accuracies:.4f}  margin {result.rewards_margins:.4f}")
    arguments.adapter.parent.mkdir(parents=True, exist_ok=True)
    adapter.save(arguments.adapter)
    print(f"saved in {arguments.adapter}")


if __name__ == "__main__":
    try:
        main()
    except (graft.GraftError, OSError) as error:
        sys.exit(f"prefer.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
