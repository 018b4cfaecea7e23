"""Teaches a language model to answer, with a LoRA adapter in PEFT's layout.

    python finetune.py MODEL PAIRS.tsv ADAPTER

A line of the file is `prompt TAB answer`. The model reads both and learns the answer alone;
afterwards `generate.py MODEL PROMPT 0 0 ADAPTER` gives it.
"""

import argparse
import sys
from pathlib import Path

import graft

NO_LABEL = -100


def read_pairs(model: graft.Model, tokenizer: graft.Tokenizer, path: Path, maximum_length: int) -> graft.Dataset:
    """Rows of prompt, answer and the token that ends a text, with labels for the last two."""
    rows, labels = [], []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        prompt, tab, answer = line.partition("\t")
        if not tab:
            sys.exit(f"{path}: expected prompt TAB answer in line {number}")
        encoding = tokenizer.encode(f"{prompt} {answer}", maximum_length=maximum_length - 1)
        end = model.end_tokens[:1]
        # Only tokens that reach beyond the prompt count in the loss.
        learned = [
            token if last > len(prompt) else NO_LABEL for token, (_, last) in zip(encoding.ids, encoding.offsets)
        ]
        rows.append(encoding.ids + end)
        labels.append(learned + end)
    batch = graft.Batch.from_tokens(rows)
    batch.set_column("token_labels", labels)
    return graft.Dataset.from_batch(batch)


def main() -> None:
    parser = argparse.ArgumentParser(description="Teach a language model to answer, with a LoRA adapter.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("pairs", type=Path, help="file of `prompt TAB answer` lines")
    parser.add_argument("adapter", type=Path, help="folder to save the adapter in")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--maximum-length", type=int, default=512, help="tokens of a row; longer ones are cut")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()

    model = graft.Model(arguments.model, precision=arguments.precision)
    tokenizer = graft.Tokenizer(arguments.model)
    pairs = read_pairs(model, tokenizer, arguments.pairs, arguments.maximum_length)
    adapter = graft.Adapter.create(model)
    adapter.set_head("language_model")
    print(f"{model}, {adapter.parameter_count:,} trained parameters, {len(pairs)} pairs to learn")

    with graft.Trainer(
        model, adapter, learning_rate=arguments.learning_rate, rows_per_batch=8, epoch_count=arguments.epochs
    ) as trainer:
        trainer.fit(pairs)
        result = trainer.evaluate(pairs)
    print(f"loss {result.loss:.4f}  accuracy {result.accuracy:.4f} of the answers' tokens")
    arguments.adapter.parent.mkdir(parents=True, exist_ok=True)
    adapter.save(arguments.adapter)
    print(f"saved in {arguments.adapter}")


if __name__ == "__main__":
    try:
        main()
    except (graft.GraftError, OSError) as error:
        sys.exit(f"finetune.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
