"""Writes summaries of texts, all in one batch, and says how much they have of those that people
wrote.

    python summarize.py MODEL ADAPTER <TEXTS.tsv

A line is `text TAB summary`. ADAPTER is a folder, such as finetune.py makes from lines like these,
or "" for none. Characters are what is compared: words would be none in a language without blanks.
"""

import sys

import graft


def main(model_path: str, adapter_path: str) -> None:
    texts, summaries = [], []
    for line in sys.stdin:
        text, tab, summary = line.rstrip("\r\n").partition("\t")
        if not tab:
            sys.exit(f"expected text TAB summary: {text}")
        texts.append(text)
        summaries.append([summary])
    model, tokenizer = graft.Model(model_path), graft.Tokenizer(model_path)
    session = graft.Session(model, tokenizer)
    if adapter_path:
        session.set_adapter(graft.Adapter.load(model, adapter_path))
    written = session.generate(texts, maximum_tokens=64)
    print(*written, sep="\n")
    measured = graft.evaluation.texts(written, summaries, tokenize="char").values
    print("ROUGE-1 {rouge1:.3f}  ROUGE-2 {rouge2:.3f}  ROUGE-L {rougeL:.3f}".format(**measured))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: summarize.py MODEL ADAPTER <TEXTS.tsv")
    try:
        main(*sys.argv[1:])
    except graft.GraftError as error:
        sys.exit(f"summarize.py: {error}")
