"""Models and tokenizers."""

from __future__ import annotations

import gc
import pickle
from pathlib import Path

import pytest

import graft


def test_a_model_tells_what_it_is(model: graft.Model) -> None:
    assert (model.architecture, model.layer_count, model.hidden_size) == ("bert", 6, 384)
    assert (model.vocabulary_size, model.maximum_length) == (30522, 512)
    assert 22_000_000 < model.parameter_count < 23_000_000
    assert repr(model) == "<graft.Model bert, 6 layers of 384>"


def test_the_library_lists_what_it_does() -> None:
    assert "bert" in graft.architectures()
    assert "lora" in graft.adapter_methods()
    assert graft.kernel_name() in {"portable", "avx2", "avx512", "avx512bf16"}


def test_a_missing_folder_is_an_error_with_status_and_path() -> None:
    with pytest.raises(graft.GraftError, match="/no/such/folder") as caught:
        graft.Model("/no/such/folder")
    assert caught.value.status is graft.Status.NOT_FOUND


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(graft.GraftError(3, "disk")))
    assert (error.status, str(error)) == (graft.Status.IO, "disk")


def test_an_unknown_precision_is_refused(folder: Path) -> None:
    with pytest.raises(graft.GraftError, match="float32, bfloat16"):
        graft.Model(folder, precision="float8")  # type: ignore[arg-type]


def test_a_released_object_says_so(folder: Path) -> None:
    tokenizer = graft.Tokenizer(folder)
    with tokenizer:
        tokenizer.encode("within")
    tokenizer.release()
    with pytest.raises(graft.GraftError, match="this Tokenizer was released"):
        tokenizer.encode("after")


def test_objects_show_what_they_are(
    tokenizer: graft.Tokenizer, session: graft.Session, dataset: graft.Dataset, adapter: graft.Adapter
) -> None:
    batch = graft.Batch(tokenizer, ["one", "two words"])
    assert repr(batch) == "<graft.Batch, 2 rows, 7 tokens>"
    assert repr(dataset) == "<graft.Dataset, 6 rows, 3 label names>"
    assert repr(adapter) == "<graft.Adapter lora, 38019 parameters, 3 labels>"
    assert (repr(tokenizer), repr(session)) == ("<graft.Tokenizer>", "<graft.Session>")
    batch.release()
    assert repr(batch) == "<graft.Batch, released>"


def test_objects_are_released_in_any_order(folder: Path, tokenizer: graft.Tokenizer) -> None:
    model = graft.Model(folder)
    session = graft.Session(model, tokenizer)
    expected = session.embed(["still here"])
    model.release()
    del model
    gc.collect()
    assert session.embed(["still here"]) == expected


def test_a_handle_is_not_pickled(model: graft.Model) -> None:
    with pytest.raises(TypeError, match="cannot be copied or pickled"):
        pickle.dumps(model)


def test_encoding_gives_ids_segments_offsets_and_words(tokenizer: graft.Tokenizer) -> None:
    encoding = tokenizer.encode("Größe zählt!", "Yes")
    assert encoding.ids[0] == 101 and encoding.ids[-1] == 102
    assert encoding.type_ids[0] == 0 and encoding.type_ids[-1] == 1
    assert encoding.word_ids[0] is None
    assert {len(column) for column in encoding} == {len(encoding.ids)}
    start, end = encoding.offsets[1]
    assert "Größe zählt!"[start:end].startswith("G")
    start, end = encoding.byte_offsets[-2]
    assert "Yes".encode()[start:end] == b"Yes"


def test_encoding_truncates(tokenizer: graft.Tokenizer) -> None:
    assert len(tokenizer.encode("word " * 50, maximum_length=10).ids) == 10
    assert tokenizer.encode("word", add_special_tokens=False).ids == tokenizer.encode("word").ids[1:-1]


def test_decoding_gives_the_text_back(tokenizer: graft.Tokenizer) -> None:
    ids = tokenizer.encode("hello wonderful world").ids
    assert tokenizer.decode(ids) == "hello wonderful world"
    assert tokenizer.decode(ids, skip_special_tokens=False).startswith("[CLS]")
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize("text", ["nul\0inside", "\0", "\0one", "one\0", ""])
def test_a_nul_in_a_text_is_a_character_like_others(tokenizer: graft.Tokenizer, text: str) -> None:
    # This tokenizer cleans NUL away, once it sees it.
    cleaned = tokenizer.encode(text.replace("\0", ""), "pair")
    found = tokenizer.encode(text, "pa\0ir")
    assert found.ids == cleaned.ids
    for (start, end), segment in zip(found.offsets, found.type_ids):
        assert 0 <= start <= end <= len(("pa\0ir" if segment else text))
    assert graft.Batch(tokenizer, [text, "other"], pairs=["pa\0ir", ""]).row_starts[1] == len(found.ids)


def test_a_tokenizer_from_memory_is_that_of_its_folder(folder: Path, tokenizer: graft.Tokenizer) -> None:
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".json", ".txt")}
    for names in (files, ["tokenizer.json"], ["vocab.txt"]):
        loaded = graft.Tokenizer.from_files({name: files[name] for name in names})
        assert loaded.encode("Größe zählt, naïve unaffable!", "b") == tokenizer.encode("Größe zählt, naïve unaffable!", "b")
    with pytest.raises(graft.GraftError, match="files: no tokenizer.json, tokenizer.model, vocab.txt or vocab.json") as caught:
        graft.Tokenizer.from_files({"config.json": b"{}"})
    assert caught.value.status is graft.Status.NOT_FOUND


def test_a_model_says_what_memory_it_takes(model: graft.Model) -> None:
    tables = (model.vocabulary_size + model.maximum_length + 2) * model.hidden_size * 4
    assert model.mapped_memory == tables
    weights = model.parameter_count * 4 - tables
    assert weights <= model.memory <= 1.1 * weights


def test_a_number_outside_32_bits_is_refused_instead_of_wrapped(tokenizer: graft.Tokenizer) -> None:
    with pytest.raises(graft.GraftError, match="4294967397"):
        tokenizer.decode([2**32 + 101])
