"""Questions and contexts: windows, answers, training, the estimator."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

import graft
from conftest import SHARED

XQUAD = SHARED / "data" / "xquad" / "xquad.en.json"
QUESTIONS = ["Who found the ring?", "Where was the ring?", "When did they sail?", "Who painted the gate?"]
CONTEXTS = [
    "On Monday old Zoë Ångström found the ring under a stone.",
    "On Monday old Zoë Ångström found the ring under a stone.",
    "They sailed home in early spring, and nobody waved.",
    "They sailed home in early spring, and nobody waved.",
]
ANSWERS: list[Any] = [
    [{"text": "Zoë Ångström", "answer_start": 14}],
    [graft.Answer("under a stone", 42)],
    ["early spring"],
    [],
]
TEXTS = ["Zoë Ångström", "under a stone", "early spring", ""]


def table(questions: list[str], contexts: list[str], answers: list[Any]) -> graft.Table:
    return graft.Table({"question": questions, "context": contexts, "answers": answers})


@pytest.fixture(scope="module")
def adapter(model: graft.Model, tokenizer: graft.Tokenizer) -> graft.Adapter:
    rows = graft.Dataset.from_table(tokenizer, table(QUESTIONS, CONTEXTS, ANSWERS))
    adapter = graft.Adapter.create(model, "lora", {"r": 8})
    adapter.set_head("question_answering")
    with graft.Trainer(model, adapter, learning_rate=5e-3, epoch_count=60) as trainer:
        trainer.fit(rows, progress=False)
        result = trainer.evaluate(rows)
    assert result.values["span_exact_match"] == 1 and result.loss < 0.1
    return adapter


def test_answers_are_learned_and_found(
    model: graft.Model, tokenizer: graft.Tokenizer, adapter: graft.Adapter, tmp_path: Path
) -> None:
    assert (adapter.task, adapter.labels) == ("question_answering", ["start", "end"])
    adapter.save(tmp_path)
    with graft.Session(model, tokenizer, graft.Adapter.load(model, tmp_path)) as session:
        found = session.answer(QUESTIONS, CONTEXTS, threshold=0)
        assert [answer.text for answer in found] == TEXTS
        assert [CONTEXTS[row][own.start : own.end] for row, own in enumerate(found)] == TEXTS
        assert found[3].no_answer_score > 0 > found[0].no_answer_score
        always = session.answer(QUESTIONS, CONTEXTS)
        assert always[:3] == found[:3] and always[3].text
        best = session.answer_best(QUESTIONS, CONTEXTS, 5)
        assert [own[0] for own in best] == always and all(len(own) == 5 for own in best)
        assert all(one.score >= next.score for own in best for one, next in zip(own, own[1:]))
        with pytest.raises(graft.GraftError, match="row 0 has a head for question_answering.*see answer"):
            session.predict(["Who?"])
    with graft.Session(model, tokenizer) as session:
        with pytest.raises(graft.GraftError, match="expected an adapter or a model for question_answering"):
            session.answer(QUESTIONS, CONTEXTS)


def test_windows_have_the_question_and_share_the_stride(
    model: graft.Model, tokenizer: graft.Tokenizer, adapter: graft.Adapter
) -> None:
    long = [" ".join(["Nothing happened here for years."] * 30 + [CONTEXTS[0]] + ["Then it rained."] * 30)]
    start = long[0].index("Zoë")
    answer = [[{"text": "Zoë Ångström", "answer_start": start}]]
    rows = graft.Dataset.from_table(tokenizer, table(QUESTIONS[:1], long, answer), maximum_length=64, stride=16)
    assert len(rows) > 5 and rows.truncated_row_count == 0 and rows.maximum_length == 64
    with graft.Session(model, tokenizer, adapter, maximum_length=64) as session:
        (found,) = session.answer(QUESTIONS[:1], long, stride=16)
        assert (found.text, found.start) == ("Zoë Ångström", start)


def test_what_is_wrong_is_named_with_its_row(
    model: graft.Model, tokenizer: graft.Tokenizer, adapter: graft.Adapter
) -> None:
    def make(questions: list[str], contexts: list[str], answers: list[Any], **cut: int) -> graft.Dataset:
        return graft.Dataset.from_table(tokenizer, table(questions, contexts, answers), **cut)

    with pytest.raises(graft.GraftError, match="row 1: answers: 'a cave' is not in the context, anywhere"):
        make(QUESTIONS[:2], CONTEXTS[:2], [[], ["a cave"]])
    with pytest.raises(graft.GraftError, match="row 0: answers: 'stone' is not in the context, at character 3"):
        make(QUESTIONS[:1], CONTEXTS[:1], [[graft.Answer("stone", 3)]])
    with pytest.raises(graft.GraftError, match="row 1: the question has no tokens"):
        make(["Who?", "\u200b"], CONTEXTS[:2], [[], []])
    with pytest.raises(graft.GraftError, match="row 0: the context has no tokens"):
        make(["Who?"], ["\u200b"], [[]])
    with pytest.raises(graft.GraftError, match="row 0: windows of 8 tokens have room for 0"):
        make(["Who found it and where and when and why?"], CONTEXTS[:1], [[]], maximum_length=8, stride=0)
    with pytest.raises(graft.GraftError, match="row 0: .* expected more than the stride, 128"):
        make(QUESTIONS[:1], CONTEXTS[:1], [[]], maximum_length=16)
    with pytest.raises(graft.GraftError, match="answers"):
        make(QUESTIONS[:2], CONTEXTS[:2], [[]])
    with graft.Session(model, tokenizer, adapter) as session:
        with pytest.raises(graft.GraftError, match="row 600: the question has no tokens"):
            session.answer(["Who?"] * 600 + [""], CONTEXTS[:1] * 601)


def test_the_estimator_answers(folder: Path) -> None:
    X, y = list(zip(QUESTIONS, CONTEXTS)), ANSWERS
    estimator = graft.QuestionAnswerer(
        folder, config={"r": 8}, learning_rate=5e-3, epoch_count=60, threshold=0.0, maximum_length=64, stride=8
    )
    assert estimator.fit(X, y) is estimator
    assert estimator.predict(X) == TEXTS and estimator.score(X, y) == 1
    assert estimator.evaluate(X, y).values["no_answer_f1"] == 1
    again = pickle.loads(pickle.dumps(estimator))
    assert again.predict_answers(X) == estimator.predict_answers(X)
    assert estimator.get_params()["stride"] == 8 and estimator.set_params(stride=4).stride == 4
    with pytest.raises(graft.GraftError, match="pairs of a question and a context"):
        estimator.predict(QUESTIONS)


def test_tables_of_squad_are_learned_from(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    questions = graft.Table.read(XQUAD)
    rows = graft.Dataset.from_table(tokenizer, questions.take(range(40)), maximum_length=128, stride=32)
    assert len(rows) > 40 and rows.label_names == []
    adapter = graft.Adapter.create(model)
    adapter.set_head("question_answering")
    with graft.Trainer(model, adapter, total_steps=1) as trainer:
        trainer.fit(rows, progress=False)
        assert set(trainer.evaluate(rows).values) == {"loss", "span_exact_match", "span_f1"}
    with graft.Session(model, tokenizer, adapter) as session:
        own = questions.take(range(3))
        for answer, context in zip(session.answer(own["question"], own["context"], stride=32), own["context"]):
            assert context[answer.start : answer.end] == answer.text != ""
