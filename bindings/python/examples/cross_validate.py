"""Compares classifiers of texts by cross-validation with scikit-learn: words, the frozen model's
embeddings, and adapters with settings of a grid.

    python cross_validate.py MODEL TEXTS.tsv

A line of the file is: text TAB label.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from sklearn.base import clone  # type: ignore[import-untyped]
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import StratifiedKFold, cross_val_score  # type: ignore[import-untyped]
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]

import graft


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare classifiers of texts by cross-validation.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("texts", type=Path, help="file of `text TAB label` lines")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    arguments = parser.parse_args()

    rows = [line.split("\t") for line in arguments.texts.read_text("utf-8").splitlines()]
    texts, labels = [row[0] for row in rows], [row[1] for row in rows]
    adapter = graft.TextClassifier(arguments.model, epoch_count=arguments.epochs, learning_rate=arguments.learning_rate)
    candidates: dict[str, Any] = {
        "words": make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10, max_iter=1000)),
        "frozen model": make_pipeline(graft.Embedder(arguments.model), LogisticRegression(C=10, max_iter=1000)),
        "adapter of rank 2": clone(adapter).set_params(config={"r": 2}),
        "adapter of rank 8": adapter,
    }
    folds = StratifiedKFold(arguments.folds, shuffle=True, random_state=0)
    print(f"{len(texts)} texts of {len(set(labels))} classes, accuracy in {arguments.folds} folds")
    for name, estimator in candidates.items():
        scores = cross_val_score(estimator, texts, labels, cv=folds)
        print(f"{name:<18} {scores.mean():.3f}   {' '.join(f'{score:.3f}' for score in scores)}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except graft.GraftError as error:
        sys.exit(f"cross_validate.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
