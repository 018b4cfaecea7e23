"""Measures of texts that a model wrote, with the numbers of sacrebleu 2.6.0 and rouge-score 0.1.2:
Tests/Parity compares many more."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SHARED

import graft
from graft import evaluation

WRITTEN = ["The cat sat on the mat.\nIt was warm.", "He paid 3,000.50 dollars, I think.", "Nothing"]
REFERENCES = [
    ["A cat sat on the mat.\nIt was very warm there."],
    ["I think he paid 3,000.50 dollars.", "He paid 3,000.50 dollars I think"],
    ["Something else"],
]
CHINESE = ["今天天气很好，我们去公园。", "他买了3本书"]
CHINESE_REFERENCES = ["今天的天气很好，我们去公园吧。", "他买了三本书"]


@pytest.mark.parametrize(
    ("written", "references", "tokenize", "expected"),
    [
        (WRITTEN, REFERENCES, "13a", [54.88616421902355, 67.43805698654373, 0.6, 5 / 9, 0.6, 0.6]),
        *(
            (CHINESE, CHINESE_REFERENCES, tokenize, [62.605805791833745, 59.04698423705378, 37 / 42, 89 / 130, 37 / 42, 37 / 42])
            for tokenize in ("zh", "char")
        ),
    ],
)  # fmt: skip
def test_texts_measure_as_the_field_does(
    written: list[str], references: list[Any], tokenize: Any, expected: list[float]
) -> None:
    found = evaluation.texts(iter(written), iter(references), tokenize=tokenize)
    assert found.row_count == len(written)
    assert list(found.values) == ["bleu", "chrf", "rouge1", "rouge2", "rougeL", "rougeLsum"]
    assert list(found.values.values()) == pytest.approx(expected, rel=1e-12)


def test_texts_that_cannot_be_measured_are_refused() -> None:
    with pytest.raises(graft.GraftError, match="written has 1 and references has 2"):
        evaluation.texts(["a"], ["a", "b"])
    with pytest.raises(graft.GraftError, match="nothing to measure: expected a row at least"):
        evaluation.texts([], [])
    with pytest.raises(graft.GraftError, match="references of row 1: expected a text or more, found none"):
        evaluation.texts(["a", "b"], [["a"], []])
    with pytest.raises(graft.GraftError, match="tokenize: expected one of 13a, zh, char; found 'ja'"):
        evaluation.texts(["a"], ["a"], tokenize="ja")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"references\[0\]\[0\]: expected a string, found NoneType"):
        evaluation.texts(["a"], [[None]])  # type: ignore[list-item]
    with pytest.warns(UserWarning, match="see tokenize"):
        assert evaluation.texts(CHINESE, CHINESE_REFERENCES).rouge1 < 0.1


def test_texts_have_intervals_and_tests() -> None:
    written, references = WRITTEN * 10, REFERENCES * 10
    found = evaluation.texts(written, references)
    worse = evaluation.texts([text[::-1] for text in written], references)
    for measure in ("bleu", "chrf", "rougeL"):
        interval = found.interval(measure, resamples=500)
        assert interval.low < interval.value == found.values[measure] < interval.high
        compared = found.compare(worse, measure, resamples=500)
        assert compared.difference == pytest.approx(found.values[measure] - worse.values[measure])
        assert compared.p_value < 0.05
    assert found.compare(found, "bleu", resamples=500).p_value == 1
    assert [row[0] for row in found.table("rows")[:3]] == pytest.approx([0.8, 1, 0], abs=0.25)


def test_nul_in_a_text_ends_nothing() -> None:
    assert evaluation.texts(["a\0b c d e"], ["a\0b c d e"]).bleu == pytest.approx(100)
    assert evaluation.texts(["a\0b c d e"], ["a"]).chrf < 60


def test_texts_are_measured_at_each_checkpoint(tmp_path: Path) -> None:
    folder = SHARED / "models" / "marian-enpt"
    model, tokenizer = graft.Model(folder), graft.Tokenizer(folder)
    sources, targets = ["Graft is ready.", "Where is Graft?"], ["O Enxerto está pronto.", "Onde está o Enxerto?"]
    rows = graft.Dataset.from_sources(tokenizer, sources, targets)
    adapter = graft.Adapter.create(model, "lora", {"r": 4})
    adapter.set_head("seq_2_seq_lm")
    measures = graft.TextMeasures(model, tokenizer, sources, targets, maximum_tokens=20)
    settings: dict[str, Any] = {"epoch_count": 3, "learning_rate": 5e-3, "callbacks": [measures]}
    with graft.Trainer(model, adapter, **settings) as trainer, pytest.raises(graft.GraftError, match="checkpoint_path"):
        trainer.fit(rows, progress=False)
    with graft.Trainer(model, adapter, checkpoint_path=tmp_path / "run", **settings) as trainer:
        trainer.fit(rows, progress=False)
    assert measures.steps == [1, 2, 3]
    written = graft.Session(model, tokenizer, adapter).generate(sources, maximum_tokens=20)
    assert measures.evaluations[-1].values == evaluation.texts(written, targets).values


def test_targets_have_the_tokenizer_of_their_language(tmp_path: Path) -> None:
    for name, pieces in (("source.spm", "bpe.model"), ("target.spm", "unigram.model")):
        shutil.copy(ROOT / "Tests" / "Goldens" / "sentencepiece" / pieces, tmp_path / name)
    names = ["</s>", "<unk>", "▁the", "▁cat", "<pad>", "▁", "c", "a", "t"]
    (tmp_path / "vocab.json").write_text(json.dumps({name: place for place, name in enumerate(names)}))
    tokenizer = graft.Tokenizer(tmp_path)
    # The pieces of the source's file are others.
    assert tokenizer.encode("the cat").ids == [1, 3, 0] and tokenizer.of_targets.encode("the cat").ids == [2, 3, 0]
    assert tokenizer.of_targets.of_targets.encode("the cat").ids == [2, 3, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(graft.Dataset.from_sources(tokenizer, ["a cat"] * 9, ["the cat"] * 9)) == 9
    with pytest.warns(UserWarning, match="unknown"):
        graft.Dataset.from_sources(tokenizer, ["a cat"] * 9, ["the cat"] * 9, target_tokenizer=tokenizer)
