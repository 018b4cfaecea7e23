"""What the default recipe learns, beside a logistic regression on words and one on the frozen
model's embeddings.

    export PYTHONPATH=bindings/python
    python Benchmarks/recipe.py                                        # the defaults, on validation rows
    python Benchmarks/recipe.py --data team/act team/who --part test   # the figures of the demo
    python Benchmarks/recipe.py --rows 2000 learning_rate=2e-3 lora_alpha=8 pooling=mean   # another recipe

The regressions' strength is chosen on the rows that they are then measured on, which flatters them;
the adapters' recipe is the same for all data sets.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import settings
from data import Labelled, shuffled, sst2_part, trec6_part
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

import graft

OWN = Path(__file__).parents[1] / "bindings" / "data"
STRENGTHS = (1, 10, 100)
HEAD = ("dense_layer", "pooling", "dropout")
LORA = ("r", "lora_alpha", "lora_dropout", "target_modules", "use_rslora")
BOTTLENECK = ("config", "reduction_factor", "non_linearity")


def own_part(name: str, part: str) -> Labelled:
    pairs = [line.rsplit("\t", 1) for line in (OWN / name / f"{part}.tsv").read_text("utf-8").splitlines()]
    names = sorted({label for _, label in pairs})
    return Labelled([text for text, _ in pairs], [names.index(label) for _, label in pairs])


def part_of(data: str, part: str, rows: int | None) -> Labelled:
    make = {"trec6": trec6_part, "sst2": sst2_part}.get(data, lambda part: own_part(data, part))
    found = make(part)
    return found.take(shuffled(len(found), seed=0)[:rows])


def regressed(train, train_labels, held, held_labels) -> float:
    """Macro F1 of the best of a few logistic regressions."""
    return max(
        f1_score(
            held_labels,
            LogisticRegression(C=strength, max_iter=1000).fit(train, train_labels).predict(held),
            average="macro",
        )
        for strength in STRENGTHS
    )


def words(train: Labelled, held: Labelled) -> float:
    """Of words and pairs of neighbours."""
    counts = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\b\w+\b")
    return regressed(counts.fit_transform(train.texts), train.labels, counts.transform(held.texts), held.labels)


def frozen(session: graft.Session, train: Labelled, held: Labelled) -> float:
    return regressed(session.embed(train.texts), train.labels, session.embed(held.texts), held.labels)


def adapted(model, tokenizer, train: Labelled, held: Labelled, method: str, seed: int, recipe: dict) -> tuple[float, float]:
    """Macro F1 of an adapter and the processor seconds of its training; what the recipe does not
    name is the default.
    """
    labels = [str(label) for label in sorted({*train.labels, *held.labels})]
    rows, held_rows = (
        graft.Dataset(tokenizer, part.texts, part.labels, label_names=labels, maximum_length=128) for part in (train, held)
    )
    known = LORA if method == "lora" else BOTTLENECK
    adapter = graft.Adapter.create(model, method, {key: recipe[key] for key in known if key in recipe}, seed=seed)
    adapter.set_head(labels=labels, **{key: recipe[key] for key in HEAD if key in recipe})
    options = {key: value for key, value in recipe.items() if key not in HEAD + LORA + BOTTLENECK}
    with graft.Trainer(model, adapter, seed=seed, threads=settings.THREADS, **options) as trainer:
        start = time.process_time()
        trainer.fit(rows, progress=False)
        seconds = time.process_time() - start
        return trainer.evaluate(held_rows).macro_f1, seconds


def setting(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["trec6", "sst2", "team/act", "team/who"])
    parser.add_argument("--methods", nargs="*", default=["lora", "bottleneck"])
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    parser.add_argument("--rows", type=int, help="training rows, where not all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--baselines", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("recipe", nargs="*", metavar="NAME=VALUE", type=setting, help="other than the default")
    options = parser.parse_args()
    model, tokenizer = graft.Model(settings.MODELS / "minilm"), graft.Tokenizer(settings.MODELS / "minilm")
    session = graft.Session(model, tokenizer, threads=settings.THREADS)
    print("| data | training rows | trained | macro F1, mean | each seed | processor seconds |", flush=True)
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for data in options.data:
        train, held = part_of(data, "train", options.rows), part_of(data, options.part, None)
        start = f"| {data} | {len(train)} |"
        if options.baselines:
            print(start, f"words | {words(train, held):.3f} | – | – |", flush=True)
            print(start, f"frozen model | {frozen(session, train, held):.3f} | – | – |", flush=True)
        for method in options.methods:
            runs = [
                adapted(model, tokenizer, train, held, method, seed, dict(options.recipe)) for seed in options.seeds
            ]
            scores, seconds = zip(*runs, strict=True)
            each = ", ".join(f"{score:.3f}" for score in scores)
            mean, cost = statistics.mean(scores), statistics.mean(seconds)
            print(start, f"{method} | {mean:.3f} | {each} | {cost:.0f} |", flush=True)


if __name__ == "__main__":
    main()
