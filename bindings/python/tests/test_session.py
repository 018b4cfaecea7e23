"""Inference, with and without adapters."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import pytest
from conftest import LABELS, TEXTS

import graft
from graft.session_rows import SessionRows as Rows


def test_embeddings_are_unit_vectors_that_know_meaning(session: graft.Session) -> None:
    vectors = session.embed(["The cat sleeps.", "A kitten is dozing.", "Interest rates rose again."]).numpy()
    assert vectors.shape == (3, 384) and vectors.dtype == numpy.float32
    numpy.testing.assert_allclose(numpy.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert vectors[0] @ vectors[1] > 0.4 > vectors[0] @ vectors[2] + 0.3


def test_no_texts_give_no_vectors(session: graft.Session) -> None:
    assert session.embed([]).shape == (0, 384)
    assert session.hidden_states([]) == []


def test_a_batch_is_its_rows_alone_bit_for_bit(session: graft.Session) -> None:
    together = session.embed(TEXTS)
    for row, text in enumerate(TEXTS):
        assert together[row] == session.embed([text])[0]


def test_more_texts_than_one_call_takes_are_worked_through(session: graft.Session) -> None:
    vectors = session.embed(["again and again"] * 1100)
    assert vectors.shape == (1100, 384)
    assert vectors[0] == vectors[1099]


@pytest.mark.parametrize(("rows", "size"), [(4, 2**20), (512, 40), (512, 1), (1, 1)])
def test_how_texts_are_cut_into_calls_changes_nothing(
    session: graft.Session, monkeypatch: pytest.MonkeyPatch, rows: int, size: int
) -> None:
    expected = session.embed(TEXTS, TEXTS[::-1]), session.hidden_states(TEXTS)
    monkeypatch.setattr("graft.session_rows.ROWS_PER_CALL", rows)
    monkeypatch.setattr("graft.session_rows.BYTES_PER_CALL", size)
    assert (session.embed(TEXTS, TEXTS[::-1]), session.hidden_states(TEXTS)) == expected


def test_one_call_has_many_short_texts_or_a_few_long_ones() -> None:
    short, long = ["short"] * 600, ["x" * 4096] * 9
    assert [rows.stop - rows.start for rows in Rows(short + long, None, None).calls()] == [512, 92, 4, 1]
    assert [rows.stop - rows.start for rows in Rows(long, long, None).calls()] == [2, 2, 2, 2, 1]


def test_threads_that_share_a_session_take_turns(session: graft.Session, trained: graft.Adapter) -> None:
    expected = session.embed(TEXTS), session.classify(TEXTS, adapters=[trained] * len(TEXTS))
    with ThreadPoolExecutor(4) as pool:
        vectors = [pool.submit(session.embed, TEXTS) for _ in range(20)]
        logits = [pool.submit(session.classify, TEXTS, adapters=[trained] * len(TEXTS)) for _ in range(20)]
        assert all(future.result() == expected[0] for future in vectors)
        assert all(future.result() == expected[1] for future in logits)


def test_threads_change_nothing(
    model: graft.Model, tokenizer: graft.Tokenizer, session: graft.Session
) -> None:
    expected = session.embed(TEXTS)
    for threads in (1, 2, 3, 8):
        with graft.Session(model, tokenizer, threads=threads) as other:
            assert other.embed(TEXTS) == expected, threads


def test_hidden_states_pool_to_the_embedding(session: graft.Session, model: graft.Model) -> None:
    states = session.hidden_states(TEXTS)
    pooled = numpy.stack([numpy.mean(rows, axis=0) for rows in states])
    numpy.testing.assert_allclose(session.embed(TEXTS, normalize=False), pooled, atol=1e-5)
    numpy.testing.assert_allclose(session.embed(TEXTS, pooling="first", normalize=False)[0], states[0][0], atol=1e-6)
    numpy.testing.assert_allclose(session.embed(TEXTS, pooling="last", normalize=False)[0], states[0][-1], atol=1e-6)
    assert session.hidden_states(TEXTS, layer=model.layer_count) == states


def test_given_tokens_are_the_text_they_come_from(session: graft.Session, tokenizer: graft.Tokenizer) -> None:
    encodings = [tokenizer.encode(text) for text in TEXTS]
    with graft.Batch.from_tokens([encoding.ids for encoding in encodings]) as batch:
        assert len(batch) == len(TEXTS) and batch.row_starts[-1] == batch.token_count
        states = session.batch_hidden_states(batch)
    assert states == session.hidden_states(TEXTS)


def test_long_rows_are_cut_where_the_folder_says_and_at_most_where_the_model_ends(
    session: graft.Session, model: graft.Model, tokenizer: graft.Tokenizer
) -> None:
    with pytest.warns(UserWarning, match="cut to 256 tokens"):
        assert len(session.hidden_states(["word " * 2000])[0]) == 256
    with pytest.warns(UserWarning, match="cut to 512 tokens"):
        longest = graft.Session(model, tokenizer, maximum_length=model.maximum_length)
        assert len(longest.hidden_states(["word " * 2000])[0]) == 512


def test_pairs_are_not_texts(session: graft.Session) -> None:
    assert session.embed(["a"], pairs=["b"]) != session.embed(["a b"])
    with pytest.raises(graft.GraftError, match="expected 1, one for each text; found 2"):
        session.embed(["a"], pairs=["b", "c"])


def test_one_string_is_not_a_list_of_texts(session: graft.Session) -> None:
    with pytest.raises(TypeError, match="put it in a list"):
        session.embed("a")


def test_predictions_are_the_likeliest_labels(
    model: graft.Model, tokenizer: graft.Tokenizer, trained: graft.Adapter
) -> None:
    session = graft.Session(model, tokenizer, trained)
    logits, probabilities = session.classify(TEXTS).numpy(), session.predict_proba(TEXTS).numpy()
    assert logits.shape == probabilities.shape == (6, 3)
    numpy.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    exponents = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    numpy.testing.assert_allclose(probabilities, exponents / exponents.sum(axis=1, keepdims=True), rtol=1e-4)
    assert session.predict(TEXTS) == [LABELS[i] for i in probabilities.argmax(axis=1)]
    assert session.predict(TEXTS) == ["question"] * 2 + ["complaint"] * 2 + ["thanks"] * 2


def test_scale_zero_is_no_adapter_and_detaching_too(
    model: graft.Model, tokenizer: graft.Tokenizer, session: graft.Session, trained: graft.Adapter
) -> None:
    plain = session.embed(TEXTS)
    with graft.Session(model, tokenizer, trained) as other:
        assert other.embed(TEXTS) != plain
        other.set_adapter(None)
        assert other.embed(TEXTS) == plain
    with graft.Session(model, tokenizer, graft.Composition(trained, scale=0)) as other:
        assert other.embed(TEXTS) == plain


def test_rows_may_have_adapters_of_their_own(
    model: graft.Model, tokenizer: graft.Tokenizer, trained: graft.Adapter
) -> None:
    other = graft.Adapter.create(model, "lora", {"r": 2}, seed=9)
    other.set_head(labels=["yes", "no"])
    with graft.Session(model, tokenizer) as session:
        mixed = session.classify(TEXTS[:3], adapters=[trained, other, trained])
        predicted = session.predict(TEXTS[:3], adapters=[trained, other, trained])
    assert mixed.shape == (3, 3) and mixed[1][2] == -math.inf
    with graft.Session(model, tokenizer, trained) as session:
        assert mixed[::2] == session.classify([TEXTS[0], TEXTS[2]])
        expected = session.predict(TEXTS[:3])
    with graft.Session(model, tokenizer, other) as session:
        assert mixed[1][:2] == session.classify([TEXTS[1]])[0]
        expected[1] = session.predict([TEXTS[1]])[0]
    assert predicted == expected
    assert numpy.isneginf(mixed).sum() == 1


def test_the_best_labels_come_with_their_probabilities(
    model: graft.Model, tokenizer: graft.Tokenizer, trained: graft.Adapter
) -> None:
    two = graft.Adapter.create(model, "lora", seed=9)
    two.set_head(labels=["yes", "no"])
    with graft.Session(model, tokenizer, trained) as session:
        adapters = [None, two, trained]
        best = session.predict_best(TEXTS[:3], count=3, adapters=adapters)
        probabilities = session.predict_proba(TEXTS[:3], adapters=adapters).numpy()
        assert [len(row) for row in best] == [3, 2, 3]
        for row, names, shares in zip(best, (LABELS, ["yes", "no"], LABELS), probabilities):
            assert [share for _, share in row] == sorted((share for _, share in row), reverse=True)
            assert {name: share for name, share in row} == dict(zip(names, shares.tolist()))
        assert probabilities[1][2] == 0
        assert [[row[0][0]] for row in best] == [[name] for name in session.predict(TEXTS[:3], adapters=adapters)]
        assert session.predict_best(TEXTS[:3], count=1, adapters=adapters) == [row[:1] for row in best]
        assert session.predict_best([]) == []
        assert session.memory > 0


def test_texts_with_nul_are_read_to_their_end(
    model: graft.Model, tokenizer: graft.Tokenizer, trained: graft.Adapter
) -> None:
    with graft.Session(model, tokenizer, trained) as session:
        for text in TEXTS:
            half = len(text) // 2
            nul = text[:half] + "\0" + text[half:]
            assert session.embed([nul], ["a\0b"]) == session.embed([text], ["ab"])
            assert session.predict([nul]) == session.predict([text])


def test_predicting_without_an_adapter_is_an_error(session: graft.Session) -> None:
    with pytest.raises(graft.GraftError):
        session.predict(TEXTS)


def test_bfloat16_is_close(folder: Path, tokenizer: graft.Tokenizer, session: graft.Session) -> None:
    with graft.Model(folder, precision="bfloat16") as half, graft.Session(half, tokenizer) as other:
        cosines = (other.embed(TEXTS).numpy() * session.embed(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.999
