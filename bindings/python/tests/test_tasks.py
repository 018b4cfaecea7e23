"""Tasks with other heads than one of several labels for each text."""

from __future__ import annotations

import math
from pathlib import Path

import numpy
import pytest
from conftest import SHARED, TEXTS

import graft

WORDS = [["Anna", "Lindqvist", "lives", "in", "Graz"], ["Rain", "fell"], ["Oslo", "greets", "Bo"]]
TAGS = [["B-PER", "I-PER", "O", "O", "B-LOC"], ["O", "O"], ["B-LOC", "O", "B-PER"]]


def adapter_for(model: graft.Model, task: str, labels: list[str]) -> graft.Adapter:
    adapter = graft.Adapter.create(model, "lora", {"r": 4}, seed=1)
    adapter.set_head(task, labels)
    return adapter


def test_tasks_and_measures_are_listed() -> None:
    assert {"sequence_classification", "regression", "token_classification", "language_model"} <= set(graft.tasks())
    assert {"loss", "accuracy", "entity_f1", "spearman", "exact_match"} <= set(graft.metric_names())


def test_a_regression_learns_values(model: graft.Model, tokenizer: graft.Tokenizer, tmp_path: Path) -> None:
    adapter = adapter_for(model, "regression", [])
    assert adapter.task == "regression" and adapter.labels == ["LABEL_0"]
    values = [0.5, 0.1, -1.0, -1.2, 1.5, 1.4]
    rows = graft.Dataset(tokenizer, TEXTS, targets=values)
    with graft.Trainer(model, adapter, learning_rate=5e-3, epoch_count=30, metric="pearson") as trainer:
        best = trainer.fit(rows, rows, progress=False)
        result = trainer.evaluate(rows)
    assert best.evaluation is not None and best.evaluation.pearson == result.pearson > 0.9
    assert result.mse == pytest.approx(result.loss, rel=1e-6)
    with graft.Session(model, tokenizer, adapter) as session:
        found = numpy.array(session.classify(TEXTS))[:, 0]
        assert numpy.corrcoef(found, values)[0, 1] == pytest.approx(result.pearson, abs=1e-6)
        with pytest.raises(graft.GraftError, match="values"):
            session.predict(TEXTS)
        adapter.save(tmp_path)
        with graft.Session(model, tokenizer, graft.Adapter.load(model, tmp_path)) as again:
            assert (numpy.array(again.classify(TEXTS))[:, 0] == found).all()


def test_labels_that_do_not_exclude_each_other(
    model: graft.Model, tokenizer: graft.Tokenizer, tmp_path: Path
) -> None:
    sets = [["asks"], ["asks", "place"], ["food"], [], ["kind"], ["kind"]]
    rows = graft.Dataset(tokenizer, TEXTS, sets)
    assert rows.label_names == ["asks", "food", "kind", "place"]
    adapter = adapter_for(model, "multi_label_classification", rows.label_names)
    with graft.Trainer(model, adapter, learning_rate=1e-2, epoch_count=20) as trainer:
        before = trainer.evaluate(rows)
        trainer.fit(rows, progress=False)
        after = trainer.evaluate(rows)
    assert after.loss < 0.8 * before.loss and 0 <= after.exact_match <= 1
    adapter.save(tmp_path)
    loaded = graft.Adapter.load(model, tmp_path)
    assert (loaded.task, loaded.labels) == ("multi_label_classification", rows.label_names)
    with graft.Session(model, tokenizer, loaded) as session:
        assert session.predict_labels(TEXTS, threshold=0.0) == [rows.label_names] * 6
        logits, shares = numpy.array(session.classify(TEXTS)), numpy.array(session.predict_proba(TEXTS))
        likely = [[name for name, logit in zip(rows.label_names, row) if logit > 0] for row in logits]
        assert session.predict_labels(TEXTS) == likely
        found = session.predict_labels(TEXTS, threshold=numpy.array([0.0, 0.5, 0.5, 1.0]))
        assert found == [sorted({"asks", *own} - {"place"}) for own in likely]
        for threshold, message in (
            ([0.5, 0.5], "threshold: expected 4, one for each label; found 2"),
            ([0.5, 0.5, math.nan, 0.5], r"threshold\[2\]: expected 0 to 1, found nan"),
            (2, "threshold: expected 0 to 1, found 2"),
        ):
            with pytest.raises(graft.GraftError, match=message):
                session.predict_labels(TEXTS, threshold=threshold)
        assert after.exact_match == numpy.mean([own == given for own, given in zip(likely, sets)])
        assert numpy.allclose(shares, 1 / (1 + numpy.exp(-logits)), atol=1e-6)
        marks = [[int(name in own) for name in rows.label_names] for own in sets]
        best = graft.evaluation.label_sets(marks, shares).table("thresholds")
        assert numpy.allclose(after.table("thresholds"), best, atol=1e-5)


