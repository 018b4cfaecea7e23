"""A checkpoint's own classification head, without an adapter and beside one."""

from __future__ import annotations

import pytest
from conftest import LABELS, TEXTS

import graft


def test_a_model_says_its_labels(classifier: graft.Model, model: graft.Model) -> None:
    assert (classifier.labels, model.labels) == (LABELS, [])


def test_a_model_classifies_without_an_adapter(classifier: graft.Model, tokenizer: graft.Tokenizer) -> None:
    session = graft.Session(classifier, tokenizer)
    logits, probabilities = session.classify(TEXTS), session.predict_proba(TEXTS)
    assert (len(logits), len(logits[0])) == (len(TEXTS), len(LABELS))
    assert session.predict(TEXTS) == [LABELS[max(range(3), key=lambda label: row[label])] for row in logits]
    assert all(sum(row) == pytest.approx(1) for row in probabilities)
    assert len({row[0] for row in logits}) == len(TEXTS)
    assert session.classify([]).tolist() == []


def test_an_adapter_without_a_head_uses_the_models(classifier: graft.Model, tokenizer: graft.Tokenizer) -> None:
    plain, adapter = graft.Session(classifier, tokenizer), graft.Adapter.create(classifier)
    assert adapter.labels == LABELS
    # B is 0.
    assert graft.Session(classifier, tokenizer, adapter).classify(TEXTS) == plain.classify(TEXTS)


def test_rows_of_the_models_head_and_of_an_adapters(classifier: graft.Model, tokenizer: graft.Tokenizer) -> None:
    two = graft.Adapter.create(classifier)
    two.set_head(labels=["yes", "no"])
    session = graft.Session(classifier, tokenizer)
    mixed, names = session.classify(TEXTS[:2], adapters=[None, two]), session.predict(TEXTS[:2], adapters=[None, two])
    assert list(mixed[0]) == list(session.classify(TEXTS[:1])[0])
    assert names[0] in LABELS and names[1] in ("yes", "no")
    session.set_adapter(two)
    assert session.predict(TEXTS[:1])[0] in ("yes", "no")
    session.set_adapter(None)
    assert session.predict(TEXTS[:1])[0] == names[0]


def test_a_model_without_a_head_says_so(session: graft.Session) -> None:
    for call in (session.classify, session.predict, session.predict_proba):
        with pytest.raises(graft.GraftError, match="row 0 has no classification head"):
            call(TEXTS)
