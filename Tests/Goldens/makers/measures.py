"""measures: random truths and predictions, and what scikit-learn, scipy and seqeval say of them."""

import random
import warnings

import numpy
import sklearn.metrics as sk
from scipy import stats
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2, IOBES as IOBES_SCHEME

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
            "weighted_precision": average(sk.precision_score, "weighted"),
            "weighted_recall": average(sk.recall_score, "weighted"),
            "balanced_accuracy": float(sk.balanced_accuracy_score(truth, chosen)),
            **({} if len({*truth, *chosen}) == 1 else {"kappa": float(sk.cohen_kappa_score(truth, chosen))}),
            **({"binary_f1": float(sk.f1_score(truth, chosen, zero_division=0))} if labels == 2 else {}),
        },
    }


def scores(source: random.Random, labels: int, count: int, columns: int) -> dict:
    truth = [*range(labels), *(source.randrange(labels) for _ in range(count - labels))]
    weights = [round(source.uniform(0, 2), 2) for _ in truth]
    rows = []
    for label in truth:
        row = [source.random() + (place == label) for place in range(labels)]
        row = [number / sum(row) for number in row]
        # Few decimal places make ties.
        rows.append([round(number, 2) for number in row] if labels == 2 else row)
        if columns == 1:
            rows[-1] = rows[-1][1:]
        elif labels == 2:
            rows[-1][0] = 1 - rows[-1][1]
    y = numpy.array(rows)
    positive = y[:, -1] if labels == 2 else y
    measures = {
        "roc_auc": sk.roc_auc_score(truth, positive, multi_class="ovr", sample_weight=weights),
        "average_precision": sk.average_precision_score(truth, positive, sample_weight=weights),
        "log_loss": sk.log_loss(truth, y, sample_weight=weights),
        "brier": sk.brier_score_loss(truth, y, sample_weight=weights),
    }
    if labels == 2:
        thresholds = sorted(set(positive))
        measures["best_f1"] = max(sk.f1_score(truth, positive >= t, sample_weight=weights) for t in thresholds)
    return {
        "labels": labels,
        "columns": columns,
        "truth": truth,
        "scores": rows,
        "weights": weights,
        "measures": {name: float(value) for name, value in measures.items()},
    }


def rankings(source: random.Random, k: int) -> dict:
    relevance = [[source.choice([0, 0, 1, 3]) for _ in range(source.randint(2, 12))] for _ in range(12)]
    scores = [[round(source.random(), 1) for _ in row] for row in relevance]

    def mean(k: int | None) -> float:
        return float(numpy.mean([sk.ndcg_score([r], [s], k=k) for r, s in zip(relevance, scores)]))

    return {
        "k": k,
        "relevance": relevance,
        "scores": scores,
        "measures": {"ndcg": mean(None), "ndcg_at_k": mean(k)},
    }


#: Written by hand, by the definitions of SQuAD 2.0's script and CMRC 2018's, which no package has.
ANSWERS = [
    {
        "script": "squad",
        "predictions": ["The  Eiffel tower.", "in Paris", "", "a", "x"],
        "accepted": [["Eiffel Tower", "tower"], ["Paris"], [], ["the"], []],
        "no_answer_scores": [0.1, 0.2, 0.9, 0.3, 0.7],
        "measures": {
            "exact_match": 3 / 5,
            "f1": (1 + 2 / 3 + 1 + 1) / 5,
            "has_answer_f1": (1 + 2 / 3 + 1) / 3,
            "no_answer_exact_match": 1 / 2,
            "best_exact_match": 4 / 5,
            "best_exact_match_threshold": 0.3,
            "best_f1": (1 + 2 / 3 + 1 + 2) / 5,
            "best_f1_threshold": 0.3,
        },
    },
    {
        "script": "cmrc",
        "predictions": ["《红楼梦》", "1995年3月", "北京"],
        "accepted": [["红楼梦"], ["1995年"], ["上海", "东京"]],
        "no_answer_scores": [],
        "measures": {"exact_match": 1 / 3, "f1": (1 + 2 * (2 / 4) / (2 / 4 + 1) + 2 * (1 / 2) * (1 / 2)) / 3},
    },
]


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
            "weighted_f1": float(sk.f1_score(truth, chosen, average="weighted", zero_division=0)),
            "precision": float(sk.precision_score(truth, chosen, average="macro", zero_division=0)),
            "micro_recall": float(sk.recall_score(truth, chosen, average="micro", zero_division=0)),
        },
    }


def values(source: random.Random, width: int, count: int, places: int) -> dict:
    """Few decimal places make ties among the ranks."""
    truth = [[round(source.gauss(0, 2), places) for _ in range(width)] for _ in range(count)]
    outputs = [[round(t + source.gauss(0, 1), places) for t in row] for row in truth]
    x, y = numpy.array(truth), numpy.array(outputs)
    columns = range(width)
    return {
        "labels": width,
        "truth": truth,
        "outputs": outputs,
        "measures": {
            "mse": float(sk.mean_squared_error(x, y)),
            "mae": float(sk.mean_absolute_error(x, y)),
            "r2": float(sk.r2_score(x, y)),
            "kendall": float(numpy.mean([stats.kendalltau(x[:, c], y[:, c])[0] for c in columns])),
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
    scheme = IOB2 if tags is TAGS else IOBES_SCHEME
    report = classification_report(truth, chosen, mode="strict", scheme=scheme, output_dict=True, zero_division=0)
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
            "scores": [scores(source, *case) for case in ((2, 60, 1), (2, 50, 2), (3, 40, 3), (5, 60, 5))],
            "answers": ANSWERS,
            "rankings": [rankings(source, k) for k in (1, 3, 10)],
        },
    )
