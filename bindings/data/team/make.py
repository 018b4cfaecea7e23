"""Writes the messages of this folder from wordings.py: `python make.py` gives the same bytes every
time.

The splits share no frame, no errand and no name: what is learned on train.tsv must hold for other
wordings.
"""

import random
from pathlib import Path

from wordings import ERRANDS, FRAMES, NAMES

# Rows of each split, and its part of the wordings.
SPLITS = {"train": (480, 0.6), "validation": (120, 0.15), "test": (240, 0.25)}
QUESTIONS = ("act", "who")


def split(wordings: list[str], numbers: random.Random) -> dict[str, list[str]]:
    """Each split's part, in random order."""
    order = numbers.sample(wordings, len(wordings))
    parts, first = {}, 0
    for name, (_, share) in SPLITS.items():
        end = len(order) if name == list(SPLITS)[-1] else first + round(share * len(order))
        parts[name], first = order[first:end], end
    return parts


def message(frame: str, errand: str, name: str) -> str:
    do, did, done, doing, rest = errand.split(" ", 4)
    text = frame.format(n=name, do=f"{do} {rest}", did=f"{did} {rest}", done=f"{done} {rest}", doing=f"{doing} {rest}")
    return text[0].upper() + text[1:]


def main() -> None:
    numbers = random.Random(20261125)
    frames = {labels: split(texts, numbers) for labels, texts in FRAMES.items()}
    errands, names = split(ERRANDS.strip().splitlines(), numbers), split(NAMES.split(), numbers)
    for part, (count, _) in SPLITS.items():
        rows: dict[str, tuple[str, str]] = {}
        while len(rows) < count:
            labels = list(frames)[len(rows) % len(frames)]
            frame, errand, name = (numbers.choice(each[part]) for each in (frames[labels], errands, names))
            rows[message(frame, errand, name)] = labels
        order = numbers.sample(list(rows), count)
        for column, question in enumerate(QUESTIONS):
            path = Path(__file__).parent / question / f"{part}.tsv"
            path.parent.mkdir(exist_ok=True)
            path.write_text("".join(f"{text}\t{rows[text][column]}\n" for text in order), encoding="utf-8")


if __name__ == "__main__":
    main()
