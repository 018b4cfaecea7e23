"""Models that read rows and write others: their settings, what PEFT makes of their adapters, merged
folders, and the real Marian's translations."""

import dataclasses
import json
import random
import shutil
from collections.abc import Callable

import pytest
import tokenizers
import torch
import transformers
from peft import PeftModel

import graft
from conftest import DATA, GOLDENS, SHARED, TOLERANCE, read_json
from test_configuration import VALUES, changed
from tokenizers import Tokenizer

CLASSES = {
    "marian": transformers.MarianMTModel,
    "bart": transformers.BartForConditionalGeneration,
    "mbart": transformers.MBartForConditionalGeneration,
    "t5": transformers.T5ForConditionalGeneration,
    "mt5": transformers.MT5ForConditionalGeneration,
}
MARIAN = SHARED / "models" / "marian-enpt"
ROWS = read_json(GOLDENS / "seq2seq-tiny" / "inputs.json")
SOURCES, TARGETS = ROWS["input_ids"], ROWS["target_ids"]
ALL = {"r": 4, "target_modules": "all-linear", "init_lora_weights": False, "task_type": "SEQ_2_SEQ_LM"}


def dataset() -> graft.Dataset:
    batch = graft.Batch.from_tokens(SOURCES)
    batch.set_targets(graft.Batch.from_tokens(TARGETS))
    return graft.Dataset.from_batch(batch)


def loss(model: graft.Model, adapter: graft.Adapter | None = None) -> float:
    """The mean over all tokens of the targets."""
    own = adapter or graft.Adapter.create(model, config={"task_type": "SEQ_2_SEQ_LM"})
    with graft.Trainer(model, own, threads=1) as trainer:
        return trainer.evaluate(dataset()).loss


def reference(model: torch.nn.Module) -> float:
    with torch.inference_mode():
        logits = [
            model(input_ids=torch.tensor([source]), labels=torch.tensor([target])).logits[0]
            for source, target in zip(SOURCES, TARGETS, strict=True)
        ]
    return float(torch.nn.functional.cross_entropy(torch.cat(logits), torch.tensor(sum(TARGETS, []))))


def expected(architecture: str, folder) -> float | None:
    """What transformers computes; None where it cannot, or makes up weights."""
    try:
        model, info = CLASSES[architecture].from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
        missing = [key for key in info["missing_keys"] if "embed_positions" not in key or architecture != "marian"]
        return None if missing or info["mismatched_keys"] else reference(model.eval())
    except Exception:
        return None


