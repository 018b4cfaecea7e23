"""Texts that go on, and language models in training, with the real stories260K."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy
import pytest
from conftest import ROOT, SHARED

import graft

STORIES = SHARED / "models" / "stories260K" / "hf"
GREEDY = json.loads((ROOT / "Tests" / "Goldens" / "generation" / "greedy.json").read_text("utf-8"))
PROMPTS = [row["prompt"] for row in GREEDY]


@pytest.fixture(scope="module")
def model() -> graft.Model:
    return graft.Model(STORIES)


@pytest.fixture(scope="module")
def tokenizer() -> graft.Tokenizer:
    return graft.Tokenizer(STORIES)


@pytest.fixture
def session(model: graft.Model, tokenizer: graft.Tokenizer) -> graft.Session:
    return graft.Session(model, tokenizer)


def test_greedy_texts_are_those_of_transformers(session: graft.Session) -> None:
    texts = session.generate(PROMPTS, maximum_tokens=200, stop_tokens=[])
    assert [text.lstrip() for text in texts] == [row["text"] for row in GREEDY]


def test_a_model_says_which_tokens_end_a_text(model: graft.Model, folder: Path) -> None:
    assert model.end_tokens == [2]
    assert graft.Model(folder).end_tokens == []


def test_text_comes_in_pieces_that_join(session: graft.Session) -> None:
    pieces: list[tuple[int, str]] = []
    texts = session.generate(PROMPTS, temperature=1.0, seed=2, on_text=lambda *piece: pieces.append(piece))
    assert len(pieces) > len(texts)
    assert ["".join(text for row, text in pieces if row == i) for i in range(len(texts))] == texts
    assert session.generate(PROMPTS, temperature=1.0, seed=2) == texts
    assert session.generate(PROMPTS[:1] * 2, temperature=1.0, seed=[2, 5])[0] == texts[0]


def test_a_text_says_its_tokens_and_why_it_ends(session: graft.Session, tokenizer: graft.Tokenizer) -> None:
    free = session.generate(PROMPTS[:2], maximum_tokens=20, stop_tokens=[], likely=2)
    for text in free:
        assert text.end == "length" and len(text.tokens) == len(text.log_probabilities) == 20
        assert tokenizer.decode(text.tokens) == text.lstrip()
        # Greedy: the token that comes is the likeliest.
        assert [likely[0] for likely in text.likely] == list(zip(text.tokens, text.log_probabilities))
        assert all(len(likely) == 2 and likely[0][1] >= likely[1][1] for likely in text.likely)
    stop = free[0][10:15]
    stopped = session.generate(PROMPTS[:2], maximum_tokens=20, stop_tokens=[free[1].tokens[4]], stop_strings=[stop])
    assert stopped[0] == free[0][: free[0].index(stop)] and stopped[0].end == "stop_string"
    assert stopped[1].tokens == free[1].tokens[:5] and stopped[1].end == "stop_token"
    assert stopped[0].likely == stopped[0].log_probabilities == []
    never = {token: -math.inf for token in free[0].tokens}
    assert not set(session.generate(PROMPTS[:1], logit_bias=never, maximum_tokens=20)[0].tokens) & set(never)


def test_samples_of_a_prompt_come_one_after_another(session: graft.Session) -> None:
    pieces: dict[int, str] = {text: "" for text in range(6)}

    def collect(text: int, piece: str) -> None:
        pieces[text] += piece

    texts = session.generate(
        PROMPTS[:2], temperature=1.0, min_p=0.01, seed=3, samples=3, maximum_tokens=12, on_text=collect
    )
    assert len(set(texts)) > 4 and list(pieces.values()) == texts
    assert texts[::3] == session.generate(PROMPTS[:2], temperature=1.0, min_p=0.01, seed=3, maximum_tokens=12)
    for wrong in ({"samples": 0}, {"likely": -2}, {"stop_strings": [""]}, {"stop_strings": ["a\0b"]}, {"min_p": 2.0}):
        with pytest.raises(graft.GraftError, match=next(iter(wrong))[:6]):
            session.generate(PROMPTS, **wrong)  # type: ignore[arg-type]


def test_guesses_change_no_text(session: graft.Session) -> None:
    prompts = [f"{prompt}. {prompt}" for prompt in PROMPTS]
    for settings in ({}, {"temperature": 0.7, "seed": 3, "frequency_penalty": 0.1}):
        plain = session.generate(prompts, maximum_tokens=40, likely=1, **settings)
        guessed = session.generate(prompts, maximum_tokens=40, likely=1, prompt_lookup_tokens=8, **settings)
        assert guessed == plain
        assert [text.tokens for text in guessed] == [text.tokens for text in plain]
        assert [text.log_probabilities for text in guessed] == [text.log_probabilities for text in plain]
    with pytest.raises(graft.GraftError, match="prompt_lookup_tokens must be 0 to 1024, found -1"):
        session.generate(PROMPTS, prompt_lookup_tokens=-1)
    with pytest.raises(graft.GraftError, match="expected 0 with beam_count 2"):
        session.generate(PROMPTS, beams=2, prompt_lookup_tokens=5)


def test_a_step_hands_out_what_was_guessed(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    def steps(most: int) -> list[int]:
        generator = graft.Generator(model, tokenizer)
        constraint = {"regex": "( Lily and Tom){9}"}
        generator.add([PROMPTS[0]], maximum_tokens=80, prompt_lookup_tokens=most, constraint=constraint)
        counts = []
        while len(generator):
            counts.append(len(generator.step()))
        return counts

    plain, guessed = steps(0), steps(8)
    assert set(plain) == {1}
    assert sum(guessed) == sum(plain) and len(guessed) < len(plain)


def test_beams_are_ranked(session: graft.Session) -> None:
    texts = session.generate(PROMPTS[:2], beams=4, samples=3, maximum_tokens=10, likely=0)
    assert len(set(texts)) == 6 and all(text.end == "length" for text in texts)
    for first in (0, 3):
        scores = [text.score for text in texts[first : first + 3]]
        assert scores == sorted(scores, reverse=True)
        assert all(text.score == pytest.approx(sum(text.log_probabilities) / 10) for text in texts[first : first + 3])
    greedy = session.generate(PROMPTS[:2], maximum_tokens=10, likely=0)
    for text, best in zip(greedy, texts[::3]):
        assert math.isnan(text.score) and sum(text.log_probabilities) / 10 < best.score + 1e-6
    with pytest.raises(graft.GraftError, match="beam_count"):
        session.generate(PROMPTS, beams=2, samples=3)
    with pytest.raises(graft.GraftError, match="early_stopping: expected one of no, yes, never"):
        session.generate(PROMPTS, beams=2, early_stopping="soon")  # type: ignore[arg-type]


def test_texts_are_what_constraints_ask_for(
    model: graft.Model, tokenizer: graft.Tokenizer, session: graft.Session
) -> None:
    expression = r" [A-Z][a-z]{2,9}( is| was) (happy|sad|[\d]{2,4}\.)"
    constraints = [{"regex": expression}, None, {"choices": [" yes", " no"]}]
    texts = session.generate(
        PROMPTS[:3], temperature=1.5, seed=3, samples=4, maximum_tokens=60, constraint=constraints
    )
    assert all(re.fullmatch(expression, text, re.ASCII) and text.end == "constraint" for text in texts[:4]), texts
    assert texts[4:8] == session.generate(PROMPTS[1:2], temperature=1.5, seed=3, samples=4, maximum_tokens=60)
    assert {*texts[8:]} == {" yes", " no"}
    generator = graft.Generator(model, tokenizer)
    (row,) = generator.add(PROMPTS[:1], constraint=constraints[2])
    assert "".join(token.text for _ in range(len(" yes")) for token in generator.step()) in texts[8:]
    for wrong, message in (
        ({"choice": ["a"]}, 'expected one member, of "choices"'),
        ([None], "constraint: expected 3, one for each prompt; found 1"),
        ({"regex": "a(?!b)"}, "row 0: the regular expression .* has a look-ahead at character 1"),
    ):
        with pytest.raises(graft.GraftError, match=message):
            session.generate(PROMPTS[:3], constraint=wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"constraint\[1\]: expected a mapping or None, found str"):
        session.generate(PROMPTS[:2], constraint=[None, "a"])  # type: ignore[list-item]


def test_texts_take_the_way_that_their_tokens_have(model: graft.Model) -> None:
    tokens = ["a", "b", "ab", "abc", "cd", "日本", "本"]
    file = {
        "version": "1.0",
        "model": {"type": "Unigram", "vocab": [[token, -1.0] for token in tokens], "unk_id": 0},
        "decoder": {"type": "Fuse"},
    }
    sparse = graft.Tokenizer.from_files({"tokenizer.json": json.dumps(file).encode()})
    session = graft.Session(model, sparse)
    constraint = {"choices": ["abcd", "abce", "日本語"]}
    choices: tuple[dict[str, Any], ...] = ({}, {"temperature": 1.5, "samples": 4}, {"beams": 2})
    for options in choices:
        assert {*session.generate(["a"], constraint=constraint, **options)} == {"abcd"}
    with pytest.raises(graft.GraftError, match='row 0: no text .*: of "日本語" none goes on behind "日本"'):
        session.generate(["a"], constraint={"choices": ["日本語"]})


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 1, "maximum": 120},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "minItems": 1, "maxItems": 3},
        "score": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "code": {"type": "string", "pattern": "^[A-Z]{2}-\\d{3}$"},
        "more": {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"const": None}}, "required": ["a"]},
    },
    "required": ["name", "tags", "code"],
    "additionalProperties": False,
    "$defs": {"tag": {"enum": ["red", "green", 7]}},
}


def test_json_is_valid_for_its_schema(session: graft.Session) -> None:
    texts = session.generate(
        PROMPTS[:1], temperature=1.0, samples=60, maximum_tokens=400, constraint={"json_schema": SCHEMA}
    )
    whole = [json.loads(text) for text in texts if text.end == "constraint"]
    assert len(whole) > 30 and len({*texts}) > 20
    for value in whole:
        assert {"name", "tags", "code"} <= value.keys() <= SCHEMA["properties"].keys()
        assert list(value) == [key for key in SCHEMA["properties"] if key in value]
        assert isinstance(value["name"], str) and len(value["name"]) <= 12
        assert 1 <= value.get("age", 1) <= 120 and isinstance(value.get("age", 1), int)
        assert 1 <= len(value["tags"]) <= 3 and all(tag in ("red", "green", 7) for tag in value["tags"])
        assert isinstance(value.get("score"), (int, float, type(None)))
        assert re.fullmatch(r"[A-Z]{2}-\d{3}", value["code"], re.ASCII)
        assert isinstance(value.get("more", {"a": True})["a"], bool)


def test_texts_join_others(model: graft.Model, tokenizer: graft.Tokenizer, session: graft.Session) -> None:
    expected = session.generate(PROMPTS[:3], temperature=1.0, maximum_tokens=9, stop_tokens=[])
    generator = graft.Generator(model, tokenizer)
    assert len(generator) == 0 and generator.step() == []
    texts = {row: "" for row in generator.add(PROMPTS[:2], temperature=1.0, maximum_tokens=9, stop_tokens=[])}
    for step in range(12):
        if step == 3:
            assert generator.add(PROMPTS[2:3], temperature=1.0, maximum_tokens=9, stop_tokens=[]) == [2]
            texts[2] = ""
        for token in generator.step():
            texts[token.row] += token.text
            assert token.end == ("length" if step == (11 if token.row == 2 else 8) else "none")
    assert list(texts.values()) == expected and len(generator) == 0 and generator.memory > 0
    (row,) = generator.add(PROMPTS[:1], samples=2, likely=1)
    assert [(token.row, token.sample, len(token.likely)) for token in generator.step()] == [(row, 0, 1), (row, 1, 1)]
    assert len(generator) == 2
    generator.remove(row)
    assert len(generator) == 0
    with pytest.raises(graft.GraftError, match="no text of row 3 is under way"):
        generator.remove(row)
    with pytest.raises(TypeError, match="tempo"):
        generator.add(PROMPTS, tempo=1)  # type: ignore[call-arg]


def test_a_generator_gives_the_scores_of_beams_and_what_goes_wrong(
    model: graft.Model, tokenizer: graft.Tokenizer, session: graft.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    (best,) = session.generate(PROMPTS[:1], beams=2, maximum_tokens=4)
    generator = graft.Generator(model, tokenizer)
    generator.add(PROMPTS[:1], beams=2, maximum_tokens=4)
    tokens = [token for _ in range(5) for token in generator.step()]
    assert [token.id for token in tokens] == best.tokens and {token.score for token in tokens} == {best.score}
    generator.add(PROMPTS[:2], maximum_tokens=4)

    def interrupt(_token: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("graft.generator.new_token", interrupt)
    with pytest.raises(KeyboardInterrupt):
        generator.step()


def test_a_row_ends_when_asked_and_an_exception_comes_through(session: graft.Session) -> None:
    assert session.generate(PROMPTS[:1], maximum_tokens=0) == [""]
    short = session.generate(PROMPTS[:1], on_text=lambda _row, text: "." in text)
    assert short[0].count(".") == 1 and short[0].endswith(".")

    def interrupt(_row: int, _text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.generate(PROMPTS, on_text=interrupt)
    with pytest.raises(graft.GraftError, match="top_p"):
        session.generate(PROMPTS, top_p=0)
    with pytest.raises(graft.GraftError, match="seed"):
        session.generate(PROMPTS, seed=[1])


def test_what_says_how_to_choose_is_any_iterable_of_numbers(session: graft.Session) -> None:
    chosen = session.generate(PROMPTS[:2], temperature=1.0, seed=[5, 5], stop_tokens=[426], maximum_tokens=20)
    assert chosen == session.generate(
        iter(PROMPTS[:2]),
        temperature=numpy.float32(1),
        seed=numpy.int64(5),
        stop_tokens=iter([426]),
        maximum_tokens=numpy.int32(20),
    )
    assert chosen == session.generate(PROMPTS[:2], temperature=1, seed=iter([5, 5]), stop_tokens=[426], maximum_tokens=20)
    with pytest.raises(graft.GraftError, match="seed: expected 2, one for each prompt; found 1"):
        session.generate(PROMPTS[:2], seed=iter([5]))
    with pytest.raises(TypeError, match="stop_tokens: expected a list of integers, found int"):
        session.generate(PROMPTS[:1], stop_tokens=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="logit_bias: expected numbers by tokens, found list"):
        session.generate(PROMPTS[:1], logit_bias=[5])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="stop_strings: expected a list of strings, found one str"):
        session.generate(PROMPTS[:1], stop_strings=".")
    with pytest.raises(TypeError, match="prompts: expected a list of strings, found one str"):
        session.generate("Once")


@pytest.mark.parametrize("token", [-5, 99999])
def test_tokens_that_no_text_can_have_are_refused(session: graft.Session, token: int) -> None:
    for name, options in (("stop", {"stop_tokens": [1, token]}), ("bias", {"logit_bias": {1: 0.5, token: 1.0}})):
        found = rf"{name}_tokens\[1\] is {token}, outside the vocabulary of row 0, which has \d+ tokens"
        with pytest.raises(graft.GraftError, match=found):
            session.generate(["Once"], maximum_tokens=3, **options)
    assert len(session.generate(["Once"], maximum_tokens=3)) == 1


def test_a_callback_cannot_use_the_session_that_calls_it(session: graft.Session) -> None:
    with pytest.raises(graft.GraftError, match="this Session is in the middle of a call"):
        session.generate(PROMPTS[:1], on_text=lambda _row, text: len(session.embed([text])) > 0)
    assert session.generate(PROMPTS[:1], maximum_tokens=3) != [""]


def test_a_token_of_the_byte_0_does_not_end_the_decoded_text(tokenizer: graft.Tokenizer) -> None:
    ids = tokenizer.encode("cat").ids
    byte_0 = 3  # <0x00>, as in every vocabulary of this kind
    assert tokenizer.decode([*ids, byte_0, *ids[1:]]).count("cat") == 2


def test_a_language_model_learns_a_text_and_rows_keep_their_adapters(
    model: graft.Model, tokenizer: graft.Tokenizer, session: graft.Session
) -> None:
    adapter = graft.Adapter.create(model, "lora", {"r": 8, "target_modules": "all-linear"}, seed=1)
    adapter.set_head("language_model")
    assert adapter.task == "language_model" and adapter.labels == []
    ids = list(tokenizer.encode("The cat is blue.").ids)
    batch = graft.Batch.from_tokens([ids] * 4)
    with pytest.raises(graft.GraftError, match="labels"):
        batch.set_column("token_labels", [ids])
    batch.set_column("token_labels", [[-100, *ids[1:]]] * 4)
    with graft.Trainer(model, adapter, learning_rate=1e-2, schedule="constant") as trainer:
        losses = [trainer.step(batch).loss for _ in range(30)]
        dataset = graft.Dataset.from_batch(batch)
        assert len(dataset) == 4 and dataset.label_names == []
        assert trainer.evaluate(dataset).accuracy == 1
        with pytest.raises(graft.GraftError, match="labels"):
            trainer.evaluate(graft.Dataset.from_batch(graft.Batch.from_tokens([ids])))
    assert losses[-1] < 0.01 < losses[0]
    plain, trained = session.generate(["The cat"] * 2, adapters=[None, adapter], maximum_tokens=6)
    assert trained.startswith(" is blue") and plain != trained


def test_a_nul_in_a_text_that_comes_is_handed_on(session: graft.Session) -> None:
    # So hot that each of the 512 tokens is as likely, the byte 0 among them.
    pieces: dict[int, str] = {row: "" for row in range(8)}

    def collect(row: int, text: str) -> None:
        pieces[row] += text

    texts = session.generate(
        ["Once"] * 8, maximum_tokens=400, temperature=1e6, seed=range(8), stop_tokens=[], on_text=collect
    )
    assert sum(text.count("\0") for text in texts) >= 1
    assert list(pieces.values()) == texts
