"""Watches what people think: a stream of texts is classified in batches with a trained adapter.

    python monitor.py MODEL ADAPTER [BATCH] <TEXTS

A line is a text. Behind each batch of BATCH texts, 1,000 by default, stands the part of it that
each label has, and how many texts there were in a second so far.
"""

import sys
import time
from collections import Counter
from itertools import islice

import graft


def main(model_path: str, adapter_path: str, batch: int) -> None:
    model, tokenizer = graft.Model(model_path), graft.Tokenizer(model_path)
    adapter = graft.Adapter.load(model, adapter_path)
    lines = (line.rstrip("\r\n") for line in sys.stdin)
    with graft.Session(model, tokenizer, adapter) as session:
        count, start = 0, time.perf_counter()
        while texts := list(islice(lines, batch)):
            found = Counter(session.predict(texts))
            count += len(texts)
            shares = "  ".join(f"{label} {100 * found[label] / len(texts):.1f} %" for label in adapter.labels)
            speed = count / (time.perf_counter() - start)
            print(f"{count} texts  {shares}  {speed:.0f} texts/s", flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or not all(number.isdecimal() and int(number) > 0 for number in sys.argv[3:]):
        sys.exit("usage: monitor.py MODEL ADAPTER [BATCH] <TEXTS")
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else 1000)
    except graft.GraftError as error:
        sys.exit(f"monitor.py: {error}")
