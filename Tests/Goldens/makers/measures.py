"""measures: random truths and predictions, and what scikit-learn, scipy and seqeval say of them."""

import random
import warnings

import numpy
import sklearn.metrics as sk
from scipy import stats
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from .files import fresh_folder, write_json

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
IOBES = TAGS + ["E-PER", "S-PER", "E-LOC", "S-LOC"]


def classes(source: random.Random, labels: int, count: int, share: float) -> dict:
    """`share` is how often a prediction is right by design."""
    truth = [source.randrange(max(1, labels - 1)) for _ in range(count)]
    chosen = [t if source.random() < share else source.randrange(labels) for t in truth]
    average = lambda f, how: float(f(truth, chosen, average=how, zero_division=0))  # noqa: E731
    return {
        "labels": labels,
        "truth": truth,
        "chosen": chosen,
        "measures": {
            "accuracy": float(sk.accuracy_score(truth, chosen)),
            "macro_f1": average(sk.f1_score, "macro"),
            "micro_f1": average(sk.f1_score, "micro"),
            "weighted_f1": average(sk.f1_score, "weighted"),
            "precision": average(sk.precision_score, "macro"),
            "recall": average(sk.recall_score, "macro"),
            "mcc": float(sk.matthews_corrcoef(truth, chosen)),
        },
    }


def label_sets(source: random.Random, labels: int, count: int) -> dict:
    truth = [[float(source.random() < 0.4 and label != 1) for label in range(labels)] for _ in range(count)]
    logits = [[round(source.gauss(2 * t - 1, 1), 3) for t in row] for row in truth]
    chosen = numpy.array(logits) > 0
    return {
        "labels": labels,
        "truth": truth,
        "logits": logits,
        "measures": {
            "exact_match": float(sk.accuracy_score(truth, chosen)),
            "micro_f1": float(sk.f1_score(truth, chosen, average="micro", zero_division=0)),
            "macro_f1": float(sk.f1_score(truth, chosen, average="macro", zero_division=0)),
        },
    }


def values(source: random.Random, width: int, count: int, places: int) -> dict:
    """Few decimal places make ties among the ranks."""
    truth = [[round(source.gauss(0, 2), places) for _ in range(width)] for _ in range(count)]
    outputs = [[round(t + source.gauss(0, 1), places) for t in row] for row in truth]
    x, y = numpy.array(truth, dtype="float32").astype(float), numpy.array(outputs, dtype="float32").astype(float)
    columns = range(width)
    return {
        "labels": width,
        "truth": truth,
        "outputs": outputs,
        "measures": {
            "mse": float(sk.mean_squared_error(x, y)),
            "pearson": float(numpy.mean([stats.pearsonr(x[:, c], y[:, c])[0] for c in columns])),
            "spearman": float(numpy.mean([stats.spearmanr(x[:, c], y[:, c])[0] for c in columns])),
        },
    }


def entities(source: random.Random, tags: list[str], count: int, share: float) -> dict:
    """Tags in any order, as a model may give them: well formed or not."""
    truth = [[source.choice(tags) for _ in range(source.randint(0, 9))] for _ in range(count)]
    chosen = [[t if source.random() < share else source.choice(tags) for t in row] for row in truth]
    measures = {
        "entity_f1": f1_score(truth, chosen, zero_division=0),
        "entity_precision": precision_score(truth, chosen, zero_division=0),
        "entity_recall": recall_score(truth, chosen, zero_division=0),
    }
    if tags is TAGS:
        report = classification_report(truth, chosen, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)
        measures["strict_entity_f1"] = report["micro avg"]["f1-score"]
    number = {tag: index for index, tag in enumerate(tags)}
    return {
        "labels": tags,
        "truth": [[number[tag] for tag in row] for row in truth],
        "chosen": [[number[tag] for tag in row] for row in chosen],
        "measures": {name: float(value) for name, value in measures.items()},
    }


def make() -> None:
    warnings.filterwarnings("ignore")
    source = random.Random(14)
    top = fresh_folder("measures")
    write_json(
        top / "cases.json",
        {
            "classes": [classes(source, *case) for case in ((2, 40, 0.8), (3, 50, 0.5), (7, 60, 0.3), (2, 1, 1), (4, 9, 0))],
            "label_sets": [label_sets(source, *case) for case in ((3, 30), (2, 9), (6, 50))],
            "values": [values(source, *case) for case in ((1, 40, 3), (3, 20, 1), (1, 200, 0))],
            "entities": [
                entities(source, *case)
                for case in ((TAGS, 40, 0.8), (TAGS, 60, 0.3), (IOBES, 60, 0.7), (TAGS, 5, 1), (IOBES, 80, 0))
            ],
        },
    )
