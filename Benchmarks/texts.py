"""What models write: what they learn of it, and what that is measured by, in text_quality.py of
both sides; and what they translate, in translating.py of both.
"""

import argparse
import collections
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data import shuffled
from settings import CHAT_MODEL, DATA, MARIAN, MODELS

Pairs = list[tuple[str, str]]


def _dialogues() -> Pairs:
    """Instructions with their answers, of those that are short."""
    lines = (DATA / "self_instruct_seed" / "seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    tasks = [(task["instruction"], task["instances"][0]) for task in map(json.loads, lines)]
    pairs = [("\n".join(filter(None, (text, one["input"]))), one["output"]) for text, one in tasks]
    return [pair for pair in pairs if sum(map(len, pair)) < 400]


def _sentences() -> Pairs:
    """English with its Chinese translation."""
    lines = (DATA / "tatoeba_en_zh" / "cmn.txt").read_text(encoding="utf-8").splitlines()
    return [(english, chinese) for english, chinese in (line.split("\t") for line in lines)]


def _translations() -> Pairs:
    return [(f"Translate into Chinese: {english}", chinese) for english, chinese in _sentences() if len(english) > 20]


def _paraphrases() -> Pairs:
    """English that has one translation into Chinese. The tokens of Marian are of no Chinese."""
    groups = collections.defaultdict(list)
    for english, chinese in _sentences():
        if english not in groups[chinese]:
            groups[chinese].append(english)
    return [(group[0], group[1]) for group in groups.values() if len(group) > 1]


def _titles() -> Pairs:
    """Abstracts with their titles, of those that are short."""
    lines = (DATA / "csl_title_summ" / "dev.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return [(f"写出标题：{abstract}", title) for _, abstract, title in rows if len(abstract) < 130]


@dataclass(frozen=True)
class TextTask:
    """Pairs of a prompt and what is to be written: what an assistant says in a conversation, or
    the target of an encoder's source.
    """

    model: Path
    head: str
    pairs: Callable[[], Pairs]
    tokenize: str
    rows: int
    epochs: int
    learning_rate: float = 1e-3

    def parts(self, rows: int | None = None) -> tuple[Pairs, Pairs]:
        """Rows to learn from, and others, of neither more than `rows`."""
        pairs, count = self.pairs(), rows or self.rows
        order = [pairs[row] for row in shuffled(len(pairs), seed=0)]
        return order[TEST_ROWS:][:count], order[:TEST_ROWS][:count]


TEST_ROWS = 32
TEXT_TASKS = {
    "dialogue": TextTask(CHAT_MODEL, "language_model", _dialogues, "13a", rows=64, epochs=2),
    "translation": TextTask(CHAT_MODEL, "language_model", _translations, "zh", rows=128, epochs=2),
    "summaries": TextTask(CHAT_MODEL, "language_model", _titles, "zh", rows=48, epochs=2),
    "paraphrases": TextTask(MARIAN, "seq_2_seq_lm", _paraphrases, "13a", rows=480, epochs=3, learning_rate=2e-3),
}

#: Of both sides, without any dropout.
TEXT_LORA = {"r": 8, "lora_alpha": 16, "target_modules": "all-linear"}
ROWS_PER_BATCH, NEW_TOKENS = 8, 48


def text_parser(description: str | None) -> argparse.ArgumentParser:
    """What both sides take."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=list(TEXT_TASKS), default="dialogue")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", type=int, help="to learn from, where not all")
    parser.add_argument(
        "--adapters", type=Path, default=MODELS / "adapters", help="folder of Graft's, fresh and trained"
    )
    return parser


def translating_parser(description: str | None) -> argparse.ArgumentParser:
    """What every run that translates takes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--beams", type=int, default=1)
    return parser


def translated_sentences(count: int) -> list[str]:
    """English, from all lengths of the data set, which is sorted by them."""
    sentences = [english for english, _ in _sentences()]
    return sentences[:: len(sentences) // count][:count]


def conversation(prompt: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def text_batches(rows: int, epochs: int, seed: int) -> list[list[int]]:
    """The rows of each step; the last of an epoch may be fewer."""
    orders = [shuffled(rows, seed * epochs + epoch) for epoch in range(epochs)]
    return [order[first : first + ROWS_PER_BATCH] for order in orders for first in range(0, rows, ROWS_PER_BATCH)]


def training_result(task: str, seed: int, before: float, after: float, losses: list[float]) -> dict:
    """What both sides say of a training: losses of held-out rows, and of its last steps."""
    lasts = [round(loss, 5) for loss in losses[-3:]]
    return {"task": task, "seed": seed, "before": round(before, 5), "after": round(after, 5), "last_losses": lasts}


def warmup_steps(total: int) -> int:
    return math.ceil(0.06 * total)


class _Characters:
    """What rouge-score counts in Chinese."""

    def tokenize(self, text: str) -> list[str]:
        return [character for character in text.lower() if not character.isspace()]


def text_measures(written: list[str], references: list[str], tokenize: str) -> dict[str, float]:
    """Of one side's texts: by sacrebleu and rouge-score, and the most that Graft's measures differ
    from them.
    """
    import graft
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=None if tokenize == "13a" else _Characters())
    rouge = [scorer.score(*pair)["rougeL"].fmeasure for pair in zip(references, written, strict=True)]
    theirs = {
        "bleu": sacrebleu.corpus_bleu(written, [references], tokenize=tokenize).score,
        "chrf": sacrebleu.corpus_chrf(written, [references]).score,
        "rougeL": sum(rouge) / len(rouge),
    }
    ours = graft.evaluation.texts(written, references, tokenize=tokenize).values
    apart = max(abs(ours[name] - value) for name, value in theirs.items())
    return {name: round(value, 4) for name, value in theirs.items()} | {"measures_apart": round(apart, 9)}
