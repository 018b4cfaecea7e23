"""Measures of given numbers: truth and predictions of any kind, whoever made them.

>>> from graft import evaluation
>>> result = evaluation.labels(["ham", "spam", "ham"], ["ham", "ham", "ham"])
>>> result.accuracy, result.macro_f1, result.mcc
>>> result.interval("macro_f1", method="bca").low
>>> better = evaluation.scores(truth, new).compare(evaluation.scores(truth, old), "roc_auc")
>>> better.gain, better.p_value

Each function takes lists, arrays or columns of tables and gives a :class:`graft.Evaluation`. The
measures equal those of scikit-learn, scipy, seqeval, the scripts of SQuAD and CMRC, sacrebleu and
rouge-score; what divides by zero there is 0 as with ``zero_division=0``, or NaN where nothing is
defined, such as the ``roc_auc`` of rows that all have one label. ``weights`` has a number for each
row or query.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Sequence
from ctypes import Array, byref, c_char_p, c_double, c_int32, c_int64, c_void_p
from itertools import accumulate, chain
from typing import Any, Literal

from .errors import invalid
from .library import lib
from .lost_tokens import warn
from .metrics import Evaluation
from .thresholds import thresholds_of
from .values import as_list, c_number, choice, is_missing, name_array, name_list, settings_json, text_array, text_list

__all__ = ["answers", "label_sets", "labels", "rankings", "scores", "tags", "texts", "values"]

Numbers = Iterable[float]
NumberRows = Iterable[float] | Iterable[Iterable[float]]


def labels(
    truth: Iterable[Hashable],
    chosen: Iterable[Hashable],
    *,
    weights: Numbers | None = None,
    label_names: Sequence[Hashable] | None = None,
) -> Evaluation:
    """Of one of several labels each: ``accuracy``, ``balanced_accuracy``, ``macro_f1``,
    ``micro_f1``, ``weighted_f1``, ``precision`` and ``recall`` (macro), ``weighted_precision``,
    ``weighted_recall``, ``mcc`` and ``kappa``; of two labels also ``binary_f1``,
    ``binary_precision`` and ``binary_recall`` of the second.

    :param label_names: all labels in their order; None: those that occur, sorted.
    """
    (first, found), (second, others) = _distinct(truth, "truth"), _distinct(chosen, "chosen")
    names = list(label_names) if label_names is not None else _ordered({*found, *others}, "truth, chosen")
    given, out = _numbered(first, found, names, "truth"), c_void_p()
    other = _numbered(second, others, names, "chosen")
    _same(len(given), len(other), "truth", "chosen")
    row_weights = _weights(weights, len(given))
    lib.graft_evaluate_labels(given, other, row_weights, len(given), len(names), byref(out))
    return _read(out, names)


def scores(
    truth: Iterable[Hashable],
    given: NumberRows,
    *,
    weights: Numbers | None = None,
    label_names: Sequence[Hashable] | None = None,
    threshold: float | None = None,
    probabilities: bool = True,
) -> Evaluation:
    """Of one of several labels each, by a score for each of them or, as one number a row, for the
    second of two: what :func:`labels` measures, ``roc_auc``, ``average_precision``, ``log_loss``
    and ``brier``; of two labels also ``best_f1`` and ``best_f1_threshold``, to be found on rows for
    validation.

    :param label_names: all labels in the order of the scores; None: those that occur, sorted.
    :param threshold: the score from which on the second label is chosen, where there is one a row;
        None: 0.5.
    :param probabilities: False for scores of any kind, which have no ``log_loss`` and ``brier``.
    """
    first, found = _distinct(truth, "truth")
    numbers, width = _doubles(given, "scores")
    names = list(label_names) if label_names is not None else _ordered(found, "truth")
    if label_names is None and width > 1 and len(names) != width:
        raise invalid(f"scores: found {width} a row, and {len(names)} labels occur: expected label_names")
    if len(names) > max(width, 2) or (label_names is not None and len(names) != max(width, 2)):
        raise invalid(f"scores: expected one for each of the {len(names)} labels, found {width}")
    rows, out = _numbered(first, found, names, "truth"), c_void_p()
    _same(len(rows), len(numbers) // width, "truth", "scores")
    settings = settings_json(threshold=threshold, probabilities=probabilities)
    lib.graft_evaluate_scores(
        rows, numbers, _weights(weights, len(rows)), len(rows), width, settings, byref(out)
    )
    return _read(out, names)


def label_sets(
    truth: Iterable[Iterable[int]],
    given: Iterable[Iterable[float]],
    *,
    weights: Numbers | None = None,
    label_names: Sequence[Hashable] | None = None,
    threshold: float | Iterable[float] | None = None,
    probabilities: bool = True,
) -> Evaluation:
    """Of any number of labels each, from rows of 0 and 1 and rows of scores, one for each label:
    ``exact_match``, ``micro_f1``, ``macro_f1``, ``weighted_f1``, ``precision`` and ``recall``
    (macro), ``micro_precision``, ``micro_recall``, ``roc_auc`` and ``average_precision``.

    :param threshold: the score from which on a label is chosen, or one for each label; None: 0.5.
    :param probabilities: False for scores of any kind.
    """
    marks, columns = _marks(truth, "truth")
    numbers, width = _doubles(given, "scores")
    if columns != width:
        raise invalid(f"scores: expected {columns} a row, as truth has, found {width}")
    _same(len(marks), len(numbers), "truth", "scores")
    count, out = len(marks) // width, c_void_p()
    least = None if threshold is None else thresholds_of(threshold, width, probabilities)
    settings = settings_json(threshold=least, probabilities=probabilities)
    lib.graft_evaluate_label_sets(marks, numbers, _weights(weights, count), count, width, settings, byref(out))
    return _read(out, list(range(width)) if label_names is None else list(label_names))


def values(truth: NumberRows, given: NumberRows, *, weights: Numbers | None = None) -> Evaluation:
    """Of one value or several each: ``mse``, ``mae``, ``r2``, and the correlations ``pearson``,
    ``spearman`` and ``kendall``, which take no weights; means over the values of a row."""
    targets, columns = _doubles(truth, "truth")
    numbers, width = _doubles(given, "values")
    if columns != width:
        raise invalid(f"values: expected {columns} a row, as truth has, found {width}")
    _same(len(targets), len(numbers), "truth", "values")
    count, out = len(targets) // width, c_void_p()
    lib.graft_evaluate_values(targets, numbers, _weights(weights, count), count, width, byref(out))
    return _read(out, [])


def tags(truth: Iterable[Iterable[str]], chosen: Iterable[Iterable[str]]) -> Evaluation:
    """Of sentences of tags, "O" or B, I, E or S before the type of an entity, as in "B-PER":
    ``entity_f1``, ``entity_precision``, ``entity_recall``, ``strict_entity_f1``, and what
    :func:`labels` measures of the single tags."""
    rows = _nested({"truth": truth, "chosen": chosen}, "tags", "sentences")
    flat = [list(chain.from_iterable(side)) for side in rows]
    names = _ordered(set(flat[0]).union(flat[1]), "tags")
    sides = [_numbered(side, names, names, "tags") for side in flat]
    texts, out = name_array(names, "tags"), c_void_p()
    lib.graft_evaluate_tags(
        sides[0], sides[1], _starts(rows[0]), len(rows[0]), texts, len(names), byref(out)
    )
    return _read(out, names)


def answers(
    predictions: Iterable[str],
    accepted: Iterable[Iterable[str]],
    *,
    no_answer_scores: Numbers | None = None,
    script: Literal["squad", "cmrc"] = "squad",
) -> Evaluation:
    """Of texts that answer questions: ``exact_match`` and ``f1`` from 0 to 1, and the same of the
    questions that have an answer (``has_answer_f1``) and of those that have none
    (``no_answer_f1``).

    :param predictions: "" for no answer.
    :param accepted: the accepted answers of each question; none where it has no answer.
    :param no_answer_scores: the higher, the likelier a question has no answer; with them the
        evaluation has ``best_f1`` and ``best_f1_threshold``, as SQuAD 2.0's script finds them, to
        be found on rows for validation, and the same of ``exact_match``. Where no threshold does
        better than to answer nothing, it is 0 as there, which answers what has a score below 0; a
        warning says so, and ``-math.inf`` is the threshold to take.
    :param script: whose definitions.
    """
    given = as_list(predictions, "predictions", "strings")
    texts = name_array(given, "predictions")
    known = _lists(accepted, "accepted", "strings", "lists")
    _same(len(given), len(known), "predictions", "accepted")
    numbers, out = _weights(no_answer_scores, len(given), "no_answer_scores"), c_void_p()
    lib.graft_evaluate_answers(
        texts,
        _names_in(known, "accepted"),
        _starts(known),
        numbers,
        len(given),
        script.encode(),
        byref(out),
    )
    measured = _read(out, [])
    if numbers is not None and any(given):
        _warn_of_no_threshold(measured, sum(not row for row in known) / len(known), min(numbers))
    return measured


def _warn_of_no_threshold(measured: Evaluation, unanswered: float, least: float) -> None:
    """Says that the best is to answer nothing, which is right for a part of the questions, but is
    not what a threshold of 0 does."""
    if 0 < unanswered == measured.values["best_f1"] and least < 0:
        warn(
            f"no threshold has a better F1 than no answers at all, {unanswered:.4f}: best_f1_threshold is 0, as SQuAD's "
            "script has it, by which questions with a score below 0 are answered; -inf answers none"
        )


def texts(
    written: Iterable[str],
    references: Iterable[str] | Iterable[Iterable[str]],
    *,
    tokenize: Literal["13a", "zh", "char"] = "13a",
) -> Evaluation:
    """Of texts that a model wrote, such as translations and summaries: ``bleu`` and ``chrf`` of all
    of them together, from 0 to 100, as sacrebleu has them, and the means of their F1 from 0 to 1 of
    ``rouge1``, ``rouge2``, ``rougeL`` and ``rougeLsum``, as rouge-score has them without stemming.

    :param references: what each should be, or a list of several, of which the best counts.
    :param tokenize: what is counted, by sacrebleu's names: ``"13a"`` are words of languages with
        blanks between them; ``"zh"`` are Chinese characters and words of others, ``"char"`` all
        characters, and with both ROUGE is of characters.
    """
    from .generated.measures import TOKENIZERS, is_chinese  # here, since most programs measure none

    choice(tokenize, dict.fromkeys(TOKENIZERS, 0), "tokenize")
    given = as_list(references, "references", "strings", 2)
    known = [
        _measured([row] if isinstance(row, str) else row, f"references[{place}]") for place, row in enumerate(given)
    ]
    own, out = _measured(written, "written"), c_void_p()
    _same(len(own), len(known), "written", "references")
    if tokenize == "13a" and is_chinese(b"".join(chain(*known)).decode()):
        warn("the references are Chinese, which has no blanks between words: see tokenize")
    lib.graft_evaluate_texts(
        text_array(own),
        text_array(list(chain(*known))),
        _starts(known),
        len(own),
        settings_json(tokenize=tokenize),
        byref(out),
    )
    return _read(out, [])


def _measured(texts: Iterable[str], name: str) -> list[bytes]:
    """UTF-8 of each text. NUL, which would end it, becomes another control character: no measure
    tells them apart."""
    return [text.replace(b"\0", b"\1") for text in text_list(texts, name)]


def rankings(
    relevance: Iterable[Iterable[float]],
    given: Iterable[Iterable[float]],
    *,
    k: int = 10,
    weights: Numbers | None = None,
) -> Evaluation:
    """Of candidates in the order of their scores, a list of them for each query: ``ndcg`` and
    ``ndcg_at_k`` as scikit-learn has them, ``mrr``, ``map``, ``recall_at_k`` and ``precision_at_k``
    as trec_eval has them, of candidates whose relevance is above 0.

    :param relevance: of each candidate of each query, 0 or more.
    :param given: their scores.
    """
    shape: Any = getattr(relevance, "shape", ())
    # End to end already.
    if len(shape) == 2 and shape == getattr(given, "shape", None) and shape[1] > 0:
        rows: list[Any] = [relevance, given]
        count, width = map(int, shape)
        starts = (c_int64 * (count + 1))(*range(0, count * width + 1, width))
    else:
        lists = _nested({"relevance": relevance, "scores": given}, "numbers", "queries", 2)
        rows = [list(chain.from_iterable(side)) for side in lists]
        count, starts = len(lists[0]), _starts(lists[0])
    sides, out = [_doubles(side, name)[0] for name, side in zip(("relevance", "scores"), rows)], c_void_p()
    lib.graft_evaluate_rankings(
        sides[0], sides[1], starts, _weights(weights, count), count, settings_json(k=k), byref(out)
    )
    return _read(out, [])


def _read(out: c_void_p, names: Sequence[Hashable]) -> Evaluation:
    try:
        return Evaluation.read(out, [str(name) for name in names])
    finally:
        lib.graft_evaluation_release(out)


def _distinct(labels: Any, name: str) -> tuple[Any, list[Any]]:
    """Labels of rows, and those that occur; of an array the numbers of these, and these."""
    if hasattr(labels, "__array__") and len(getattr(labels, "shape", ())) == 1:
        import numpy

        found, numbers = numpy.unique(numpy.asarray(labels), return_inverse=True)
        return numbers, found.tolist()
    rows = as_list(labels, name, "labels")
    return rows, list(set(rows))


def _ordered(found: Iterable[Any], name: str) -> list[Any]:
    """Labels in an order that does not depend on that of the rows."""
    names = list(found)
    if not names:
        raise invalid(f"{name}: there is nothing to measure: expected a row at least")
    if any(map(is_missing, names)):
        raise invalid(f"{name}: expected labels, found a missing value (None or NaN)")
    try:
        return sorted(names)
    except TypeError:
        kinds = ", ".join(sorted({type(label).__name__ for label in names}))
        raise TypeError(f"{name}: expected labels of one type, found {kinds}") from None


def _numbered(rows: Any, found: list[Any], names: list[Any], name: str) -> Array[c_int32]:
    """The place of each row's label among the names."""
    places = {label: place for place, label in enumerate(names)}
    for label in found:
        if label not in places:
            raise invalid(f"{name}: label {label!r} is not among {', '.join(map(str, names[:20]))}")
    if isinstance(rows, list):
        return (c_int32 * len(rows)).from_buffer_copy(array("i", map(places.__getitem__, rows)))
    import numpy

    numbers = numpy.array([places[label] for label in found], numpy.int32)[rows]
    return (c_int32 * len(numbers)).from_buffer_copy(numbers.data)


