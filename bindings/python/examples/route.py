"""Routes messages to customer service: learns intents from a few examples of each, answers the
messages that it is sure of, and leaves all others to a person.

    python route.py MODEL TRAIN.tsv VALIDATION.tsv TEST.tsv ADAPTER

A line of a file is: text TAB intent. An intent that TRAIN does not have is none of these: any
answer to it is wrong. The probability from which on a message is answered is the smallest with
which `--accuracy` of the answers are right on VALIDATION.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import graft


class Answer(NamedTuple):
    intent: str
    probability: float
    is_right: bool


def main() -> None:
    parser = argparse.ArgumentParser(description="Route messages to customer service.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    for name in ("train", "validation", "test"):
        parser.add_argument(name, type=Path)
    parser.add_argument("adapter", type=Path, help="folder to save to")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--accuracy", type=float, default=0.9)
    arguments = parser.parse_args()

    model, tokenizer = graft.Model(arguments.model), graft.Tokenizer(arguments.model)
    train, validation, test = (
        graft.Table.read(path, "tsv", columns={"text": 0, "label": 1}, header=False)
        for path in (arguments.train, arguments.validation, arguments.test)
    )
    intents = list(dict.fromkeys(train["label"]))
    print(f"{len(train)} messages of {len(intents)} intents")
    rows = graft.Dataset.from_table(tokenizer, train, label_names=intents, maximum_length=128)
    adapter = graft.Adapter.create(model)
    adapter.set_head(labels=intents, pooling="mean")
    with graft.Trainer(model, adapter, learning_rate=2e-3, epoch_count=arguments.epochs) as trainer:
        trainer.fit(rows, progress=False)
    adapter.save(arguments.adapter)

    session = graft.Session(model, tokenizer, adapter)
    known, asked = answers(session, validation), answers(session, test)
    enough = [own.probability for own in known if worth(known, own.probability)[1] >= arguments.accuracy]
    if not enough:
        sys.exit("choosing a threshold: with none are so many of the answers right")
    threshold = min(enough)
    print(f"threshold {threshold:.4f}")
    for when, least in (("all answered", 0.0), ("sure answers", threshold)):
        coverage, accuracy = worth(asked, least)
        print(f"{when}  coverage {coverage:.4f}  accuracy {accuracy:.4f}")
    none = [own.probability < threshold for own, label in zip(asked, test["label"]) if label not in intents]
    print(f"{sum(none)} of {len(none)} with none of the intents are left to a person")
    for own, text in zip(asked[:5], test["text"]):
        print(f"{'a person' if own.probability < threshold else own.intent:16} {own.probability:.2f}  {text}")


def answers(session: graft.Session, messages: graft.Table) -> list[Answer]:
    best = session.predict_best(messages["text"], count=1)
    return [Answer(name, share, name == label) for ((name, share),), label in zip(best, messages["label"])]


def worth(asked: list[Answer], threshold: float) -> tuple[float, float]:
    """The part that is answered from a probability on, and the part of the answers that is right.
    """
    sure = [own.is_right for own in asked if own.probability >= threshold]
    return len(sure) / len(asked), sum(sure) / max(1, len(sure))


if __name__ == "__main__":
    try:
        main()
    except graft.GraftError as error:
        sys.exit(f"route.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
