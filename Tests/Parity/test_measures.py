"""Measures of given numbers equal those of scikit-learn, seqeval, scipy and the scripts of SQuAD
and CMRC, to 1e-12."""

from __future__ import annotations

import json
import math
import os
import random
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics as sk
from scipy import stats
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2, IOBES

import answer_scripts as scripts
import graft
from conftest import SHARED
from graft import evaluation

warnings.filterwarnings("ignore")
SEEDS = range(12)


def close(found: float, expected: float, name: str) -> None:
    same = math.isnan(found) and math.isnan(expected)
    assert same or abs(found - expected) <= 1e-12 * max(1, abs(expected)), f"{name}: {found}, expected {expected}"


def compare(found, expected: dict[str, float]) -> None:
    for name, value in expected.items():
        close(found.values[name], float(value), name)


def weighted(source: np.random.Generator, count: int, seed: int) -> np.ndarray | None:
    """No weights, some, and some of 0."""
    weights = source.uniform(0, 3, count)
    if seed % 3 == 2:
        weights[source.integers(0, count, count // 4)] = 0
    return None if seed % 3 == 0 else weights


def of_choices(truth, chosen, weights) -> dict[str, float]:
    def of(function, average):
        return function(truth, chosen, average=average, zero_division=0, sample_weight=weights)

    return {
        "accuracy": sk.accuracy_score(truth, chosen, sample_weight=weights),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, chosen, sample_weight=weights),
        "macro_f1": of(sk.f1_score, "macro"),
        "micro_f1": of(sk.f1_score, "micro"),
        "weighted_f1": of(sk.f1_score, "weighted"),
        "precision": of(sk.precision_score, "macro"),
        "recall": of(sk.recall_score, "macro"),
        "weighted_precision": of(sk.precision_score, "weighted"),
        "weighted_recall": of(sk.recall_score, "weighted"),
        "mcc": sk.matthews_corrcoef(truth, chosen, sample_weight=weights),
        "kappa": sk.cohen_kappa_score(truth, chosen, sample_weight=weights),
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_labels(seed: int) -> None:
    source = np.random.default_rng(seed)
    count, labels = int(source.integers(1, 400)), int(source.integers(2, 9))
    truth = source.integers(0, labels - (seed % 2 and labels > 2), count)
    chosen = np.where(source.random(count) < 0.6, truth, source.integers(0, labels, count))
    weights = weighted(source, count, seed)
    found = evaluation.labels(truth, chosen, weights=weights, label_names=range(labels))
    compare(found, of_choices(truth, chosen, weights))
    assert found.confusion == sk.confusion_matrix(truth, chosen, labels=range(labels)).tolist()
    np.testing.assert_allclose(
        found.table("confusion"), sk.confusion_matrix(truth, chosen, labels=range(labels), sample_weight=weights), rtol=1e-12
    )
    each = sk.precision_recall_fscore_support(
        truth, chosen, labels=range(labels), zero_division=0, sample_weight=weights
    )
    np.testing.assert_allclose(found.table("labels"), np.transpose(each), rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_labels(seed: int) -> None:
    source = np.random.default_rng(100 + seed)
    count = int(source.integers(4, 500))
    truth = source.integers(0, 2, count)
    truth[:2] = [0, 1]
    # Few decimals make ties.
    scores = np.round(np.clip(source.normal(0.4 + 0.3 * truth, 0.3), 0, 1), int(source.integers(1, 5)))
    weights = weighted(source, count, seed)
    if weights is not None:
        weights[:2] = 1
    found = evaluation.scores(truth, scores, weights=weights)
    chosen = (scores >= 0.5).astype(int)
    compare(found, of_choices(truth, chosen, weights))
    compare(
        found,
        {
            "binary_f1": sk.f1_score(truth, chosen, zero_division=0, sample_weight=weights),
            "binary_precision": sk.precision_score(truth, chosen, zero_division=0, sample_weight=weights),
            "binary_recall": sk.recall_score(truth, chosen, zero_division=0, sample_weight=weights),
            "roc_auc": sk.roc_auc_score(truth, scores, sample_weight=weights),
            "average_precision": sk.average_precision_score(truth, scores, sample_weight=weights),
            "log_loss": sk.log_loss(truth, scores, sample_weight=weights),
            "brier": sk.brier_score_loss(truth, scores, sample_weight=weights),
        },
    )
    both = evaluation.scores(truth, np.stack([1 - scores, scores], 1), weights=weights)
    compare(both, {name: found.values[name] for name in ("roc_auc", "average_precision", "log_loss", "brier")})

    roc = np.array(found.table("roc")).T
    reference = sk.roc_curve(truth, scores, sample_weight=weights, drop_intermediate=weights is None)
    if weights is None:
        np.testing.assert_allclose(roc, reference, rtol=1e-12)
    else:  # which points lie on a line is a matter of rounding
        close(sk.auc(roc[0], roc[1]), sk.auc(*reference[:2]), "the area below the curve")
    precision, recall, thresholds = sk.precision_recall_curve(truth, scores, sample_weight=weights)
    curve = np.array(found.table("precision_recall")).T
    np.testing.assert_allclose(curve[0], precision, rtol=1e-12)
    np.testing.assert_allclose(curve[1], recall, rtol=1e-12)
    np.testing.assert_allclose(curve[2][:-1], thresholds, rtol=1e-12)

    f1 = [sk.f1_score(truth, scores >= threshold, sample_weight=weights) for threshold in thresholds]
    close(found.best_f1, max(f1), "best_f1")
    close(sk.f1_score(truth, scores >= found.best_f1_threshold, sample_weight=weights), max(f1), "its threshold")


@pytest.mark.parametrize("seed", SEEDS)
def test_several_labels(seed: int) -> None:
    source = np.random.default_rng(200 + seed)
    count, labels = int(source.integers(60, 300)), int(source.integers(3, 7))
    truth = np.concatenate([np.arange(labels), source.integers(0, labels, count - labels)])
    scores = source.dirichlet(np.ones(labels), count)
    scores[np.arange(count), truth] += source.random(count)
    scores /= scores.sum(1, keepdims=True)
    weights = weighted(source, count, seed)
    if weights is not None:
        weights[:labels] = 1
    found = evaluation.scores(truth, scores, weights=weights)
    compare(found, of_choices(truth, scores.argmax(1), weights))
    compare(
        found,
        {
            "roc_auc": sk.roc_auc_score(truth, scores, multi_class="ovr", sample_weight=weights),
            "average_precision": sk.average_precision_score(truth, scores, sample_weight=weights),
            "log_loss": sk.log_loss(truth, scores, sample_weight=weights),
            "brier": sk.brier_score_loss(truth, scores, sample_weight=weights),
        },
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_label_sets(seed: int) -> None:
    source = np.random.default_rng(300 + seed)
    count, labels = int(source.integers(30, 200)), int(source.integers(2, 8))
    truth = (source.random((count, labels)) < 0.35).astype(int)
    truth[0], truth[1] = 0, 1
    scores = np.clip(source.normal(0.35 + 0.3 * truth, 0.25), 0, 1)
    weights = weighted(source, count, seed)
    if weights is not None:
        weights[:2] = 1
    thresholds = 0.5 if seed % 2 else source.uniform(0.2, 0.8, labels)
    found = evaluation.label_sets(truth, scores, weights=weights, threshold=thresholds)
    chosen = (scores >= thresholds).astype(int)

    def of(function, average):
        return function(truth, chosen, average=average, zero_division=0, sample_weight=weights)

    compare(
        found,
        {
            "exact_match": sk.accuracy_score(truth, chosen, sample_weight=weights),
            "micro_f1": of(sk.f1_score, "micro"),
            "macro_f1": of(sk.f1_score, "macro"),
            "weighted_f1": of(sk.f1_score, "weighted"),
            "precision": of(sk.precision_score, "macro"),
            "recall": of(sk.recall_score, "macro"),
            "micro_precision": of(sk.precision_score, "micro"),
            "micro_recall": of(sk.recall_score, "micro"),
            "roc_auc": sk.roc_auc_score(truth, scores, sample_weight=weights),
            "average_precision": sk.average_precision_score(truth, scores, sample_weight=weights),
        },
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_values(seed: int) -> None:
    source = np.random.default_rng(400 + seed)
    count, width = int(source.integers(3, 600)), int(source.integers(1, 4))
    places = int(source.integers(0, 4))
    truth = np.round(source.normal(1, 2, (count, width)), places)
    values = np.round(truth + source.normal(0, 1, (count, width)), places)
    weights = weighted(source, count, seed)
    columns = range(width)
    compare(
        evaluation.values(truth, values, weights=weights),
        {
            "mse": sk.mean_squared_error(truth, values, sample_weight=weights),
            "mae": sk.mean_absolute_error(truth, values, sample_weight=weights),
            "r2": sk.r2_score(truth, values, sample_weight=weights),
            "pearson": np.mean([stats.pearsonr(truth[:, c], values[:, c])[0] for c in columns]),
            "spearman": np.mean([stats.spearmanr(truth[:, c], values[:, c])[0] for c in columns]),
            "kendall": np.mean([stats.kendalltau(truth[:, c], values[:, c])[0] for c in columns]),
        },
    )


@pytest.mark.parametrize("closed", [False, True], ids=["IOB2", "IOBES"])
@pytest.mark.parametrize("seed", SEEDS)
def test_tags(seed: int, closed: bool) -> None:
    """Tags in any order, well formed or not."""
    source = random.Random(seed)
    tags = ["O", *(f"{prefix}-{kind}" for prefix in ("BIES" if closed else "BI") for kind in ("PER", "LOC"))]
    truth = [[source.choice(tags) for _ in range(source.randint(0, 12))] for _ in range(60)]
    chosen = [[tag if source.random() < 0.7 else source.choice(tags) for tag in row] for row in truth]
    scheme = IOBES if closed else IOB2
    strict = classification_report(truth, chosen, mode="strict", scheme=scheme, output_dict=True, zero_division=0)
    found = evaluation.tags(truth, chosen)
    compare(
        found,
        {
            "entity_f1": f1_score(truth, chosen, zero_division=0),
            "entity_precision": precision_score(truth, chosen, zero_division=0),
            "entity_recall": recall_score(truth, chosen, zero_division=0),
            "strict_entity_f1": strict["micro avg"]["f1-score"],
        },
    )
    report = classification_report(truth, chosen, output_dict=True, zero_division=0)
    for row, kind in zip(found.table("entities"), ("LOC", "PER")):
        np.testing.assert_allclose(row, list(report[kind].values()), rtol=1e-12)


WORDS = "the The a an AN of tower Tower, tower. Ελλάς ΟΔΟΣ İstanbul 3.5 1,000 don't l'an ÉCOLE naïve the-a (a) _a 東京 x".split(" ")


@pytest.mark.parametrize("seed", SEEDS)
def test_squad(seed: int) -> None:
    source = random.Random(seed)

    def text() -> str:
        count = source.choice([source.randint(0, 4), source.randint(0, 4), source.randint(8, 30)])
        return source.choice([" ", "  ", "\u3000", "\n"]).join(source.choices(WORDS, k=count))

    accepted = [[text() or "x" for _ in range(source.randint(0, 3))] for _ in range(200)]
    predictions = [source.choice([*row, text(), ""]) for row in accepted]
    scores = [round(source.random(), 2) for _ in accepted]
    exact, f1 = {}, {}
    for row, (prediction, answers) in enumerate(zip(predictions, accepted)):
        known = [answer for answer in answers if scripts.normalize_answer(answer)] or [""]
        exact[row] = max(scripts.compute_exact(answer, prediction) for answer in known)
        f1[row] = max(scripts.compute_f1(answer, prediction) for answer in known)
    has_answer = {row: bool(answers) for row, answers in enumerate(accepted)}
    found = evaluation.answers(predictions, accepted, no_answer_scores=scores)
    expected = {"exact_match": np.mean(list(exact.values())), "f1": np.mean(list(f1.values()))}
    for name, mine in (("has_answer", True), ("no_answer", False)):
        rows = [row for row in has_answer if has_answer[row] == mine]
        expected[f"{name}_exact_match"] = np.mean([exact[row] for row in rows])
        expected[f"{name}_f1"] = np.mean([f1[row] for row in rows])
    for name, worth in (("exact_match", exact), ("f1", f1)):
        best, threshold = scripts.find_best_thresh(
            dict(enumerate(predictions)), worth, dict(enumerate(scores)), has_answer
        )
        expected |= {f"best_{name}": best / 100, f"best_{name}_threshold": threshold}
    compare(found, expected)


def test_squads_script_reads_what_is_written(tmp_path: Path) -> None:
    source = random.Random(0)
    table = graft.Table.read(SHARED / "data" / "xquad" / "xquad.en.json").take(range(0, 1190, 7))
    answers = [own if source.random() < 0.7 else [] for own in table["answers"]]
    table = graft.Table({name: answers if name == "answers" else table[name] for name in table.columns})
    accepted = [[answer.text for answer in own] for own in answers]
    predictions = [
        source.choice([*own, "", " ".join(source.sample(context.split(), 3)), *(f"in {text}" for text in own)])
        for own, context in zip(accepted, table["context"])
    ]
    scores = [source.gauss(0 if own else 1, 1) for own in accepted]
    paths = [tmp_path / f"{name}.json" for name in ("questions", "predictions", "scores")]
    table.write_squad(paths[0])
    graft.write_predictions(paths[1], table["id"], predictions)
    graft.write_predictions(paths[2], table["id"], scores)
    content, given, chances = (json.loads(path.read_text("utf-8")) for path in paths)
    exact, f1 = scripts.get_raw_scores(content["data"], given)
    expected = {"exact_match": np.mean(list(exact.values())), "f1": np.mean(list(f1.values()))}
    best, threshold = scripts.find_best_thresh(given, f1, chances, scripts.make_qid_to_has_ans(content["data"]))
    expected |= {"best_f1": best / 100, "best_f1_threshold": threshold}
    compare(evaluation.answers(predictions, accepted, no_answer_scores=scores), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_cmrc(seed: int) -> None:
    source = random.Random(seed)
    pieces = ["东京", "上海市", "，", "《红楼梦》", "1995年", " GDP ", "3.5", "iPhone", "的", "。", "·", " "]

    def text() -> str:
        return "".join(source.choices(pieces, k=source.randint(1, 6)))

    accepted = [[text() for _ in range(source.randint(1, 3))] for _ in range(200)]
    predictions = [source.choice([*row, text(), row[0] + text()]) for row in accepted]
    rows = [scripts.cmrc(answers, prediction) for answers, prediction in zip(accepted, predictions)]
    found = evaluation.answers(predictions, accepted, script="cmrc")
    compare(found, dict(zip(("exact_match", "f1"), np.mean(rows, 0))))


@pytest.mark.parametrize("seed", SEEDS)
def test_rankings(seed: int) -> None:
    source = np.random.default_rng(500 + seed)
    queries, k = 40, int(source.integers(1, 15))
    relevance = [source.integers(0, 4, int(source.integers(2, 30))) * (query % 5 > 0) for query in range(queries)]
    ties = [np.round(source.random(len(row)), 1) for row in relevance]
    weights = weighted(source, queries, seed)

    def mean(values: list[float]) -> float:
        return float(np.average(values, weights=weights))

    found = evaluation.rankings(relevance, ties, k=k, weights=weights)
    compare(
        found,
        {
            "ndcg": mean([sk.ndcg_score([r], [s]) for r, s in zip(relevance, ties)]),
            "ndcg_at_k": mean([sk.ndcg_score([r], [s], k=k) for r, s in zip(relevance, ties)]),
        },
    )
    scores = [source.permutation(len(row)) for row in relevance]
    ordered = [(row > 0)[np.argsort(-s)] for row, s in zip(relevance, scores)]
    compare(
        evaluation.rankings(relevance, scores, k=k, weights=weights),
        {
            "mrr": mean([1 / (1 + row.argmax()) if row.any() else 0 for row in ordered]),
            "map": mean(
                [(np.cumsum(row) / np.arange(1, len(row) + 1))[row].mean() if row.any() else 0 for row in ordered]
            ),
            "recall_at_k": mean([row[:k].sum() / row.sum() if row.any() else 0 for row in ordered]),
            "precision_at_k": mean([row[:k].sum() / k for row in ordered]),
        },
    )


# ---- Intervals and tests ----


def mixed(seed: int, count: int) -> int:
    """SplitMix64's finish, as the library draws."""
    mask = 2**64 - 1
    z = (seed + (count + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def draws(rows: int, seed: int, sample: int) -> list[int]:
    key = mixed(seed, sample)
    return [mixed(key, draw) * rows >> 64 for draw in range(rows)]


def predictions(seed: int, rows: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    source = np.random.default_rng(seed)
    truth = source.integers(0, 3, rows)
    return truth, *(
        np.where(source.random(rows) < share, truth, source.integers(0, 3, rows)) for share in (0.8, 0.6)
    )


MEASURES = {
    "accuracy": sk.accuracy_score,
    "macro_f1": lambda truth, chosen: sk.f1_score(truth, chosen, average="macro", zero_division=0),
    "kappa": sk.cohen_kappa_score,
}


@pytest.mark.parametrize("name", MEASURES)
def test_intervals(name: str) -> None:
    truth, chosen, _ = predictions(1)
    samples = [draws(len(truth), 7, sample) for sample in range(300)]
    values = [MEASURES[name](truth[rows], chosen[rows]) for rows in samples]
    found = evaluation.labels(truth, chosen).interval(name, resamples=300, seed=7, confidence=0.9)
    low, high = np.quantile(values, [0.05, 0.95])
    close(found.low, low, "low")
    close(found.high, high, "high")
    close(found.standard_error, np.std(values, ddof=1), "standard error")

    # scipy's own BCa, of the same draws.
    whole = MEASURES[name](truth, chosen)
    part = (np.mean(np.array(values) < whole) + np.mean(np.array(values) <= whole)) / 2
    left_out = np.array([MEASURES[name](np.delete(truth, row), np.delete(chosen, row)) for row in range(len(truth))])
    parts = (len(truth) - 1) * (left_out.mean() - left_out)
    skew = (parts**3).sum() / (parts**2).sum() ** 1.5 / 6
    bias, tail = stats.norm.ppf(part), stats.norm.ppf(0.05)
    limits = [stats.norm.cdf(bias + (bias + z) / (1 - skew * (bias + z))) for z in (tail, -tail)]
    found = evaluation.labels(truth, chosen).interval(name, resamples=300, seed=7, confidence=0.9, method="bca")
    for mine, theirs in zip((found.low, found.high), np.quantile(values, limits)):
        close(mine, theirs, "bca")


def test_the_interval_is_scipys() -> None:
    """With other draws, and so many that they hardly differ."""
    truth, chosen, _ = predictions(2, 400)
    right = (truth == chosen).astype(float)
    for method in ("percentile", "bca"):
        reference = stats.bootstrap((right,), np.mean, method=method, n_resamples=9999, rng=1).confidence_interval
        found = evaluation.labels(truth, chosen).interval("accuracy", method=method)
        assert abs(found.low - reference.low) < 0.006 and abs(found.high - reference.high) < 0.006


@pytest.mark.parametrize("name", MEASURES)
def test_comparisons(name: str) -> None:
    truth, one, other = predictions(3)
    first, second = evaluation.labels(truth, one), evaluation.labels(truth, other)
    observed = MEASURES[name](truth, one) - MEASURES[name](truth, other)
    found = first.compare(second, name, test="bootstrap", resamples=300, seed=5)
    values = np.array(
        [
            MEASURES[name](truth[rows], one[rows]) - MEASURES[name](truth[rows], other[rows])
            for rows in (draws(len(truth), 5, sample) for sample in range(300))
        ]
    )
    close(found.difference, observed, "difference")
    close(found.low, np.quantile(values, 0.025), "low")
    close(found.high, np.quantile(values, 0.975), "high")
    close(found.p_value, min(1, 2 * (1 + min((values <= 0).sum(), (values >= 0).sum())) / 301), "p")

    def swapped(sample: int) -> float:
        key = mixed(9, sample)
        sides = np.array([mixed(key, row // 64) >> row % 64 & 1 for row in range(len(truth))], bool)
        mine, theirs = np.where(sides, other, one), np.where(sides, one, other)
        return MEASURES[name](truth, mine) - MEASURES[name](truth, theirs)

    as_large = sum(abs(swapped(sample)) >= abs(observed) * (1 - 1e-12) for sample in range(300))
    close(first.compare(second, name, resamples=300, seed=9).p_value, (1 + as_large) / 301, "permutation")


def test_the_permutation_test_is_scipys() -> None:
    """With other draws."""
    truth, one, other = predictions(6, 200)

    def difference(x, y, axis):
        return (x == truth).mean(axis) - (y == truth).mean(axis)

    reference = stats.permutation_test((one, other), difference, permutation_type="samples", rng=1)
    found = evaluation.labels(truth, one).compare(evaluation.labels(truth, other), "accuracy")
    assert abs(found.p_value - reference.pvalue) < 0.015


def test_mcnemar() -> None:
    for rows in (20, 300, 5000):
        truth, one, other = predictions(rows, rows)
        alone = int(((one == truth) & (other != truth)).sum())
        of_both = int(((one == truth) != (other == truth)).sum())
        found = evaluation.labels(truth, one).compare(evaluation.labels(truth, other), "accuracy", test="mcnemar")
        expected = stats.binomtest(alone, of_both).pvalue
        assert abs(found.p_value / expected - 1) < 1e-10


def test_a_million_rows_take_seconds_at_most() -> None:
    source = np.random.default_rng(1)
    count = 1_000_000
    truth = source.integers(0, 2, count).astype(np.int32)
    scores = source.random(count)
    started = time.process_time()
    found = evaluation.scores(truth, scores)
    took = time.process_time() - started
    close(found.roc_auc, sk.roc_auc_score(truth, scores), "roc_auc")
    assert took < 2, f"{took} s"


@pytest.mark.parametrize("kind", ["tags", "rankings", "arrays", "answers"])
def test_a_million_tags_candidates_or_words_take_seconds_at_most(kind: str) -> None:
    """Five in each row."""
    source = np.random.default_rng(2)
    truth, scores = source.integers(0, 3, (200_000, 5)), source.random((200_000, 5))
    names = np.array(["O", "B-A", "I-A"], object)
    given = {
        "tags": lambda: (names[truth].tolist(), names[source.integers(0, 3, truth.shape)].tolist()),
        "rankings": lambda: (truth.tolist(), scores.tolist()),
        "arrays": lambda: (truth, scores),
        "answers": lambda: ([" ".join(row) for row in names[truth]], [[" ".join(row)] for row in names[truth[::-1]]]),
    }[kind]()
    measure = {"tags": evaluation.tags, "answers": evaluation.answers}.get(kind, evaluation.rankings)
    started = time.process_time()
    found = measure(*given)
    took = time.process_time() - started
    assert found.row_count == 200_000
    assert took < 2, f"{took} s"
