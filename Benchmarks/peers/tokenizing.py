"""Encoding texts with the tokenizers package, one by one or as a batch, on one thread."""

import argparse

import settings
from data import TOKENIZED
from tokenizers import Tokenizer

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--tokenizer", choices=list(settings.TOKENIZERS), default="minilm")
parser.add_argument("--call", choices=("encode", "encode_batch"), default="encode")
parser.add_argument("--repeats", type=int, default=9)
arguments = parser.parse_args()

tokenizer = Tokenizer.from_file(str(settings.TOKENIZERS[arguments.tokenizer] / "tokenizer.json"))
tokenizer.no_padding()
tokenizer.no_truncation()


def encode_all(texts: list[str]) -> None:
    if arguments.call == "encode_batch":
        tokenizer.encode_batch(texts)
    else:
        for text in texts:
            tokenizer.encode(text)


for name, read in TOKENIZED.items():
    texts = read()
    size = sum(len(text.encode()) + 1 for text in texts)
    median = settings.measure(lambda: encode_all(texts), warmup=1, repeats=arguments.repeats)["median_ms"]
    figure = round(median / size * 1e6, 3)
    settings.emit("tokenizing", side="tokenizers", **vars(arguments), texts=name, ms_per_mb=figure)
