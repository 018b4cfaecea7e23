"""GGUF files read by Graft and by transformers, which makes the same numbers of them: logits' loss
and greedy tokens; adapters of PEFT on a model of such a file; and files that Graft writes."""

import math
from pathlib import Path

import gguf
import numpy
import peft
import pytest
import torch
import transformers

import graft

from conftest import DATA, MINILM, read_json

#: The files, and how many tokens of a text their logits are compared on: Gemma has many logits.
SMOLLM, GEMMA = "smollm2-135m-instruct.gguf", "gemma-3-270m.gguf"
LENGTHS = {SMOLLM: 256, GEMMA: 64}
#: How many rows of a written tensor are compared.
ROWS = 4096



@pytest.fixture(scope="module", params=LENGTHS)
def path(request: pytest.FixtureRequest) -> Path:
    return MINILM.parent / request.param


@pytest.fixture(scope="module")
def theirs(path: Path) -> transformers.PreTrainedModel:
    return transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def ours(path: Path) -> graft.Model:
    return graft.Model(path)


@pytest.fixture(scope="module")
def tokenizer(path: Path) -> graft.Tokenizer:
    return graft.Tokenizer(path)


@pytest.fixture(scope="module")
def rows(path: Path, tokenizer: graft.Tokenizer) -> list[list[int]]:
    """A text in four rows."""
    length = LENGTHS[path.name]
    articles = read_json(DATA / "xquad" / "xquad.en.json")["data"]
    text = "\n\n".join(paragraph["context"] for article in articles for paragraph in article["paragraphs"])[:8000]
    ids = list(tokenizer.encode(text, maximum_length=1 << 30).ids)
    return [ids[start : start + length] for start in range(0, 4 * length, length)]


def test_tokens_are_those_of_transformers(path: Path, tokenizer: graft.Tokenizer, rows: list[list[int]]) -> None:
    reference = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    text = tokenizer.decode([token for row in rows for token in row])
    assert reference(text)["input_ids"] == [token for row in rows for token in row]


def test_perplexity_is_that_of_transformers(
    ours: graft.Model, theirs: transformers.PreTrainedModel, rows: list[list[int]]
) -> None:
    adapter = graft.Adapter.create(ours, "lora", {"r": 1})
    adapter.set_head("language_model")
    batch = graft.Batch.from_tokens(rows)
    batch.set_column("token_labels", rows)
    with graft.Trainer(ours, adapter) as trainer:
        loss = trainer.evaluate(graft.Dataset.from_batch(batch)).loss
    with torch.no_grad():
        ids = torch.tensor(rows)
        expected = theirs(input_ids=ids, labels=ids).loss.item()
    assert math.exp(loss) == pytest.approx(math.exp(expected), rel=1e-4)


def test_greedy_text_is_that_of_transformers(
    ours: graft.Model, theirs: transformers.PreTrainedModel, tokenizer: graft.Tokenizer, rows: list[list[int]]
) -> None:
    session = graft.Session(ours, tokenizer)
    for row in rows[:2]:
        prompt = tokenizer.decode(row[:40])
        ids = list(tokenizer.encode(prompt).ids)
        (text,) = session.generate([prompt], maximum_tokens=32, stop_tokens=[])
        out = theirs.generate(
            torch.tensor([ids]), max_new_tokens=32, do_sample=False, eos_token_id=None, pad_token_id=0
        )[0, len(ids) :]
        assert text == tokenizer.decode(out.tolist())


def test_beams_are_those_of_transformers(
    ours: graft.Model, theirs: transformers.PreTrainedModel, tokenizer: graft.Tokenizer, rows: list[list[int]]
) -> None:
    session = graft.Session(ours, tokenizer)
    prompts = [tokenizer.decode(row[:count]) for row, count in zip(rows[:2], (70, 30))]
    texts = session.generate(prompts, beams=4, samples=2, length_penalty=0.8, maximum_tokens=8)
    for row, prompt in enumerate(prompts):
        ids = list(tokenizer.encode(prompt).ids)
        out = theirs.generate(
            torch.tensor([ids]),
            max_new_tokens=8,
            num_beams=4,
            num_return_sequences=2,
            length_penalty=0.8,
            do_sample=False,
            eos_token_id=ours.end_tokens,
            pad_token_id=0,
            return_dict_in_generate=True,
            output_scores=True,
        )
        for text, tokens, score in zip(texts[2 * row :], out.sequences[:, len(ids) :].tolist(), out.sequences_scores):
            assert text.tokens == tokens[: len(text.tokens)] and not any(tokens[len(text.tokens) :])
            assert text.score == pytest.approx(score.item(), abs=1e-3)


