"""Writes what sentences become: translations, with a model such as Marian. All go through in one
batch.

python translate.py MODEL SENTENCE ...
"""

import sys

import graft


def main(model_path: str, *sentences: str) -> None:
    with graft.Model(model_path) as model, graft.Tokenizer(model_path) as tokenizer:
        session = graft.Session(model, tokenizer)
        print(*session.generate(sentences), sep="\n")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: translate.py MODEL SENTENCE ...")
    try:
        main(*sys.argv[1:])
    except graft.GraftError as error:
        sys.exit(f"translate.py: {error}")
