"""The measures of an evaluation, and how sure they are."""

from __future__ import annotations

import math

from ..errors import GraftError, InvalidArgumentError, Status
from ..metrics import Evaluation, Interval
from .markup import Html, joined, tag
from .numbers import counted, shown, spelt
from .parts import Column, Section, table

#: What is shown large, of the first task that has the first of them.
HEADLINES = (
    ("f1", "exact_match", "has_answer_f1", "no_answer_f1"),
    ("entity_f1", "entity_precision", "entity_recall", "strict_entity_f1"),
    ("binary_f1", "accuracy", "roc_auc", "mcc"),
    ("exact_match", "micro_f1", "macro_f1", "roc_auc"),
    ("bleu", "chrf", "rougeL", "rouge1"),
    ("perplexity", "accuracy"),
    ("accuracy", "macro_f1", "mcc", "roc_auc"),
    ("pearson", "spearman", "mae", "r2"),
    ("ndcg", "mrr", "map", "recall_at_k"),
    ("rewards_accuracies", "rewards_margins", "rewards_chosen", "rewards_rejected"),
)
RESAMPLES = 1000
#: Rows that all samples of a measure together may have, and rows from which on only what is shown
#: large has intervals: they bound the time.
DRAWN_ROWS = 10_000_000
MANY_ROWS = 20_000
LEAST_RESAMPLES = 100
#: Measures that are chosen on these rows, so that an interval would flatter them, and what none is
#: drawn for.
WITHOUT_INTERVAL = ("loss", "best_f1", "best_f1_threshold", "best_exact_match", "best_exact_match_threshold")
#: Measures whose intervals sort the rows of each sample, or take its pairs.
SLOW = {"kendall": 50}


def section_of(evaluation: Evaluation) -> Section:
    """Large ones above a table of all."""
    known = {name: value for name, value in evaluation.values.items() if not math.isnan(value)}
    resamples = _resamples(evaluation)
    sampled = _headline_names(known) if evaluation.row_count > MANY_ROWS else tuple(known)
    intervals = {name: found for name in sampled if (found := _interval(evaluation, name, resamples)) is not None}
    rows = [
        [
            spelt(name),
            shown(value),
            *_limits(intervals.get(name)),
            shown(intervals[name].standard_error) if name in intervals else "",
        ]
        for name, value in known.items()
    ]
    what = f"Measures on {counted(evaluation.row_count)} rows"
    columns = [Column("Measure", ""), Column("Value"), Column("95 % from"), Column("to"), Column("Standard error")]
    behind = tag("details", tag("summary", "Numbers: Measures"), table(what, columns, rows))
    drawn = next(iter(intervals.values())).resamples if intervals else 0
    note = (
        f"Intervals hold 95 % of the measures of {counted(drawn)} random samples of these rows, drawn with "
        "replacement: how far a number would be off on other rows of the same kind."
        if intervals
        else "The rows behind these numbers are not at hand, so they have no intervals."
    )
    content = joined([_headlines(known, intervals), tag("p", note, class_="note", style="margin-top:18px"), behind])
    return Section("measures", "Measures", content)


def _headlines(known: dict[str, float], intervals: dict[str, Interval]) -> Html:
    blocks = []
    for name in _headline_names(known):
        interval = _limits(intervals.get(name))
        between = f"95 %: {interval[0]} to {interval[1]}" if interval[0] else ""
        value = tag("dd", shown(known[name]), class_="value")
        blocks.append(tag("div", tag("dt", spelt(name)), value, tag("dd", between, class_="note")))
    return tag("dl", *blocks, class_="headlines")


def _headline_names(known: dict[str, float]) -> tuple[str, ...]:
    chosen = next((group for group in HEADLINES if group[0] in known), tuple(known)[:4])
    return tuple(name for name in chosen if name in known)


def _limits(interval: Interval | None) -> list[str]:
    return ["", ""] if interval is None else [shown(interval.low), shown(interval.high)]


def _resamples(evaluation: Evaluation) -> int:
    rows = max(1, evaluation.row_count)
    return max(LEAST_RESAMPLES, min(RESAMPLES, DRAWN_ROWS // rows))


def _interval(evaluation: Evaluation, name: str, resamples: int) -> Interval | None:
    if name in WITHOUT_INTERVAL:
        return None
    try:
        return evaluation.interval(name, resamples=min(resamples, SLOW.get(name, resamples)))
    except InvalidArgumentError:  # the rows are not there
        return None
    except GraftError as error:
        if error.status != Status.NOT_FOUND:
            raise
        return None  # it is not of these rows, as a loss is of tokens