def test_named_entities_from_words(model: graft.Model, tokenizer: graft.Tokenizer, tmp_path: Path) -> None:
    rows = graft.Dataset.from_words(tokenizer, WORDS, TAGS)
    adapter = adapter_for(model, "token_classification", rows.label_names)
    with graft.Trainer(model, adapter, learning_rate=1e-2, epoch_count=40, metric="entity_f1") as trainer:
        trainer.fit(rows, rows, progress=False)
        result = trainer.evaluate(rows)
    assert result.entity_f1 == result.strict_entity_f1 == result.accuracy == 1
    assert sum(map(sum, result.confusion)) == sum(map(len, WORDS))
    adapter.save(tmp_path)
    with graft.Session(model, tokenizer, graft.Adapter.load(model, tmp_path)) as session:
        assert session.tag_words(WORDS) == TAGS
        first, second, third = session.tag([" ".join(words) for words in WORDS])
        assert first == [graft.Entity("PER", 0, 14, "Anna Lindqvist"), graft.Entity("LOC", 24, 28, "Graz")]
        assert second == [] and [entity.type for entity in third] == ["LOC", "PER"]
        with pytest.raises(graft.GraftError, match="row 0 has a head for token_classification.*see tag"):
            session.predict(["Oslo"])
    with graft.Session(model, tokenizer, adapter_for(model, "regression", [])) as session:
        with pytest.raises(graft.GraftError, match="row 0 has a head for regression; expected token_classification"):
            session.tag(["Oslo"])