def _end_to_end(rows: Any, name: str) -> tuple[Any, int]:
    """Numbers row after row, an array or a list as the rows are, and how many each row has."""
    shape = getattr(rows, "shape", None)
    if isinstance(shape, tuple) and len(shape) in (1, 2) and hasattr(rows, "__array__"):
        import numpy

        flat = numpy.asarray(rows).reshape(-1)
        return flat.tolist() if flat.dtype == object else flat, int(shape[1]) if len(shape) == 2 else 1
    lists = as_list(rows, name, "numbers", 2)
    width = 1
    if lists and isinstance(lists[0], Iterable):
        widths = {len(row) for row in lists}
        if len(widths) != 1 or 0 in widths:
            raise invalid(f"{name}: expected as many numbers in each row, found {', '.join(map(str, sorted(widths)))}")
        width, lists = widths.pop(), list(chain.from_iterable(lists))
    return lists, width


def _doubles(rows: Any, name: str) -> tuple[Array[c_double], int]:
    """Numbers row after row, and how many each row has."""
    numbers, width = _end_to_end(rows, name)
    if not isinstance(numbers, list):
        import numpy

        return (c_double * len(numbers)).from_buffer_copy(numpy.ascontiguousarray(numbers, numpy.float64).data), width
    try:
        return (c_double * len(numbers)).from_buffer_copy(array("d", numbers)), width
    except (TypeError, OverflowError):  # slower, and says which
        rows = [c_number(c_double, number, f"{name}[{place // width}]") for place, number in enumerate(numbers)]
        return (c_double * len(rows))(*rows), width


