"""Embeddings of sentence-transformers' folders against the package itself: lengths, poolings, dense
layers, prompts.
"""

import json
import shutil
import warnings

import numpy
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

import graft
from conftest import MINILM, SHARED, TOLERANCE

#: A folder without any modules.
BARE = SHARED / "models" / "bert-tiny-splade"

TEXTS = [
    "The cat sleeps.",
    "",
    "Interest rates rose again, which nobody had expected in a year like this one.",
    "word " * 150,
    "and so on " * 200,
]
TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"]


def saved(folder, *modules, **config):
    """MiniLM under other modules, as the package writes it."""
    transformer = Transformer(str(MINILM))
    model = SentenceTransformer(modules=[transformer, *modules], device="cpu", **config)
    model.save_pretrained(str(folder), safe_serialization=True)
    return folder


def compare(folder, tolerance=TOLERANCE, prompt_name=None):
    theirs = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, prompt_name=prompt_name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = graft.Session(graft.Model(folder), graft.Tokenizer(folder))
        ours = numpy.asarray(session.embed(TEXTS, prompt_name=prompt_name))
    assert ours.shape == theirs.shape
    scale = max(1.0, float(numpy.abs(theirs).max()))
    assert numpy.abs(ours - theirs).max() < tolerance * scale
    return ours


def test_the_folder_as_it_is():
    ours = compare(MINILM)
    assert numpy.linalg.norm(ours, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "mode",
    ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", ("lasttoken", "max", "cls")],
    ids=str,
)
@pytest.mark.parametrize("normalizes", [False, True])
def test_every_pooling(mode, normalizes, tmp_path):
    compare(saved(tmp_path, Pooling(384, mode), *([Normalize()] if normalizes else [])))


@pytest.mark.parametrize("legacy", ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"])
def test_every_pooling_under_its_name_of_before(legacy, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(MINILM, folder)
    settings = {"word_embedding_dimension": 384, f"pooling_mode_{legacy}": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(settings))
    compare(folder)


@pytest.mark.parametrize("activation", [torch.nn.Tanh(), torch.nn.Identity(), torch.nn.ReLU(), torch.nn.GELU(), torch.nn.SiLU()], ids=str)
@pytest.mark.parametrize("bias", [False, True])
def test_dense_layers(activation, bias, tmp_path):
    torch.manual_seed(3)
    dense = Dense(768, 48, bias=bias, activation_function=activation)
    compare(saved(tmp_path, Pooling(384, ("mean", "cls")), dense, Dense(48, 16), Normalize()))


def test_prompts(tmp_path):
    prompts = {"query": "query: ", "passage": "a passage of text: "}
    folder = saved(tmp_path, Pooling(384, "mean"), prompts=prompts, default_prompt_name="passage")
    found = [compare(folder, prompt_name=name) for name in (None, "query", "passage", "document")]
    assert (found[0] == found[2]).all() and (found[0] != found[1]).any() and (found[1] != found[3]).any()
    assert set(graft.Model(folder).prompt_names) == {"query", "passage", "document"}


@pytest.mark.parametrize(
    "sentences, tokenizer",
    [
        ({"max_seq_length": 40}, {}),
        ({"max_seq_length": None}, {"model_max_length": 60}),
        ({}, {"model_max_length": 60, "truncation_side": "left"}),
        ({"max_seq_length": 33, "do_lower_case": True}, {"model_max_length": 60}),
        ({}, {"model_max_length": 10**30}),
    ],
    ids=str,
)
def test_lengths(sentences, tokenizer, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(MINILM, folder)
    (folder / "sentence_bert_config.json").write_text(json.dumps(sentences))
    config = json.loads((MINILM / "tokenizer_config.json").read_text())
    del config["model_max_length"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config | tokenizer))
    if tokenizer.get("model_max_length", 0) > 512:
        # Here the package has the model's 512, and the library what tokenizer.json says.
        raw = json.loads((MINILM / "tokenizer.json").read_text())
        (folder / "tokenizer.json").write_text(json.dumps(raw | {"truncation": None}))
    compare(folder)


@pytest.mark.parametrize("base", [MINILM, BARE], ids=["modules", "none"])
@pytest.mark.parametrize("learned_length", [None, 24])
def test_a_merged_adapter_of_vectors_is_opened_by_the_package(base, learned_length, tmp_path):
    model, tokenizer = graft.Model(base), graft.Tokenizer(base)
    adapter = graft.Adapter.create(model, config={"init_lora_weights": False}, seed=1)
    adapter.set_head("sentence_embedding")
    if learned_length is not None:
        pairs = [[text, text] for text in TEXTS[::2]]
        rows = graft.Dataset.from_groups(tokenizer, pairs, maximum_length=learned_length)
        with graft.Trainer(model, adapter, epoch_count=1) as trainer:
            trainer.fit(rows, progress=False)
    adapter.save(tmp_path / "adapter")
    model.merge(graft.Adapter.load(model, tmp_path / "adapter"), tmp_path / "merged")
    merged = compare(tmp_path / "merged", 1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        attached = numpy.asarray(graft.Session(model, tokenizer, adapter).embed(TEXTS))
        plain = numpy.asarray(graft.Session(model, tokenizer).embed(TEXTS))
    assert numpy.abs(merged - attached).max() < 1e-5 < numpy.abs(plain - attached).max()
    found = SentenceTransformer(str(tmp_path / "merged"), device="cpu").max_seq_length
    assert found == (learned_length or tokenizer.maximum_length)
