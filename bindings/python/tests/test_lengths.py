"""One length for training and use, and what is said when texts lose something."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy
import pytest
from conftest import LABELS, TEXTS

import graft

LONG = "word " * 400


def folder_with(tmp_path: Path, folder: Path, **files: dict[str, object] | None) -> Path:
    """A copy of the model folder with other settings; None removes a file."""
    copy = tmp_path / "model"
    copy.mkdir()
    for path in folder.iterdir():
        if path.suffix != ".json":
            (copy / path.name).symlink_to(path)
        else:
            shutil.copy(path, copy)
    for name, content in files.items():
        if content is None:
            (copy / f"{name}.json").unlink()
        else:
            (copy / f"{name}.json").write_text(json.dumps(content))
    return copy


def fitted(model: graft.Model, dataset: graft.Dataset, method: str = "lora") -> graft.Adapter:
    adapter = graft.Adapter.create(model, method, seed=3)
    adapter.set_head(labels=LABELS)
    with graft.Trainer(model, adapter, learning_rate=5e-3, epoch_count=1) as trainer:
        trainer.fit(dataset, progress=False)
    return adapter


def quiet(tokenizer: graft.Tokenizer, texts: list[str], labels: list[int], maximum_length: int = 0) -> graft.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return graft.Dataset(tokenizer, texts, labels, label_names=LABELS, maximum_length=maximum_length)


def test_the_folder_declares_one_length(folder: Path, tokenizer: graft.Tokenizer, tmp_path: Path) -> None:
    assert tokenizer.maximum_length == 256
    assert len(tokenizer.encode(LONG).ids) == 256
    other = folder_with(tmp_path, folder, sentence_bert_config=None)
    assert graft.Tokenizer(other).maximum_length == 512


@pytest.mark.parametrize("method", ["lora", "bottleneck"])
def test_what_is_measured_is_what_is_predicted(
    model: graft.Model, tokenizer: graft.Tokenizer, tmp_path: Path, method: str
) -> None:
    # Rows whose end, behind the limit, says something else.
    texts = [f"{text} {'filler ' * 20}{other}" for text, other in zip(TEXTS, TEXTS[::-1])]
    labels = [0, 0, 1, 1, 2, 2]
    adapter = fitted(model, quiet(tokenizer, texts, labels, 16), method)
    assert adapter.maximum_length == 16
    adapter.save(tmp_path / "adapter")
    again = graft.Adapter.load(model, tmp_path / "adapter")
    assert again.maximum_length == 16
    again.save(tmp_path / "again")
    assert graft.Adapter.load(model, tmp_path / "again").maximum_length == 16
    for part in (adapter, again):
        session = graft.Session(model, tokenizer, part)
        with pytest.warns(UserWarning, match="6 of 6 rows were cut to 16 tokens"):
            found = session.classify(texts)
        with graft.Batch(tokenizer, texts, maximum_length=16) as batch:
            exact = graft.Session(model, tokenizer, part, maximum_length=16)
            assert batch.truncated_row_count == 6 and batch.maximum_length == 16
        with pytest.warns(UserWarning):
            assert exact.classify(texts) == found
        with pytest.warns(UserWarning, match="6 of 6"):
            predicted = session.predict(texts)
        with graft.Trainer(model, part) as trainer:
            accuracy = trainer.evaluate(quiet(tokenizer, texts, labels, 16)).accuracy
        assert accuracy == numpy.mean([LABELS[label] == name for label, name in zip(labels, predicted)])


def test_rows_of_one_call_are_each_cut_as_their_adapter_was_trained(
    model: graft.Model, tokenizer: graft.Tokenizer
) -> None:
    short, long = (fitted(model, quiet(tokenizer, TEXTS, [0, 0, 1, 1, 2, 2], limit)) for limit in (5, 300))
    session = graft.Session(model, tokenizer)
    rows = [short, long, None, short]
    with pytest.warns(UserWarning, match="4 of 4 rows were cut to 300 tokens"):
        states = session.hidden_states([LONG] * 4, adapters=rows)
    assert [state.shape[0] for state in states] == [5, 300, 256, 5]


def test_a_chosen_length_counts_and_one_above_the_models_is_an_error(
    model: graft.Model, tokenizer: graft.Tokenizer
) -> None:
    session = graft.Session(model, tokenizer, maximum_length=7)
    with pytest.warns(UserWarning, match="1 of 1 rows were cut to 7 tokens"):
        assert session.hidden_states([LONG])[0].shape[0] == 7
    for length in (513, -1):
        with pytest.raises(graft.GraftError, match="maximum_length: expected 0 to 512"):
            graft.Session(model, tokenizer, maximum_length=length)
    rows = graft.Dataset(tokenizer, TEXTS, [0, 0, 1, 1, 2, 2], label_names=LABELS, maximum_length=513)
    with pytest.raises(graft.GraftError, match="maximum_length is 513 tokens; the model takes at most 512"):
        fitted(model, rows)


def test_without_a_limit_the_model_is_the_limit(model: graft.Model, tokenizer: graft.Tokenizer) -> None:
    adapter = fitted(model, graft.Dataset(tokenizer, [LONG, "b"], [0, 1], label_names=LABELS, maximum_length=1 << 30))
    assert adapter.maximum_length == 512
    assert graft.Session(model, tokenizer, adapter).hidden_states([LONG])[0].shape[0] == 402
    with graft.Batch.from_tokens([[101, 102]], labels=[0]) as batch:
        given = fitted(model, graft.Dataset.from_batch(batch))
    assert given.maximum_length is None


def test_a_declared_length_above_the_models_ends_with_the_model(folder: Path, tmp_path: Path) -> None:
    other = folder_with(tmp_path, folder, sentence_bert_config={"max_seq_length": 1000})
    model, tokenizer = graft.Model(other), graft.Tokenizer(other)
    assert tokenizer.maximum_length == 1000
    with pytest.warns(UserWarning, match="1 of 2 rows were cut to 512 tokens"):
        states = graft.Session(model, tokenizer).hidden_states(["short", "word " * 700])
    assert states[1].shape[0] == 512
    adapter = fitted(model, graft.Dataset(tokenizer, TEXTS, [0, 0, 1, 1, 2, 2], label_names=LABELS))
    assert adapter.maximum_length == 512
    with pytest.raises(graft.GraftError, match="training set: row 1 has 702 tokens; the model takes at most 512"):
        fitted(model, graft.Dataset(tokenizer, ["a", "word " * 700], [0, 1], label_names=LABELS))


def test_a_data_set_has_the_largest_limit_of_its_batches(tokenizer: graft.Tokenizer) -> None:
    rows = quiet(tokenizer, [LONG, "short"], [0, 1], 9)
    assert (rows.maximum_length, rows.truncated_row_count, rows.token_count) == (9, 1, 12)
    with graft.Batch(tokenizer, [LONG], labels=[0], maximum_length=20) as batch:
        rows.append(batch)
    assert (rows.maximum_length, rows.truncated_row_count, rows.token_count) == (20, 2, 32)
    with graft.Batch.from_tokens([[101, 102]], labels=[0]) as batch:
        assert batch.maximum_length is None
        rows.append(batch)
    assert rows.maximum_length is None


def test_cut_rows_are_said_once_for_each_data_set(tokenizer: graft.Tokenizer) -> None:
    with pytest.warns(UserWarning, match="2 of 3 rows were cut to 256 tokens") as said:
        graft.Dataset(tokenizer, [LONG, "short", LONG], [0, 1, 0], label_names=LABELS)
    assert len(said) == 1 and said[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graft.Dataset(tokenizer, ["short"], [0], label_names=LABELS)


def test_unknown_tokens_are_counted_and_said_where_they_are_many(
    model: graft.Model, tokenizer: graft.Tokenizer
) -> None:
    strange = "🜚 ⟁ 🜚 ⟁"
    with pytest.warns(UserWarning, match="8 of 16 tokens are unknown to this tokenizer") as said:
        rows = graft.Dataset(tokenizer, [strange, "plain words", strange], [0, 1, 2], label_names=LABELS)
    assert len(said) == 1
    assert (rows.unknown_token_count, rows.token_count) == (8, 16)
    with graft.Batch(tokenizer, [strange]) as batch:
        assert batch.unknown_token_count == 4
    with pytest.warns(UserWarning, match="4 of 6 tokens are unknown"):
        graft.Session(model, tokenizer).embed([strange])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one of 25 is little
        graft.Dataset(tokenizer, ["one two three four five six seven eight nine ten " * 2 + "🜚"], [0], label_names=LABELS)


def test_a_prompt_of_generation_is_never_cut(tmp_path: Path) -> None:
    goldens = Path(__file__).resolve().parents[3] / "Tests" / "Goldens"
    model = graft.Model(goldens / "llama-tiny" / "everything")
    words = {f"w{number}": number for number in range(110)}
    settings = {
        "version": "1.0",
        "truncation": {"max_length": 8, "strategy": "LongestFirst", "direction": "Right", "stride": 0},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {"type": "WordLevel", "unk_token": "w0", "vocab": words},
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(settings))
    tokenizer = graft.Tokenizer(tmp_path)
    session = graft.Session(model, tokenizer)
    prompt = " ".join(f"w{number}" for number in range(10, 30))
    assert session.generate([prompt], maximum_tokens=4) != session.generate([prompt[: 8 * 4 - 1]], maximum_tokens=4)
    with pytest.raises(graft.GraftError, match="65 tokens"):
        session.generate([" ".join(["w9"] * 65)])


def test_prompts_stand_before_the_texts(folder: Path, tmp_path: Path) -> None:
    settings = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "passage"}
    other = folder_with(tmp_path, folder, config_sentence_transformers=settings)
    model, tokenizer = graft.Model(other), graft.Tokenizer(other)
    assert model.prompt_names == ["document", "query", "passage"]
    assert (model.prompt(), model.prompt("query"), model.prompt("document")) == ("passage: ", "query: ", "")
    session, plain = graft.Session(model, tokenizer), graft.Session(graft.Model(folder), tokenizer)
    assert session.embed(TEXTS) == plain.embed([f"passage: {text}" for text in TEXTS])
    assert session.embed(TEXTS, prompt_name="query") == plain.embed([f"query: {text}" for text in TEXTS])
    assert session.embed(TEXTS, prompt_name="document") == plain.embed(TEXTS)
    with pytest.raises(graft.GraftError, match='no prompt "other"; it has "document", "query", "passage"') as raised:
        session.embed(TEXTS, prompt_name="other")
    assert raised.value.status == graft.Status.NOT_FOUND


def test_an_embedding_is_as_wide_as_the_folder_declares(folder: Path, tmp_path: Path) -> None:
    other = folder_with(tmp_path, folder)
    (other / "1_Pooling").unlink()
    (other / "1_Pooling").mkdir()
    (other / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": ["mean", "max", "cls"]}))
    model, tokenizer = graft.Model(other), graft.Tokenizer(other)
    session = graft.Session(model, tokenizer)
    assert model.embedding_size == 3 * 384
    parts = [session.embed(TEXTS, pooling=name, normalize=False).numpy() for name in ("mean", "max", "first")]
    numpy.testing.assert_array_equal(session.embed(TEXTS, normalize=False), numpy.concatenate(parts, axis=1))
    assert numpy.linalg.norm(session.embed(TEXTS).numpy(), axis=1) == pytest.approx(1, abs=1e-5)


def test_uneven_rows_are_one_step_however_they_are_cut(
    folder: Path, tokenizer: graft.Tokenizer, tmp_path: Path
) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = graft.Model(folder_with(tmp_path, folder, config=config))
    texts = [text * (1 + row) for row, text in enumerate(TEXTS)]
    labels = [0, 0, 1, 1, 2, 2]
    losses, norms = [], []
    for cuts in ([6], [1] * 6, [4, 2]):
        adapter = graft.Adapter.create(model, "lora", {"lora_dropout": 0.0}, seed=3)
        adapter.set_head(labels=LABELS, dropout=0.0)
        with graft.Trainer(model, adapter, batches_per_step=len(cuts), class_weights=[1, 0.2, 3]) as trainer:
            first = 0
            for count in cuts:
                rows = slice(first, first + count)
                with graft.Batch(tokenizer, texts[rows], labels=labels[rows]) as batch:
                    metrics = trainer.step(batch)
                first += count
            assert (metrics.step, metrics.row_count) == (1, 6)
            losses.append(metrics.loss)
            norms.append(metrics.gradient_norm)
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
    assert norms == pytest.approx([norms[0]] * 3, rel=1e-4)


def test_what_counts_for_nothing_is_no_step_and_a_set_of_it_is_refused(
    model: graft.Model, tokenizer: graft.Tokenizer, adapter: graft.Adapter, dataset: graft.Dataset
) -> None:
    with graft.Trainer(model, adapter, class_weights=[1, 0, 1]) as trainer:
        with graft.Batch(tokenizer, TEXTS[2:4], labels=[1, 1]) as batch:
            metrics = trainer.step(batch)
            assert metrics.step == 0 and numpy.isnan(metrics.loss)
            nothing = graft.Dataset.from_batch(batch)
        for rows in ((nothing,), (dataset, nothing)):
            with pytest.raises(graft.GraftError, match="set: all rows have class weight 0, of 2 rows"):
                trainer.fit(*rows, progress=False)
