"""Measures of generated texts equal those of sacrebleu and rouge-score: of real translations and
summaries, with words left out, changed and moved."""

from __future__ import annotations

import math
import random
import time

import pytest
from conftest import DATA
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF

from graft import evaluation

NAMES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]


class Characters:
    """A tokenizer as rouge-score takes them."""

    def tokenize(self, text: str) -> list[str]:
        return [character for character in text.lower() if not character.isspace()]


def translations(column: int) -> list[str]:
    lines = (DATA / "tatoeba_en_zh" / "cmn.txt").read_text("utf-8").splitlines()
    return [line.split("\t")[column] for line in lines[::40]]


def summaries(column: int) -> list[str]:
    lines = (DATA / "csl_title_summ" / "dev.tsv").read_text("utf-8").splitlines()
    return [line.split("\t")[column] for line in lines[1::10]]


def changed(texts: list[str], seed: int, by_words: bool) -> list[str]:
    """What a model might have written in their place: some of another text, and some lines."""
    source, found = random.Random(seed), []
    for text in texts:
        parts = text.split(" ") if by_words else list(text)
        parts = [part for part in parts if source.random() > 0.15]
        if parts and source.random() < 0.5:
            cut = source.randrange(len(parts))
            parts = parts[cut:] + parts[:cut]
        other = source.choice(texts)
        if source.random() < 0.3:
            parts += other.split(" ") if by_words else list(other)
        if parts and source.random() < 0.3:
            parts.insert(source.randrange(len(parts)), "\n")
        found.append((" " if by_words else "").join(parts))
    return found


TEXTS = {
    "english": (translations(0), "13a", True),
    "chinese": (translations(1), "zh", False),
    "titles": (summaries(2), "zh", False),
    "abstracts": (summaries(1)[:40], "char", False),
    "odd": (['"A", 3,000.5-2 &amp; b&lt;c', "-\nx <skipped> y", "a\u2018b\u2019 \u2028 \u3000c\U00020000d，e", "…——½", " ", "x"], "13a", True),
    "odd in chinese": (['"A", 3,000.5-2 &amp; b&lt;c', "a\u2018b\u2019 \u2028 \u3000c\U00020000d，e", "…——½\u2600Ａ１ 中文abc中", "x"], "zh", False),
}


def expected(written: list[str], references: list[list[str]], tokenize: str) -> dict[str, float]:
    width = max(map(len, references))
    columns = [[row[place] if place < len(row) else None for row in references] for place in range(width)]
    scorer = RougeScorer(NAMES, tokenizer=None if tokenize == "13a" else Characters())
    rows = [scorer.score_multi(known, text) for text, known in zip(written, references)]
    return {
        "bleu": BLEU(tokenize=tokenize).corpus_score(written, columns).score,
        "chrf": CHRF().corpus_score(written, columns).score,
        **{name: math.fsum(row[name].fmeasure for row in rows) / len(rows) for name in NAMES},
    }


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.filterwarnings("ignore:the references are Chinese")
def test_texts_measure_as_there(name: str) -> None:
    texts, tokenize, by_words = TEXTS[name]
    for seed in range(2):
        written = changed(texts, seed, by_words)
        others = changed(texts, seed + 7, by_words)
        references = [[text, other][: 1 + row % 2 * seed] for row, (text, other) in enumerate(zip(texts, others))]
        given = references if seed else texts
        found = evaluation.texts(written, given, tokenize=tokenize).values
        for measure, value in expected(written, references, tokenize).items():
            assert found[measure] == pytest.approx(value, abs=1e-9), (measure, seed)


def test_intervals_are_as_wide_as_there() -> None:
    texts = translations(0)
    written = changed(texts, 3, True)
    found = evaluation.texts(written, texts)
    for measure, theirs in (("bleu", BLEU()), ("chrf", CHRF())):
        score = theirs.corpus_score(written, [texts], n_bootstrap=1000)
        interval = found.interval(measure, resamples=1000)
        assert (interval.high - interval.low) / 2 == pytest.approx(score._ci, rel=0.15)
        assert (interval.high + interval.low) / 2 == pytest.approx(score._mean, rel=0.02)


def test_nothing_in_common_and_nothing_at_all() -> None:
    for written, references in ((["a b"], ["c d"]), ([""], ["c d"]), (["a"], [""]), (["a b c"], ["a b c"]), (["a b c d"], ["a b c d"])):
        found = evaluation.texts(written, references).values
        for measure, value in expected(written, [references], "13a").items():
            assert found[measure] == pytest.approx(value, abs=1e-12), (measure, written)


def test_a_thousand_sentences_take_no_longer_than_there() -> None:
    texts = (translations(0) * 2)[:1000]
    written = changed(texts, 1, True)
    started = time.perf_counter()
    evaluation.texts(written, texts)
    took = time.perf_counter() - started
    started = time.perf_counter()
    expected(written, [[text] for text in texts], "13a")
    assert took < time.perf_counter() - started
    print(f"{took:.2f} s")
