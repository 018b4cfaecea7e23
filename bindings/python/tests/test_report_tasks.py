"""Pages about tasks whose loss or measure is another than that of labels and numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from conftest import LABELS, SHARED, TEXTS
from report_pages import checked

import graft
from graft.reports import evaluating, kinds, mistakes, weights
from graft.reports.numbers import shown
from graft.table_tasks.listed import task_names, task_of

TINY = SHARED / "models" / "bert-tiny-splade"
MARIAN = SHARED / "models" / "marian-enpt"
STORIES = SHARED / "models" / "stories260K" / "hf"

WORDS = ["red", "blue", "green", "old", "new", "big"]
#: A table of each task whose loss or measure is another than that of labels and numbers; the model.
TASKS: dict[str, tuple[Path, dict[str, Any]]] = {
    "multiple_choice": (TINY, {"text": [f"a {word} ball" for word in WORDS], "candidates": [["ball", "a car", "it"]] * 6, "right": [0, 1] * 3}),
    "ranking": (TINY, {"text": [f"a {word} ball" for word in WORDS], "candidates": [["ball", "a car"]] * 6, "relevance": [[0, 1], [1, 0]] * 3}),
    "masked_language_model": (TINY, {"text": [f"The {word} ball is here." for word in WORDS]}),
    "sentence_embedding": (TINY, {"text": [f"a {word} ball" for word in WORDS], "pair": ["one car", "no ball", "two", "a red car", "here", "a new ball"]}),
    "seq_2_seq_lm": (MARIAN, {"source": [f"a {word} ball" for word in WORDS], "output": ["uma bola", "um carro velho"] * 3}),
    "preferences": (STORIES, {"prompt": [f"The {word} ball" for word in WORDS], "chosen": ["is here", "was sad"] * 3, "rejected": ["no", "a dog"] * 3}),
    "language_model": (STORIES, {"prompt": [f"The {word} ball" for word in WORDS], "completion": ["is here", "was sad"] * 3}),
}  # fmt: skip


def test_reports_know_the_tasks_of_tables() -> None:
    assert set(kinds.TASKS) == set(task_names()) == set(evaluating.EVALUATIONS) == set(mistakes.KINDS)


@pytest.mark.parametrize("task", TASKS)
def test_each_task_has_its_mistakes_lengths_and_gradients(task: str) -> None:
    folder, columns = TASKS[task]
    model, tokenizer, table = graft.Model(folder), graft.Tokenizer(folder), graft.Table(columns)
    own = task_of(table, task)
    adapter = graft.Adapter.create(model)
    adapter.set_head(own.task, pooling="mean" if own.reads_rows else None)
    asked = {"task": task, "generation": {"maximum_tokens": 6}}
    predictions = graft.Predictions.of(model, tokenizer, adapter, table, **asked)
    settings = own.training(tokenizer, table)
    rows = graft.Dataset.from_table(tokenizer, table, task=task)
    page = checked(
        graft.report(
            predictions=predictions, adapter=adapter, model=model, gradient_rows=rows, gradient_settings=settings
        )
    )
    assert {"measures", "mistakes", "lengths", "adapter"} <= set(page.sections)
    assert ("strong", "lora_A: gradients") in page.words
    # What a trainer measures of the same rows is the same.
    ends = model.end_tokens[:1]
    held_out = graft.Dataset.from_table(tokenizer, table, task=task, mask_each=True, end_tokens=ends)
    with graft.Trainer(model, adapter, **settings) as trainer:
        theirs = trainer.evaluate(held_out).values
    shared = {name for name in predictions.evaluation.values if name in theirs}
    assert shared
    for name in shared:
        assert math.isclose(theirs[name], predictions.evaluation.values[name], rel_tol=1e-4, abs_tol=1e-6), name


def test_choices_that_are_sure_and_wrong_come_first() -> None:
    given = [[0.6, 0.4], [0.2, 0.7, 0.1], [0.1, 0.9]]
    candidates = [["a dog", "a cat"], ["one", "two", "three"], ["here", "there"]]
    predictions = graft.Predictions(
        [0, 2, 0], given, task="multiple_choice", candidates=candidates, texts=["first", "second", "third"]
    )
    assert math.isclose(predictions.evaluation.accuracy, 1 / 3) and list(predictions.evaluation.values) == ["accuracy"]
    found = [(own.text, own.expected, own.predicted, own.score) for own in mistakes.worst(predictions)]
    assert found == [("third", "here", "there", 0.9), ("second", "three", "two", 0.7)]
    page = checked(graft.report(predictions=predictions))
    assert page.sections == ["measures", "probabilities", "mistakes", "lengths", "recipe"]
    assert "Taken instead" in page.text and "The probability of the choice that is taken" in page.text
    unnamed = graft.Predictions([0], [[0.4, 0.6]], task="multiple_choice")
    assert [own[2:4] for own in mistakes.worst(unnamed)] == [("candidate 1", "candidate 2")]


def test_rankings_whose_right_candidate_is_last_come_first() -> None:
    relevance, scores = [[0, 2, 1], [0, 0, 3], [1, 0], [0, 0]], [[0.9, 0.5, 0.1], [0.9, 0.8, 0.1], [0.9, 0.1], [0.2, 0.1]]
    candidates = [["a", "b", "c"], ["d", "e", "f"], ["g", "h"], ["i", "j"]]
    predictions = graft.Predictions(relevance, scores, task="ranking", candidates=candidates, texts=list("wxyz"))
    assert predictions.evaluation.values == graft.evaluation.rankings(relevance, scores).values
    found = [(own.text, own.expected, own.predicted, own.score) for own in mistakes.worst(predictions)]
    assert found == [("x", "f", "d", 3), ("w", "b", "a", 2)]
    page = checked(graft.report(predictions=predictions))
    assert page.sections == ["measures", "mistakes", "lengths", "recipe"] and "Place of the right one" in page.text


def test_hidden_words_that_are_least_likely_come_first() -> None:
    texts = ["The [MASK] barks.", "It is [MASK].", "A [MASK] sings."]
    guesses = [("cat", 0.2), ("cold", 0.6), ("man", 0.01)]
    predictions = graft.Predictions(["dog", "cold", "bird"], guesses, task="masked_language_model", texts=texts, lengths=[5, 4])
    assert math.isclose(predictions.evaluation.accuracy, 1 / 3)
    assert math.isclose(predictions.evaluation.perplexity, (0.2 * 0.6 * 0.01) ** (-1 / 3))
    assert [(own.expected, own.predicted, own.score) for own in mistakes.worst(predictions)] == [
        ("bird", "man", -0.01), ("dog", "cat", -0.2)
    ]  # fmt: skip
    page = checked(graft.report(predictions=predictions))
    assert page.sections == ["measures", "mistakes", "lengths", "recipe"]
    assert "Guessed" in page.text and "0.010" in page.text
    assert "of the texts have up to 5" in page.text


def test_texts_that_are_least_like_their_reference_come_first() -> None:
    wanted = ["the red ball", ["a dog", "the dog"], "it rains", "hello"]
    written = ["a red ball", "the dog", "nothing", "hello"]
    predictions = graft.Predictions(wanted, written, task="seq_2_seq_lm", texts=["eins", "zwei", "drei", "vier"])
    assert predictions.evaluation.values == graft.evaluation.texts(written, [[own] if isinstance(own, str) else own for own in wanted]).values
    assert [(own.text, own.expected) for own in mistakes.worst(predictions)] == [("drei", "it rains"), ("eins", "the red ball")]
    page = checked(graft.report(predictions=predictions))
    assert page.sections == ["measures", "mistakes", "lengths", "recipe"]
    for name in ("Length of the sources", "Length of the references"):
        assert ("strong", name) in page.words
    assert "95 %:" in page.text and "Reference" in page.text and ("dt", "BLEU") in page.words


def test_pairs_whose_other_answer_gained_most_come_first() -> None:
    rewards, answers = [[0.5, -0.1], [-0.2, 0.7], [0.1, 0.1], [0.4, 0.1]], [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]
    predictions = graft.Predictions([0, 0, 0, 1], rewards, task="preferences", candidates=answers, texts=list("wxyz"))
    values = predictions.evaluation.values
    assert values == pytest.approx({"rewards_chosen": 0.125, "rewards_rejected": 0.275, "rewards_accuracies": 0.25, "rewards_margins": -0.15})
    found = [(own.text, own.expected, own.predicted, own.score) for own in mistakes.worst(predictions)]
    assert found == [("x", "c", "d", pytest.approx(0.9)), ("z", "h", "g", pytest.approx(0.3)), ("y", "e", "f", 0)]
    page = checked(graft.report(predictions=predictions))
    assert page.sections == ["measures", "mistakes", "lengths", "recipe"]
    assert "Reward of the other above it" in page.text and ("dt", "Rewards accuracies") in page.words


@pytest.mark.filterwarnings("ignore:.* rows were cut")
def test_the_rewards_of_pairs_are_those_of_the_trainer() -> None:
    model, tokenizer, table = graft.Model(STORIES), graft.Tokenizer(STORIES), graft.Table(TASKS["preferences"][1])
    adapter = graft.Adapter.create(model)
    adapter.set_head("language_model")
    with graft.Trainer(model, adapter, loss="dpo", epoch_count=3) as trainer:
        trainer.fit(graft.Dataset.from_table(tokenizer, table, end_tokens=model.end_tokens[:1]), progress=False)
        alone = []
        for row in range(len(table)):
            pair = graft.Dataset.from_table(tokenizer, table.take([row]), end_tokens=model.end_tokens[:1])
            found = trainer.evaluate(pair)
            alone.append([found.rewards_chosen, found.rewards_rejected])
    predictions = graft.Predictions.of(model, tokenizer, adapter, table)
    for own, expected in zip(predictions.predicted, alone):
        assert own == pytest.approx(expected, abs=1e-6) and own[0] != own[1]
    assert "95 %:" in checked(graft.report(predictions=predictions)).text
    with pytest.warns(UserWarning, match="of 6 pairs were left out, of which an answer is cut away"):
        short = graft.Predictions.of(model, tokenizer, adapter, table, maximum_length=7)
    assert 0 < len(short.predicted) < 6 and short.texts is not None and short.lengths is not None
    assert {len(own) for own in (short.texts, short.lengths, short.truth)} == {len(short.predicted)}


def test_the_last_answer_of_a_conversation_is_written(tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).symlink_to(STORIES / name)
    template = "{{ '<s>' }}{% for m in messages %}{% if m.role == 'user' %}Q: {{ m.content }} A:{% else %} {{ m.content }}{{ '<s>' }}{% endif %}{% endfor %}"  # fmt: skip
    (tmp_path / "chat_template.jinja").write_text(template)
    said = [("user", "Hi."), ("assistant", "Hello."), ("user", "Where is it?"), ("assistant", "Here.")]
    messages = [{"role": role, "content": content} for role, content in said]
    table = graft.Table({"messages": [messages, messages[:2]]})
    model, tokenizer = graft.Model(tmp_path), graft.Tokenizer(tmp_path)
    adapter = graft.Adapter.create(model)
    adapter.set_head("language_model")
    predictions = graft.Predictions.of(model, tokenizer, adapter, table, generation={"maximum_tokens": 5})
    assert predictions.truth == [["Here."], ["Hello."]]
    assert predictions.texts == ["Hi.\nHello.\nWhere is it?", "Hi."]
    with graft.Session(model, tokenizer, adapter) as session:
        openings = ["Q: Hi. A: Hello.<s>Q: Where is it? A:", "Q: Hi. A:"]
        assert predictions.predicted == [own.strip() for own in session.generate(openings, maximum_tokens=5)]
    assert "mistakes" in checked(graft.report(predictions=predictions)).sections


def test_of_many_words_some_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    from graft.reports import predicting

    model, tokenizer = graft.Model(TINY), graft.Tokenizer(TINY)
    adapter = graft.Adapter.create(model)
    adapter.set_head("masked_language_model")
    table = graft.Table({"text": ["one two three four", "five six"]})
    monkeypatch.setattr(predicting, "MOST_HIDDEN", 3)
    predictions = graft.Predictions.of(model, tokenizer, adapter, table)
    assert predictions.truth == ["one", "three", "five"] and predictions.lengths == [6, 4]
    assert predictions.texts == ["[…] two three four", "one two […] four", "[…] six"]


LOSSES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "labels": ({}, {"label_smoothing": 0.3}),
    "tags": ({"task": "token_classification", "labels": ["O", "B-A"], "crf": True}, {}),
    "ranking": ({"task": "regression", "pooling": "mean"}, {"loss": "list_net"}),
    "vectors": ({"task": "sentence_embedding"}, {"loss": "cosent", "loss_settings": {"temperature": 0.2}}),
    "preferences": ({"task": "language_model"}, {"loss": "dpo", "loss_settings": {"beta": 0.5}}),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_of_the_loss_that_was_trained(name: str) -> None:
    head, settings = LOSSES[name]
    folder = STORIES if name == "preferences" else TINY
    model, tokenizer = graft.Model(folder), graft.Tokenizer(folder)
    adapter = graft.Adapter.create(model)
    rows = {
        "labels": lambda: graft.Dataset(tokenizer, TEXTS, [0, 0, 1, 1, 2, 2], label_names=LABELS),
        "tags": lambda: graft.Dataset.from_words(tokenizer, [["one", "two"]] * 3, [["O", "B-A"]] * 3, label_names=["O", "B-A"]),
        "ranking": lambda: graft.Dataset.from_rankings(tokenizer, ["a", "b"], [["c", "d"]] * 2, [[0, 1], [1, 0]]),
        "vectors": lambda: graft.Dataset.from_groups(tokenizer, [["a", "b"], ["c", "d"], ["e", "f"]], targets=[1, 2, 3]),
        "preferences": lambda: graft.Dataset.from_preferences(tokenizer, ["The"] * 2, ["dog ran"] * 2, ["cat sat"] * 2),
    }[name]()
    adapter.set_head(**{"labels": LABELS, "pooling": "mean"} if name == "labels" else head)
    found = weights.gradient_norms(model, adapter, rows, settings)
    history = graft.History()
    with graft.Adapter.from_files(model, adapter.to_files()) as copy:
        one_step = {"rows_per_batch": len(rows), "total_steps": 1, **settings}
        with graft.Trainer(model, copy, callbacks=[history], **one_step) as trainer:
            norm = trainer.fit(rows, progress=False).gradient_norm
    assert norm > 0 and math.isclose(math.sqrt(sum(own**2 for own in found.values())), norm, rel_tol=2e-3)
    shown_norms = weights.norms(adapter.to_files(), found)
    largest = shown(max(own.gradient for own in shown_norms))
    for given in ({"gradient_settings": settings}, {"history": history}):
        assert largest in checked(graft.report(adapter=adapter, model=model, gradient_rows=rows, **given)).text


def test_what_is_wrong_with_predictions_of_a_task_is_said(trained: graft.Adapter, model: graft.Model, dataset: graft.Dataset) -> None:
    def raises(message: str, *given: Any, **more: Any) -> None:
        with pytest.raises(graft.InvalidArgumentError, match=message):
            graft.Predictions(*given, **more)

    raises(r"truth\[0\]: expected 0 to 1, found 2", [2], [[0.5, 0.5]], task="multiple_choice")
    raises(r"truth\[0\]: expected 2, one for each candidate; found 1", [[1]], [[0.5, 0.5]], task="ranking")
    raises(r"predicted\[0\]: expected a number for each candidate, found none", [[]], [[]], task="ranking")
    raises(r"predicted\[0\]: expected the rewards of two answers, found 3", [0], [[1, 2, 3]], task="preferences")
    raises(r"truth\[0\]: expected 0 to 1, found 2", [2], [[1, 2]], task="preferences")
    for task, truth in (("preferences", 0), ("multiple_choice", 0), ("ranking", [1, 0])):
        raises(r"predicted\[0\]\[1\]: expected a finite number, found nan", [truth], [[1.0, math.nan]], task=task)
    raises(r"predicted\[0\]: expected 1, one for each candidate; found 2", [0], [[0.5, 0.5]], task="multiple_choice", candidates=[["a"]])
    raises(r"predicted\[0\]: expected a word and the probability", ["a"], ["b"], task="masked_language_model")
    raises("target_lengths: expected 1, one for each row of truth; found 2", ["a"], ["b"], task="seq_2_seq_lm", target_lengths=[1, 2])
    with pytest.raises(graft.InvalidArgumentError, match="gradient_settings: expected some of loss, .*; found 'seed'"):
        graft.report(adapter=trained, model=model, gradient_rows=dataset, gradient_settings={"seed": 1})