@pytest.mark.parametrize("architecture", CLASSES)
def test_no_key_is_passed_over_that_transformers_acts_on(architecture, tmp_path, monkeypatch):
    monkeypatch.setitem(changed.__globals__["MODELS"], architecture, f"seq2seq-tiny/{architecture}")
    plain = changed(architecture, tmp_path / "plain", {})
    assert abs(loss(graft.Model(plain, threads=1)) - expected(architecture, plain)) < TOLERANCE
    failures = []
    config = CLASSES[architecture].config_class
    for key in sorted({field.name for field in dataclasses.fields(config)} | {"encoder_layerdrop", "static_position_embeddings"}):
        for value in random.Random(key).sample(VALUES, 2):
            folder = changed(architecture, tmp_path / "changed", {key: value})
            theirs = expected(architecture, folder)
            if theirs is None:
                continue
            try:
                ours = loss(graft.Model(folder, threads=1))
                if not abs(ours - theirs) < TOLERANCE:
                    failures.append(f"{key} = {value!r}: {ours}, in transformers {theirs}")
            except graft.GraftError as error:
                if key not in str(error) and "the model takes at most" not in str(error):
                    failures.append(f"{key} = {value!r}: the refusal does not name it: {error}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("architecture", CLASSES)
def test_peft_computes_what_a_trained_adapter_does(architecture, tmp_path):
    folder = GOLDENS / "seq2seq-tiny" / architecture
    model = graft.Model(folder)
    adapter = graft.Adapter.create(model, config=ALL, seed=3)
    with graft.Trainer(model, adapter, learning_rate=1e-2, epoch_count=3, rows_per_batch=2) as trainer:
        before = trainer.evaluate(dataset()).loss
        trainer.fit(dataset(), progress=False)
        after = trainer.evaluate(dataset()).loss
    assert after < before
    adapter.save(tmp_path / "adapter")
    theirs = PeftModel.from_pretrained(CLASSES[architecture].from_pretrained(folder), tmp_path / "adapter").eval()
    assert abs(reference(theirs) - after) < TOLERANCE


@pytest.mark.parametrize("architecture", CLASSES)
def test_a_merged_model_is_opened_by_transformers(architecture, tmp_path):
    model = graft.Model(GOLDENS / "seq2seq-tiny" / architecture)
    adapter = graft.Adapter.create(model, config=ALL, seed=4)
    model.merge(adapter, tmp_path / "merged")
    theirs, report = CLASSES[architecture].from_pretrained(
        tmp_path / "merged", dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not [key for key in report["missing_keys"] if "embed_positions" not in key] and not report["mismatched_keys"]
    attached = loss(model, adapter)
    assert abs(reference(theirs.eval()) - attached) < TOLERANCE
    assert abs(loss(graft.Model(tmp_path / "merged")) - attached) < TOLERANCE


CLASSIFIED = read_json(GOLDENS / "seq2seq-heads" / "inputs.json")["input_ids"]
LABELS = ("a", "b", "c")
SPANS = [[min(2, len(row) - 1), len(row) - 1] for row in CLASSIFIED]


def of_labels(logits: torch.Tensor, rows: list[int]) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(logits, torch.tensor(rows))


def row_loss(model: torch.nn.Module) -> torch.Tensor:
    return of_labels(torch.cat([model(input_ids=torch.tensor([row])).logits for row in CLASSIFIED]), [0, 1, 2, 1, 0])


def token_loss(model: torch.nn.Module) -> torch.Tensor:
    logits = torch.cat([model(input_ids=torch.tensor([row])).logits[0] for row in CLASSIFIED])
    return of_labels(logits, [token % 3 for row in CLASSIFIED for token in row])


def span_loss(model: torch.nn.Module) -> torch.Tensor:
    losses = [
        model(input_ids=torch.tensor([row]), start_positions=torch.tensor([start]), end_positions=torch.tensor([end])).loss
        for row, (start, end) in zip(CLASSIFIED, SPANS, strict=True)
    ]
    return torch.stack(losses).mean()


@dataclasses.dataclass(frozen=True)
class Head:
    """Of a task, with the column that it learns from, and transformers' loss."""

    task: str
    column: str
    numbers: list
    loss: Callable[[torch.nn.Module], torch.Tensor]
    labels: tuple[str, ...] = ()


ROW_HEAD = Head("sequence_classification", "labels", [0, 1, 2, 1, 0], row_loss, LABELS)
TOKEN_HEAD = Head("token_classification", "token_labels", [[token % 3 for token in row] for row in CLASSIFIED], token_loss, LABELS)
ANSWER_HEAD = Head("question_answering", "answer_spans", SPANS, span_loss)
HEADS = [
    (ROW_HEAD, transformers.BartForSequenceClassification, ["seq2seq-heads/bart", "seq2seq-tiny/bart"]),
    (ROW_HEAD, transformers.MBartForSequenceClassification, ["seq2seq-heads/mbart", "seq2seq-tiny/mbart"]),
    (ROW_HEAD, transformers.T5ForSequenceClassification, ["seq2seq-heads/t5", "seq2seq-tiny/t5"]),
    (ROW_HEAD, transformers.MT5ForSequenceClassification, ["seq2seq-heads/mt5", "seq2seq-tiny/mt5"]),
    (ANSWER_HEAD, transformers.BartForQuestionAnswering, ["seq2seq-token-heads/bart-answers", "seq2seq-tiny/bart"]),
    (ANSWER_HEAD, transformers.MBartForQuestionAnswering, ["seq2seq-token-heads/mbart-answers", "seq2seq-tiny/mbart"]),
    (ANSWER_HEAD, transformers.T5ForQuestionAnswering, ["seq2seq-token-heads/t5-answers", "seq2seq-tiny/t5"]),
    (ANSWER_HEAD, transformers.MT5ForQuestionAnswering, ["seq2seq-token-heads/mt5-answers", "seq2seq-tiny/mt5"]),
    (TOKEN_HEAD, transformers.T5ForTokenClassification, ["seq2seq-token-heads/t5-tokens", "seq2seq-token-heads/t5-encoder"]),
    (TOKEN_HEAD, transformers.MT5ForTokenClassification, ["seq2seq-token-heads/mt5-tokens"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("head", "kind", "base"),
    [
        pytest.param(head, kind, base, id=f"{kind.__name__}-{base}")
        for head, kind, bases in HEADS
        for base in bases
    ],
)
def test_a_head_that_graft_trained_opens_in_peft_and_merges(head, kind, base, tmp_path):
    folder = GOLDENS / base
    model = graft.Model(folder)
    adapter = graft.Adapter.create(model, config={"r": 4, "init_lora_weights": False}, seed=3)
    adapter.set_head(head.task, head.labels)
    batch = graft.Batch.from_tokens(CLASSIFIED)
    batch.set_column(head.column, head.numbers)
    with graft.Trainer(model, adapter, learning_rate=1e-2) as trainer:
        before = trainer.evaluate(graft.Dataset.from_batch(batch)).loss
        for _ in range(10):
            trainer.step(batch)
        after = trainer.evaluate(graft.Dataset.from_batch(batch)).loss
    assert after < before
    adapter.save(tmp_path / "adapter")
    model.merge(adapter, tmp_path / "merged")
    again, merged = graft.Adapter.load(model, tmp_path / "adapter"), graft.Model(tmp_path / "merged")
    assert again.task == head.task and merged.labels == list(head.labels or ("start", "end"))

    width = len(merged.labels)
    peft = PeftModel.from_pretrained(
        kind.from_pretrained(folder, num_labels=width, ignore_mismatched_sizes=True), tmp_path / "adapter"
    )
    theirs, report = kind.from_pretrained(tmp_path / "merged", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    for other in (peft.eval(), theirs.eval()):
        with torch.inference_mode():
            assert abs(head.loss(other).item() - after) < TOLERANCE


def test_vectors_of_an_encoder_alone_are_those_of_sentence_transformers(tmp_path):
    """As sentence-t5 has it."""
    folder = tmp_path / "t5"
    shutil.copytree(GOLDENS / "seq2seq-token-heads" / "t5-encoder", folder)
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    model = graft.Model(folder)
    words = Tokenizer(tokenizers.models.WordLevel({f"w{token}": token for token in range(110)}, unk_token="w0"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.save(str(folder / "tokenizer.json"))
    with graft.Session(model, graft.Tokenizer(folder)) as session:
        found = session.embed([" ".join(f"w{token}" for token in row) for row in CLASSIFIED])
    encoder = transformers.T5EncoderModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        means = [encoder(input_ids=torch.tensor([row])).last_hidden_state[0].mean(0) for row in CLASSIFIED]
    expected = torch.nn.functional.normalize(torch.stack(means), dim=-1)
    assert (torch.tensor(found) - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize("architecture", ["bart-even", "t5", "mt5"])
@pytest.mark.parametrize("projects", [False, True])
def test_a_prefix_that_graft_trained_opens_in_peft(architecture, projects, tmp_path):
    folder = GOLDENS / "seq2seq-tiny" / architecture
    model = graft.Model(folder)
    settings = {"num_virtual_tokens": 3, "prefix_projection": projects}
    adapter = graft.Adapter.create(model, "prefix_tuning", settings, seed=3)
    adapter.set_head("seq_2_seq_lm")
    with graft.Trainer(model, adapter, learning_rate=5e-2, epoch_count=3, rows_per_batch=2) as trainer:
        before = trainer.evaluate(dataset()).loss
        trainer.fit(dataset(), progress=False)
        after = trainer.evaluate(dataset()).loss
    assert after < before - 1e-3
    adapter.save(tmp_path / "adapter")
    theirs = CLASSES[architecture.removesuffix("-even")].from_pretrained(folder)
    assert abs(reference(PeftModel.from_pretrained(theirs, tmp_path / "adapter").eval()) - after) < TOLERANCE


@pytest.fixture(scope="module")
def texts() -> list[str]:
    lines = (DATA / "tatoeba_en_zh" / "cmn.txt").read_text(encoding="utf-8").splitlines()[::700]
    return [line.split("\t")[0] for line in lines]


@pytest.fixture(scope="module")
def translator() -> transformers.MarianMTModel:
    return transformers.MarianMTModel.from_pretrained(MARIAN, dtype=torch.float32, attn_implementation="eager").eval()


def translated(model: transformers.MarianMTModel, text: str, **settings):
    """Rows of tokens, without the one that starts a text, and the scores of beams."""
    ids = torch.tensor([[*Tokenizer.from_file(str(MARIAN / "tokenizer.json")).encode(text).ids, 0]])
    out = model.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False,
        return_dict_in_generate=True, output_scores=True, **settings,
    )  # fmt: skip
    return out.sequences[:, 1:].tolist(), out.get("sequences_scores")


def test_the_real_marian_translates_as_in_transformers(texts, translator):
    tokenizer = Tokenizer.from_file(str(MARIAN / "tokenizer.json"))
    written = []
    for text in texts:
        rows, _ = translated(translator, text, num_beams=1, max_new_tokens=64)
        written.append(tokenizer.decode([token for token in rows[0] if token]))
    session = graft.Session(graft.Model(MARIAN), graft.Tokenizer(MARIAN))
    assert session.generate(texts, maximum_tokens=64) == written


@pytest.mark.parametrize("length_penalty", [1.0, 0.6])
def test_the_real_marian_has_the_beams_of_transformers(length_penalty, texts, translator):
    session = graft.Session(graft.Model(MARIAN), graft.Tokenizer(MARIAN))
    for text in texts[::4]:
        found = session.generate([text], beams=4, samples=4, maximum_tokens=40, length_penalty=length_penalty)
        rows, scores = translated(
            translator, text, num_beams=4, num_return_sequences=4, max_new_tokens=40, length_penalty=length_penalty
        )
        for own, tokens, score in zip(found, rows, scores.tolist(), strict=True):
            end = tokens.index(0) + 1 if 0 in tokens else len(tokens)
            assert own.tokens == tokens[:end]
            assert own.score == pytest.approx(score, abs=TOLERANCE)