def test_an_adapter_of_peft_loads_and_gives_its_answers(
    ours: graft.Model,
    theirs: transformers.PreTrainedModel,
    tokenizer: graft.Tokenizer,
    rows: list[list[int]],
    tmp_path,
) -> None:
    config = peft.LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    adapted = peft.get_peft_model(theirs, config).eval()
    adapted.save_pretrained(tmp_path)
    adapter = graft.Adapter.load(ours, tmp_path)
    ids = rows[0][:24]
    out = adapted.generate(
        input_ids=torch.tensor([ids]), max_new_tokens=8, do_sample=False, eos_token_id=None, pad_token_id=0
    )[0, len(ids) :]
    session = graft.Session(ours, tokenizer)
    (text,) = session.generate([tokenizer.decode(ids)], adapters=[adapter], maximum_tokens=8, stop_tokens=[])
    adapted.unload()
    assert text == tokenizer.decode(out.tolist())


# Of Gemma's large table one type is enough.
@pytest.mark.parametrize(("path", "type"), [(SMOLLM, "BF16"), (SMOLLM, "Q8_0"), (GEMMA, "Q8_0")], indirect=["path"])
def test_a_file_that_is_written_has_the_tensors_of_the_gguf_package(
    path: Path, ours: graft.Model, type: str, tmp_path
) -> None:
    ours.write_gguf(tmp_path / "written.gguf", type=type)
    kind = gguf.GGMLQuantizationType[type]
    theirs = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    own = gguf.GGUFReader(tmp_path / "written.gguf")
    assert {tensor.name for tensor in own.tensors} == set(theirs)
    for tensor in own.tensors[:24]:
        source = theirs[tensor.name]
        # Tables have rows of blocks, of which the package needs a minute for all.
        rows = source.data[:ROWS]
        numbers = gguf.quants.dequantize(rows, source.tensor_type)
        if numbers.ndim == 1:
            # Gemma's norms are 1 + w, and w is what is kept.
            assert numpy.allclose(tensor.data[:ROWS], numbers, rtol=0, atol=1e-6)
        else:
            assert tensor.tensor_type == kind
            assert (tensor.data[:ROWS] == gguf.quants.quantize(numbers, kind)).all()


# Gemma's would be a file of 1 GB.
@pytest.mark.parametrize("path", [SMOLLM], indirect=True)
def test_a_model_that_is_written_says_what_it_said(
    path: Path, ours: graft.Model, theirs: transformers.PreTrainedModel, tokenizer: graft.Tokenizer, tmp_path
) -> None:
    adapter = graft.Adapter.create(ours, "lora", {"r": 4, "init_lora_weights": False, "target_modules": ["q_proj"]})
    ours.write_gguf(tmp_path / "written.gguf", graft.Composition(adapter, 0.02), type="F32")
    written = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file="written.gguf", dtype=torch.float32
    ).eval()
    reference = transformers.AutoTokenizer.from_pretrained(tmp_path, gguf_file="written.gguf")
    prompt = "The capital of France is the city of"
    ids = list(tokenizer.encode(prompt).ids)
    assert reference(prompt)["input_ids"] == ids
    out = written.generate(
        torch.tensor([ids]), max_new_tokens=12, do_sample=False, eos_token_id=None, pad_token_id=0
    )[0, len(ids) :]
    (text,) = graft.Session(ours, tokenizer).generate(
        [prompt], adapters=[graft.Composition(adapter, 0.02)], maximum_tokens=12, stop_tokens=[]
    )
    assert text == tokenizer.decode(out.tolist())


def test_a_folder_becomes_a_file(tmp_path) -> None:
    """MiniLM, whose metadata and tokens the converter would write so."""
    model, tokenizer = graft.Model(MINILM), graft.Tokenizer(MINILM)
    model.write_gguf(tmp_path / "minilm.gguf")
    read, words = graft.Model(tmp_path / "minilm.gguf"), graft.Tokenizer(tmp_path / "minilm.gguf")
    texts = ["Hello World", "A file is written, isn't it?"]
    for text in texts:
        assert words.encode(text).ids == tokenizer.encode(text).ids
    own, theirs = graft.Session(model, tokenizer).embed(texts), graft.Session(read, words).embed(texts)
    assert numpy.array_equal(numpy.array(own), numpy.array(theirs))
    fields = gguf.GGUFReader(tmp_path / "minilm.gguf").fields
    assert fields["general.architecture"].contents() == "bert"
    assert fields["tokenizer.ggml.model"].contents() == "bert"
