"""Classifies the sentences on the command line with a trained adapter.

    python classify.py MODEL ADAPTER SENTENCE ...
"""

import sys

import graft


def main(model_path: str, adapter_path: str, sentences: list[str]) -> None:
    with graft.Model(model_path) as model, graft.Tokenizer(model_path) as tokenizer:
        adapter = graft.Adapter.load(model, adapter_path)
        with graft.Session(model, tokenizer, adapter) as session:
            for sentence, row in zip(sentences, session.predict_proba(sentences)):
                probabilities = list(row)
                best = probabilities.index(max(probabilities))
                print(f"{100 * probabilities[best]:5.1f} %  {adapter.labels[best]:<16}  {sentence}")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("usage: classify.py MODEL ADAPTER SENTENCE ...")
    try:
        main(sys.argv[1], sys.argv[2], sys.argv[3:])
    except graft.GraftError as error:
        sys.exit(f"classify.py: {error}")
