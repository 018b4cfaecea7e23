"""Embeds the lines of standard input and prints, for each, the line before it that is nearest in
meaning.

    python embed.py MODEL < lines.txt
"""

import sys

import graft


def main(model_path: str, lines: list[str]) -> None:
    with graft.Model(model_path) as model, graft.Tokenizer(model_path) as tokenizer:
        vectors = graft.Session(model, tokenizer).embed(lines)
    for number in range(1, len(lines)):
        similarities = [sum(a * b for a, b in zip(vectors[number], before)) for before in vectors[:number]]
        best = max(similarities)
        print(f"{best:.3f}  {lines[number]}  ~  {lines[similarities.index(best)]}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: embed.py MODEL < lines.txt")
    try:
        main(sys.argv[1], [line for line in sys.stdin.read().splitlines() if line])
    except graft.GraftError as error:
        sys.exit(f"embed.py: {error}")
