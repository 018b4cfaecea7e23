"""What the evaluation scripts of SQuAD 2.0 (evaluate-v2.0.py) and CMRC 2018
(cmrc2018_evaluate.py) compute, as they compute it."""

from __future__ import annotations

import collections
import re
import string


# ---- SQuAD ----


def normalize_answer(text: str) -> str:
    text = text.lower()
    text = "".join(character for character in text if character not in set(string.punctuation))
    text = re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", text)
    return " ".join(text.split())


def compute_exact(gold: str, prediction: str) -> int:
    return int(normalize_answer(gold) == normalize_answer(prediction))


def compute_f1(gold: str, prediction: str) -> float:
    known, given = normalize_answer(gold).split(), normalize_answer(prediction).split()
    same = sum((collections.Counter(known) & collections.Counter(given)).values())
    if not known or not given:
        return int(known == given)
    if same == 0:
        return 0
    precision, recall = 1.0 * same / len(given), 1.0 * same / len(known)
    return (2 * precision * recall) / (precision + recall)


def get_raw_scores(dataset: list, predictions: dict) -> tuple[dict, dict]:
    """By questions' ids."""
    exact, f1 = {}, {}
    for article in dataset:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                known = [own["text"] for own in question["answers"] if normalize_answer(own["text"])] or [""]
                prediction = predictions[question["id"]]
                exact[question["id"]] = max(compute_exact(answer, prediction) for answer in known)
                f1[question["id"]] = max(compute_f1(answer, prediction) for answer in known)
    return exact, f1


def make_qid_to_has_ans(dataset: list) -> dict:
    return {
        question["id"]: bool(question["answers"])
        for article in dataset
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    }


def find_best_thresh(predictions: dict, scores: dict, na_probs: dict, has_answer: dict) -> tuple[float, float]:
    current = best = sum(1 for row in has_answer if not has_answer[row])
    threshold = 0.0
    for row in sorted(na_probs, key=lambda row: na_probs[row]):
        if has_answer[row]:
            current += scores[row]
        elif predictions[row]:
            current += -1
        if current > best:
            best, threshold = current, na_probs[row]
    return 100.0 * best / len(scores), threshold


# ---- CMRC ----

PUNCTUATION = "-:_*^/\\~`+=，。：？！“”；’《》……·、「」（）－～『』"


def segments(text: str) -> list[str]:
    """``mixed_segmentation``, where words between Chinese characters are split at spaces, as NLTK
    splits them where they have no punctuation."""
    found, run = [], ""
    for character in text.lower().strip():
        if character in PUNCTUATION:
            continue
        if re.search("[\u4e00-\u9fa5]", character):
            found += [*run.split(), character]
            run = ""
        else:
            run += character
    return found + run.split()


def longest_shared(first: list[str], second: list[str]) -> int:
    runs = [0] * (len(second) + 1)
    best = 0
    for one in first:
        for place in range(len(second), 0, -1):
            runs[place] = runs[place - 1] + 1 if second[place - 1] == one else 0
            best = max(best, runs[place])
    return best


def cmrc(accepted: list[str], prediction: str) -> tuple[float, float]:
    """``calc_em_score`` and ``calc_f1_score``."""

    def plain(text: str) -> str:
        return "".join(character for character in text.lower().strip() if character not in PUNCTUATION)

    scores = []
    for answer in accepted:
        known, given = segments(answer), segments(prediction)
        shared = longest_shared(known, given)
        if shared == 0:
            scores.append(0.0)
            continue
        precision, recall = 1.0 * shared / len(given), 1.0 * shared / len(known)
        scores.append((2 * precision * recall) / (precision + recall))
    return float(any(plain(answer) == plain(prediction) for answer in accepted)), max(scores)