def _marks(rows: Any, name: str) -> tuple[Array[c_int32], int]:
    """0 and 1 row after row, and how many each row has."""
    marks, width = _end_to_end(rows, name)
    if isinstance(marks, list):
        are_marks = all(mark in (0, 1) for mark in marks)
    else:
        are_marks = bool(((marks == 0) | (marks == 1)).all())
    if not are_marks:
        raise invalid(f"{name}: expected 0 or 1 for each label of each row")
    if isinstance(marks, list):
        return (c_int32 * len(marks)).from_buffer_copy(array("i", map(int, marks))), width
    import numpy

    return (c_int32 * len(marks)).from_buffer_copy(marks.astype(numpy.int32).data), width


def _weights(numbers: Numbers | None, count: int, name: str = "weights") -> Array[c_double] | None:
    if numbers is None:
        return None
    given, _ = _doubles(numbers, name)
    _same(count, len(given), "rows", name)
    return given


def _starts(rows: list[Any]) -> Array[c_int64]:
    """Where each row begins, end to end, and where the last ends."""
    return (c_int64 * (len(rows) + 1)).from_buffer(array("q", accumulate(map(len, rows), initial=0)))


def _nested(given: dict[str, Any], of: str, rows_of: str, dimensions: int = 1) -> list[list[list[Any]]]:
    """Both sides of what is compared, lists of lists with as many each."""
    sides = [_lists(side, name, of, rows_of, dimensions) for name, side in given.items()]
    one, other = given
    _same(len(sides[0]), len(sides[1]), one, other)
    for place, (first, second) in enumerate(zip(*(map(len, side) for side in sides))):
        if first != second:
            _same(first, second, f"{one}[{place}]", f"{other}[{place}]")
    return sides


def _lists(rows: Any, name: str, of: str, rows_of: str, dimensions: int = 1) -> list[list[Any]]:
    """Lists of lists."""
    if dimensions == 2 and len(getattr(rows, "shape", ())) == 2 and hasattr(rows, "tolist"):
        return list(rows.tolist())
    outer = as_list(rows, name, rows_of, dimensions)
    return [row if type(row) is list else as_list(row, f"{name}[{place}]", of) for place, row in enumerate(outer)]


def _names_in(rows: list[list[Any]], name: str) -> Array[c_char_p]:
    """C strings of the names of all rows; errors say the row."""
    try:
        return name_array(list(chain.from_iterable(rows)), name)
    except (TypeError, ValueError):
        return text_array([encoded for place, row in enumerate(rows) for encoded in name_list(row, f"{name}[{place}]")])


def _same(first: int, second: int, one: str, other: str) -> None:
    if first != second:
        raise invalid(f"{one} has {first} and {other} has {second}: expected as many")