def test_named_entities_from_stretches_of_texts(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    text = "Zoë Ångström visited São Paulo."
    given = [(0, 12, "PER"), (21, 30, "LOC")]
    for scheme in ("IOB2", "IOBES"):
        rows = graft.Dataset.from_entities(tokenizer, [text], [given], scheme=scheme)
        assert rows.label_names[0] == "O" and ("E-PER" in rows.label_names) == (scheme == "IOBES")
        adapter = adapter_for(model, "token_classification", rows.label_names)
        with graft.Trainer(model, adapter, learning_rate=1e-2, epoch_count=40) as trainer:
            trainer.fit(rows, progress=False)
        with graft.Session(model, tokenizer, adapter) as session:
            assert [(e.start, e.end, e.type) for e in session.tag([text])[0]] == given
    with pytest.raises(graft.GraftError, match="row 0 has 3 to 90 of a text of 31 characters"):
        graft.Dataset.from_entities(tokenizer, [text], [[(3, 90, "PER")]])
    with pytest.raises(graft.GraftError, match="overlaps entities"):
        graft.Dataset.from_entities(tokenizer, [text], [[(0, 2, "PER"), (1, 3, "LOC")]])


@pytest.mark.parametrize("crf", [False, True])
def test_texts_longer_than_the_model_are_learned_and_read_in_windows(
    model: graft.Model, tokenizer: graft.Tokenizer, crf: bool
) -> None:
    people, places = ["Mara", "Anna Berg"], ["Oslo", "Rome"]
    text, given = "", []
    for number in range(120):
        name = [*people, *places][number % 4] if number % 3 == 0 else "watering the plants of"
        if number % 3 == 0:
            given.append(graft.Entity("PER" if name in people else "LOC", len(text), len(text) + len(name), name))
        text += name + " "
    rows = graft.Dataset.from_entities(tokenizer, [text, "Oslo"], [given, [(0, 4, "LOC")]], maximum_length=24)
    assert len(rows) > 30 and rows.truncated_row_count == 0 and rows.maximum_length == 24
    adapter = graft.Adapter.create(model, "lora", {"r": 4}, seed=1)
    adapter.set_head("token_classification", rows.label_names, crf=crf)
    with graft.Trainer(model, adapter, learning_rate=5e-3, epoch_count=6) as trainer:
        trainer.fit(rows, progress=False)
        # Whatever the windows, no entity is counted twice or in parts: as many words have labels.
        counts = set()
        for length, stride in [(24, 128), (24, 3), (40, 0), (0, 128)]:
            again = graft.Dataset.from_entities(tokenizer, [text], [given], maximum_length=length, stride=stride)
            measured = trainer.evaluate(again)
            assert measured.entity_f1 == 1, (length, stride)
            counts.add(sum(map(sum, measured.confusion)))
        assert len(counts) == 1
    assert adapter.maximum_length == 24
    with graft.Session(model, tokenizer, adapter) as session:
        assert session.tag([text, "Oslo"])[0] == given
        assert session.tag(["Oslo", text], adapters=[adapter, None], stride=0)[0][0].text == "Oslo"
        words = text.split()
        tags = session.tag_words([words])[0]
        assert len(tags) == len(words) and tags.count("B-PER") == 20 and tags[-1] == "O"
        with pytest.raises(graft.GraftError, match="stride"):
            session.tag([text], stride=-1)


def test_entities_within_what_a_tokenizer_takes_for_one_word() -> None:
    """A tokenizer that divides at blanks, on Chinese and on names without a blank between them."""
    folder = SHARED / "models" / "me5-small-zh-en-pruned"
    model, tokenizer = graft.Model(folder), graft.Tokenizer(folder)
    texts = ["王小明和李红参观北京大学。", "Flights Paris/London (Reuters) are late."]
    places = [[("王小明", "PER"), ("李红", "PER"), ("北京大学", "ORG")], [("Paris", "LOC"), ("London", "LOC"), ("Reuters", "ORG")]]
    given = [
        [(text.index(name), text.index(name) + len(name), kind) for name, kind in own] for text, own in zip(texts, places)
    ]
    rows = graft.Dataset.from_entities(tokenizer, texts, given)
    # This model's head needs a rate at which LoRA of the usual scale makes all tokens alike.
    adapter = graft.Adapter.create(model, "lora", {"lora_alpha": 0.1})
    adapter.set_head("token_classification", labels=rows.label_names)
    with graft.Trainer(model, adapter, learning_rate=1e-2, epoch_count=40) as trainer:
        trainer.fit(rows, progress=False)
    with graft.Session(model, tokenizer, adapter) as session:
        found = [[(entity.text, entity.type) for entity in own] for own in session.tag(texts)]
    assert found == places
    with pytest.warns(UserWarning, match="entities without a word of their own.*: 1, the first in row 1"):
        graft.Dataset.from_entities(tokenizer, ["北京", "欧美时尚"], [[(0, 2, "LOC")], [(0, 1, "LOC"), (1, 2, "LOC")]])


@pytest.mark.parametrize("all_pieces", [False, True])
def test_chinese_characters_are_words(model: graft.Model, tokenizer: graft.Tokenizer, all_pieces: bool) -> None:
    lines = (SHARED / "data" / "weibo_ner" / "weiboNER_2nd_conll.dev").read_text("utf-8").split("\n\n")[:20]
    pairs = [[line.split("\t") for line in part.splitlines() if line] for part in lines]
    words = [[word[0] for word, _ in sentence] for sentence in pairs if sentence]
    tags = [[tag for _, tag in sentence] for sentence in pairs if sentence]
    rows = graft.Dataset.from_words(tokenizer, words, tags, all_pieces=all_pieces, maximum_length=128)
    assert len(rows) == len(words) and "O" in rows.label_names
    adapter = adapter_for(model, "token_classification", rows.label_names)
    with graft.Trainer(model, adapter) as trainer:
        result = trainer.evaluate(rows)
    assert 0 <= result.entity_f1 <= 1 and result.row_count == len(words)
