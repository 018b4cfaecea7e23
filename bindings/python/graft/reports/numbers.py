"""Numbers and names as people read them."""

from __future__ import annotations

import math

#: What measures and methods are called.
NAMES = {
    "adalora": "AdaLoRA",
    "ia3": "IA³",
    "lora": "LoRA",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "bleu": "BLEU",
    "chrf": "chrF",
    "average_precision": "Average precision",
    "brier": "Brier score",
    "exact_match": "Exact match",
    "kappa": "Cohen’s κ",
    "kendall": "Kendall’s τ",
    "log_loss": "Log loss",
    "mae": "Mean absolute error",
    "map": "Mean average precision",
    "mcc": "Matthews correlation",
    "mrr": "Mean reciprocal rank",
    "mse": "Mean squared error",
    "ndcg": "nDCG",
    "ndcg_at_k": "nDCG at k",
    "pearson": "Pearson correlation",
    "r2": "R²",
    "roc_auc": "ROC AUC",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "rougeLsum": "ROUGE-Lsum",
    "spearman": "Spearman correlation",
}
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def spelt(name: str) -> str:
    """A name of a setting or a measure in words."""
    if name in NAMES:
        return NAMES[name]
    words = name.replace("_", " ").replace("f1", "F1")
    return words[:1].upper() + words[1:]


def shown(value: float, places: int = 3) -> str:
    """A measure: so many places, or so many digits where it is far from 1."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size == 0 or 0.001 <= size < 10:
        return _minus(f"{value:.{places}f}")
    if size < 0.001 or size >= 1e7:
        digits, power = f"{value:.{places - 1}e}".split("e")
        return f"{_minus(digits)} × 10{str(int(power)).translate(SUPERSCRIPTS)}"
    return _minus(f"{value:,.{1 if size < 1000 else 0}f}")


def counted(count: float) -> str:
    """A number of rows or the like."""
    return _minus(f"{count:,.0f}")


def percent(share: float) -> str:
    """A part of 1."""
    return "–" if math.isnan(share) else f"{100 * share:.1f} %"


def tick(value: float, step: float) -> str:
    """A number beside an axis whose marks are ``step`` apart."""
    if value == 0:
        return "0"
    if abs(value) >= 1e5 or step < 1e-4:
        digits, power = f"{value:.1e}".split("e")
        digits = digits.removesuffix(".0")
        return f"{_minus(digits)}×10{str(int(power)).translate(SUPERSCRIPTS)}"
    places = max(0, math.ceil(-math.log10(step) - 1e-9)) if step < 1 else 0
    return _minus(f"{value:,.{places}f}")


def _minus(text: str) -> str:
    return text.replace("-", "−")
