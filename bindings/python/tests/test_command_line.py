"""The command line, as a process of its own."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
from conftest import ROOT, SHARED, TEXTS

import graft

TINY = SHARED / "models" / "bert-tiny-splade"
LABELS = ["asks", "asks", "blames", "blames", "thanks", "thanks"]
QUICK = ("--epochs", "12", "--learning-rate", "1e-2", "--quiet")


def run(*arguments: object, given: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs a command, which ends with this exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "graft", *map(str, arguments)],
        input=given,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == code, done.stderr
    return done


def told(*arguments: object, given: str = "", code: int = 0) -> dict[str, Any]:
    """The JSON object that a command prints, and nothing else."""
    found: dict[str, Any] = json.loads(run(*arguments, "--json", given=given, code=code).stdout)
    return found


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of each task, and an adapter of each."""
    folder = tmp_path_factory.mktemp("data")
    columns = {
        "labels": LABELS,
        "sets": ["asks", "asks, place", "food", "", "kind", "kind"],
        "numbers": ["0.5", "0.1", "-1", "-1.2", "1.5", "1.4"],
    }
    for name, values in columns.items():
        header = "text\tlabels\n" if name == "sets" else ""
        (folder / f"{name}.tsv").write_text(
            header + "".join(f"{text}\t{value}\n" for text, value in zip(TEXTS, values))
        )
    pairs = zip(TEXTS, reversed(TEXTS), LABELS)
    (folder / "pairs.tsv").write_text("text\tpair\tlabel\n" + "".join("\t".join(row) + "\n" for row in pairs))
    (folder / "named.jsonl").write_text(
        "".join(json.dumps({"utterance": text, "intent": label}) + "\n" for text, label in zip(TEXTS, LABELS))
    )
    (folder / "quoted.csv").write_text(
        "label,text\n" + "".join(f'{label},"{text}"\n' for text, label in zip(TEXTS, LABELS))
    )
    tagged = "Anna B-PER\nlives O\nin O\nGraz B-LOC\n\nRain O\nfell O\n\nOslo B-LOC\ngreets O\nBo B-PER\n"
    (folder / "words.conll").write_text(tagged)
    (folder / "texts").write_text("\n".join(TEXTS))
    options = {"numbers": ("--task", "regression"), "sets": ("--columns", '{"labels": "labels"}')}
    for name in ("labels", "sets", "numbers", "pairs"):
        run("train", TINY, folder / f"{name}.tsv", folder / name, *QUICK, *options.get(name, ()))
    return folder


def test_an_adapter_goes_on(data: Path, tmp_path: Path) -> None:
    rows, start = data / "labels.tsv", data / "labels"
    untouched = ("--epochs", 1, "--learning-rate", 0, "--quiet", "--test", rows)
    found = told("train", TINY, rows, tmp_path / "same", "--start", start, *untouched)
    assert found["test"]["loss"] == told("evaluate", TINY, start, rows)["loss"]
    done = run("train", TINY, data / "numbers.tsv", tmp_path / "other", "--start", start, "--task", "regression", *QUICK)
    assert "its head, for sequence_classification with asks, blames, thanks, is replaced" in done.stderr
    refused = run("train", TINY, rows, tmp_path / "no", "--start", start, "--config", '{"r": 4}', code=1).stderr
    assert "settings of its own" in refused and not (tmp_path / "no").exists()
    assert "nowhere" in run("train", TINY, rows, tmp_path / "no", "--start", data / "nowhere", code=1).stderr


def test_train_measures_and_saves_what_evaluate_measures(data: Path, tmp_path: Path) -> None:
    rows = data / "labels.tsv"
    found = told(
        "train",
        TINY,
        rows,
        tmp_path / "new" / "adapter",
        *QUICK,
        "--validation",
        rows,
        "--test",
        rows,
        "--metric",
        "accuracy",
    )
    assert found["labels"] == ["asks", "blames", "thanks"] and found["row_count"] == 6
    assert found["validation"]["accuracy"] == found["test"]["accuracy"] == 1 and found["parameter_count"] > 0
    measured = told("evaluate", TINY, tmp_path / "new" / "adapter", rows, "--confusion")
    assert {**found["test"], "confusion": [[2, 0, 0], [0, 2, 0], [0, 0, 2]]}.items() <= measured.items()
    shown = run("evaluate", TINY, tmp_path / "new" / "adapter", rows, "--confusion").stdout
    assert "accuracy 1.0000" in shown and "on 6 rows" in shown and "row: true label, column: predicted" in shown


def test_training_is_that_of_the_package(data: Path) -> None:
    model, tokenizer = graft.Model(TINY), graft.Tokenizer(TINY)
    rows = graft.Dataset(tokenizer, TEXTS, LABELS)
    adapter = graft.Adapter.create(model)
    adapter.set_head(labels=rows.label_names, pooling="mean")
    with graft.Trainer(model, adapter, epoch_count=12, learning_rate=1e-2) as trainer:
        trainer.fit(rows, progress=False)
    name = "adapter_model.safetensors"
    assert adapter.to_files()[name] == (data / "labels" / name).read_bytes()


def test_files_of_every_format_teach_the_same(data: Path, tmp_path: Path) -> None:
    name = "adapter_model.safetensors"
    run("train", TINY, data / "quoted.csv", tmp_path / "csv", *QUICK)
    columns = ("--columns", '{"text": "utterance", "label": "intent"}')
    run("train", TINY, data / "named.jsonl", tmp_path / "jsonl", *QUICK, *columns)
    assert (tmp_path / "csv" / name).read_bytes() == (tmp_path / "jsonl" / name).read_bytes()
    assert (tmp_path / "csv" / name).read_bytes() == (data / "labels" / name).read_bytes()
    lines = run("predict", TINY, data / "labels", data / "texts").stdout
    assert run("predict", TINY, data / "labels", data / "quoted.csv").stdout == lines
    assert run("predict", TINY, data / "labels", data / "named.jsonl", *columns).stdout == lines


def test_answers_are_trained_on_and_measured_as_texts(tmp_path: Path) -> None:
    context, file = "Old Anna Berg found the ring under a stone.", tmp_path / "squad.json"
    question = {"id": "1", "question": "Who found the ring?", "answers": [{"text": "Anna Berg", "answer_start": 4}]}
    file.write_text(json.dumps({"data": [{"title": "rings", "paragraphs": [{"context": context, "qas": [question]}]}]}))
    settings = ("--epochs", 60, "--learning-rate", "5e-3", "--quiet", "--test", file, "--stride", 16)
    found = told("train", TINY, file, tmp_path / "a", *settings)
    assert found["task"] == "question_answering" and found["test"]["f1"] == 1
    assert told("evaluate", TINY, tmp_path / "a", file)["exact_match"] == 1
    assert told("report", TINY, tmp_path / "a", file, "--output", tmp_path / "page.html")["f1"] == 1
    assert 'id="answers"' in (tmp_path / "page.html").read_text("utf-8")
    # What is asked of an adapter is asked by every command.
    short = ("--maximum-answer-tokens", 1)
    cut = told("evaluate", TINY, tmp_path / "a", file, *short)
    assert cut["exact_match"] == 0 and 0 < cut["f1"] < 1
    assert told("report", TINY, tmp_path / "a", file, "--output", tmp_path / "page.html", *short)["f1"] == cut["f1"]
    lines = run("predict", TINY, tmp_path / "a", given=f"Who found the ring?\t{context}\n").stdout
    assert lines == f"Anna Berg\tWho found the ring?\t{context}\n"
    told_of = told("predict", TINY, tmp_path / "a", file, "--no-answer-threshold", -1000)
    assert [(row["id"], row["answer"]) for row in told_of["predictions"]] == [("1", "")]


def test_answers_are_written_as_squads_script_reads_them(data: Path, tmp_path: Path) -> None:
    adapter = graft.Adapter.create(graft.Model(TINY))
    adapter.set_head("question_answering")
    adapter.save(tmp_path / "a")
    file, answers, scores = (tmp_path / f"{name}.json" for name in ("questions", "answers", "scores"))
    table = graft.Table.read(SHARED / "data" / "xquad" / "xquad.en.json").take(range(5))
    table.write_squad(file)
    asked = ("predict", TINY, tmp_path / "a", file, "--answers", answers, "--no-answer-scores", scores)
    lines = run(*asked).stdout.splitlines()
    written = json.loads(answers.read_text("utf-8"))
    assert list(written) == table["id"] and [line.split("\t")[0] for line in lines] == [*written.values()]
    rows = told(*asked)["predictions"]
    assert json.loads(answers.read_text("utf-8")) == {row["id"]: row["answer"] for row in rows} == written
    assert json.loads(scores.read_text("utf-8")) == {row["id"]: row["no_answer_score"] for row in rows}
    refused = run("predict", TINY, tmp_path / "a", "--answers", answers, given="Who?\tAnna.\n", code=1)
    assert "expected ids of the questions" in refused.stderr
    refused = run("predict", TINY, data / "labels", "--answers", answers, code=1)
    assert "expected an adapter for question_answering, found one for sequence_classification" in refused.stderr


def test_entities_are_trained_on_and_measured(data: Path, tmp_path: Path) -> None:
    settings = ("--epochs", 40, "--learning-rate", "1e-2", "--quiet", "--test", data / "words.conll")
    found = told("train", TINY, data / "words.conll", tmp_path / "a", *settings)
    assert found["task"] == "token_classification" and found["test"]["entity_f1"] == 1
    assert told("evaluate", TINY, tmp_path / "a", data / "words.conll")["entity_f1"] == 1
    lines = run("predict", TINY, tmp_path / "a", given="Anna lives in Graz\n").stdout
    assert lines == "PER:0:4 LOC:14:18\tAnna lives in Graz\n"


def test_predict_reads_lines_and_writes_lines(data: Path) -> None:
    lines = run("predict", TINY, data / "labels", given="\n".join(TEXTS)).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == LABELS and [line.split("\t")[2] for line in lines] == TEXTS
    assert run("predict", TINY, data / "labels", data / "texts").stdout.splitlines() == lines
    model = graft.Model(TINY)
    session = graft.Session(model, graft.Tokenizer(TINY), graft.Adapter.load(model, data / "labels"))
    rows = told("predict", TINY, data / "labels", data / "texts", "--top", 2)["predictions"]
    best = session.predict_best(TEXTS, count=2)
    assert [row["best"] for row in rows] == [[list(pair) for pair in pairs] for pairs in best]
    assert [row["text"] for row in rows] == TEXTS


def test_lines_are_read_in_the_encoding_that_is_said(data: Path, tmp_path: Path) -> None:
    lines = run("predict", TINY, data / "labels", given="Grüße aus Graz\n").stdout
    (tmp_path / "latin").write_bytes("Grüße aus Graz\n".encode("latin-1"))
    assert run("predict", TINY, data / "labels", tmp_path / "latin", "--encoding", "latin-1").stdout == lines
    (tmp_path / "wide").write_bytes("Grüße aus Graz\n".encode("utf-16"))
    assert run("predict", TINY, data / "labels", tmp_path / "wide").stdout == lines
    assert "byte 2 is not UTF-8" in run("predict", TINY, data / "labels", tmp_path / "latin", code=1).stderr
    (tmp_path / "mixed").write_bytes("Grüße aus Graz\n".encode() + "Grüße aus Graz\n".encode("latin-1"))
    several = ("--encoding", "utf-8, latin-1")
    assert run("predict", TINY, data / "labels", tmp_path / "mixed", *several).stdout == lines * 2
    (tmp_path / "mixed.csv").write_bytes(b"text\n" + (tmp_path / "mixed").read_bytes())
    assert run("predict", TINY, data / "labels", tmp_path / "mixed.csv", *several).stdout == lines * 2
    named = run("predict", TINY, data / "labels", tmp_path / "mixed", "--encoding", "utf-8,klingon", code=1)
    assert "encoding: Python knows none that is called 'klingon'" in named.stderr


def test_predict_gives_what_the_adapters_task_has(data: Path, tmp_path: Path) -> None:
    sets = told("predict", TINY, data / "sets", data / "texts", "--threshold", 0)["predictions"]
    assert [row["labels"] for row in sets] == [["asks", "food", "kind", "place"]] * 6
    assert run("predict", TINY, data / "sets", data / "texts", "--threshold", 0).stdout.startswith(
        "asks,food,kind,place\t"
    )
    numbers = told("predict", TINY, data / "numbers", data / "texts")["predictions"]
    assert all(len(row["values"]) == 1 for row in numbers)
    assert told("evaluate", TINY, data / "numbers", data / "numbers.tsv")["mse"] > 0
    assert (
        0
        <= told("evaluate", TINY, data / "sets", data / "sets.tsv", "--columns", '{"labels": "labels"}')["exact_match"]
        <= 1
    )
    pairs = told("predict", TINY, data / "pairs", given=f"{TEXTS[0]}\t{TEXTS[5]}\n")["predictions"]
    assert pairs[0]["pair"] == TEXTS[5] and pairs[0]["label"] in LABELS
    words = [["Anna", "lives", "in", "Graz"], ["Rain", "fell"]]
    tagger = graft.TokenClassifier(TINY, epoch_count=40, learning_rate=1e-2).fit(
        words, [["B-PER", "O", "O", "B-LOC"], ["O", "O"]]
    )
    tagger.adapter_.save(tmp_path)
    assert (
        run("predict", TINY, tmp_path, given="Anna lives in Graz").stdout == "PER:0:4 LOC:14:18\tAnna lives in Graz\n"
    )
    (entities,) = told("predict", TINY, tmp_path, given="Anna lives in Graz")["predictions"]
    assert entities["entities"][1] == {"type": "LOC", "start": 14, "end": 18, "text": "Graz"}


def test_embed_writes_the_vectors_of_a_session(data: Path, tmp_path: Path) -> None:
    session = graft.Session(graft.Model(TINY), graft.Tokenizer(TINY))
    vectors = numpy.asarray(session.embed(TEXTS))
    shown = run("embed", TINY, given="\n".join(TEXTS)).stdout.splitlines()
    assert numpy.allclose([[float(word) for word in line.split("\t")] for line in shown], vectors, atol=1e-6)
    assert (numpy.array(told("embed", TINY, data / "texts")["vectors"], numpy.float32) == vectors).all()
    found = told("embed", TINY, data / "texts", "--output", tmp_path / "v.npy", "--pooling", "max", "--no-normalize")
    assert found == {"path": str(tmp_path / "v.npy"), "row_count": 6, "width": 128}
    assert (numpy.load(tmp_path / "v.npy") == numpy.asarray(session.embed(TEXTS, pooling="max", normalize=False))).all()
    adapted = numpy.array(told("embed", TINY, data / "texts", "--adapter", data / "labels")["vectors"])
    assert adapted.shape == vectors.shape and not numpy.allclose(adapted, vectors)


def test_inspect_tells_folders_apart(data: Path, tmp_path: Path) -> None:
    model = told("inspect", TINY)
    assert (model["kind"], model["architecture"], model["layer_count"], model["hidden_size"]) == (
        "model",
        "bert",
        2,
        128,
    )
    assert model["tokenizer"] == {"vocabulary_size": 30522, "maximum_length": 512}
    adapter = told("inspect", data / "labels")
    assert adapter["labels"] == ["asks", "blames", "thanks"] and adapter["settings"]["r"] == 8
    assert adapter["method"] == "lora" and adapter["parameter_count"] > 0 and adapter["model"] == str(TINY)
    assert told("inspect", SHARED / "tokenizers" / "gpt2")["vocabulary_size"] == 50257
    assert "trained" not in run("inspect", data / "labels").stdout
    shutil.copytree(data / "labels", tmp_path / "moved")
    config = json.loads((tmp_path / "moved" / "adapter_config.json").read_text())
    (tmp_path / "moved" / "adapter_config.json").write_text(
        json.dumps({**config, "base_model_name_or_path": "me/gone"})
    )
    assert "'me/gone', is no folder here: say which with --model" in run("inspect", tmp_path / "moved", code=1).stderr
    assert told("inspect", tmp_path / "moved", "--model", TINY)["labels"] == adapter["labels"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("evaluate", TINY, "none", "labels.tsv"), "NOT_FOUND", "none: expected an adapter folder"),
        (("evaluate", TINY, "labels", "labels"), "IO", "labels: expected a file, found a folder"),
        (("train", TINY, "labels.tsv", "labels.tsv"), "IO", "labels.tsv: expected a folder, found a file"),
        (("train", TINY, "labels.tsv", "labels.tsv/new"), "IO", "new: expected the folder .*labels.tsv, found a file"),
        (("report", TINY, "labels", "--output", "none/a.html"), "IO", "a.html: expected the folder .*none, found nothing"),
        (("report", TINY, "labels", "--output", "labels"), "IO", "labels: expected a file, found a folder"),
        (("embed", TINY, "texts", "--output", "none/a.npy"), "IO", "a.npy: expected the folder .*none, found nothing"),
        (("predict", TINY, "labels", "texts", "--answers", "none/a.json"), "IO", "a.json: expected the folder .*none"),
        (("evaluate", TINY, "labels", "none.tsv"), "NOT_FOUND", "none.tsv: No such file"),
        (("train", "none", "labels.tsv", "new"), "NOT_FOUND", "none"),
        (
            ("train", TINY, "texts", "new"),
            "INVALID_ARGUMENT",
            "texts: its name says no format: say which format",
        ),
        (
            ("train", TINY, "labels.tsv", "new", "--task", "regression"),
            "CORRUPT_FILE",
            "labels.tsv: .*target.*'asks'",
        ),
        (("train", TINY, "labels.tsv", "new", "--config", '{"rank": 4}'), "", "rank"),
        (("train", TINY, "labels.tsv", "new", "--patience", "2"), "INVALID_ARGUMENT", "no rows to evaluate on"),
        (("predict", TINY, "labels", "numbers.tsv.none"), "NOT_FOUND", "numbers.tsv.none: No such file"),
        (("inspect", "."), "NOT_FOUND", "found none of adapter_config.json, config.json"),
        (("inspect", "none"), "NOT_FOUND", "found no such folder"),
        (("embed", TINY, "texts", "--prompt", "query"), "NOT_FOUND", 'no prompt "query"'),
    ],
)
def test_what_fails_ends_with_1_and_says_why(
    data: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...], status: str, message: str
) -> None:
    monkeypatch.chdir(data)
    done = run(*arguments, "--json", code=1)
    found = json.loads(done.stdout)["error"]
    assert status in found["status"] and done.stderr.endswith(f"graft: {found['message']}\n")
    assert re.search(message, found["message"])
    assert not (data / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("learn",), "invalid choice: 'learn'"),
        (("train", TINY), "required: TRAIN, ADAPTER"),
        (("train", TINY, "a", "b", "--epochs", "0"), "--epochs: expected at least 1, found 0"),
        (("train", TINY, "a", "b", "--learning-rate", "fast"), "--learning-rate: expected a number, found 'fast'"),
        (("train", TINY, "a", "b", "--config", "[1]"), "--config: expected a JSON object, found '[1]'"),
        (("train", TINY, "a", "b", "--config", "[" * 100_000), "--config: expected a JSON object or @FILE: maximum recursion"),
        (("train", TINY, "a", "b", "--method", "lore"), "--method: invalid choice: 'lore'"),
        (("train", TINY, "a", "b", "--epoch", "3"), "unrecognized arguments: --epoch 3"),
        (("predict", TINY, "a", "--threshold", "1.5"), "expected at least 0 and at most 1, found 1.5"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[object, ...], message: str) -> None:
    done = run(*arguments, code=2)
    assert message in done.stderr and not done.stdout


def test_progress_is_a_bar_on_a_terminal_and_json_stays_alone(data: Path, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "graft", "train", TINY, data / "labels.tsv", tmp_path / "a", "--epochs", "30", "--json"],
        stdout=subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"},
        timeout=300,
    )
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert json.loads(done.stdout)["step"] == 30 and shown.startswith("\r[") and "30/30" in shown
    plain = run("train", TINY, data / "labels.tsv", tmp_path / "a", "--epochs", "30").stderr.splitlines()
    assert len(plain) == 10 and all(line.startswith("step ") for line in plain)


def test_warnings_are_lines_of_their_own(data: Path) -> None:
    done = run("predict", TINY, data / "labels", "--maximum-length", 3, given="a text of some words")
    assert done.stderr == "graft: warning: 1 of 1 rows were cut to 3 tokens: see maximum_length\n"


def test_a_reader_that_has_enough_is_no_traceback(data: Path) -> None:
    command = f"{sys.executable} -m graft predict {TINY} {data / 'labels'} | head -1"
    done = subprocess.run(
        ["bash", "-c", command],
        input="\n".join(TEXTS * 400),
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert len(done.stdout.splitlines()) == 1 and not done.stderr


def completed(*words: str) -> list[str]:
    """What bash proposes for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    program = f"source <({sys.executable} -m graft completion bash); COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _graft; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(
        ["bash", "-euc", program],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert not done.stderr
    return done.stdout.split()


def test_bash_completes_commands_options_and_choices() -> None:
    assert completed("graft", "") == ["train", "evaluate", "predict", "embed", "report", "inspect", "completion"]
    assert completed("graft", "train", "m", "--me") == ["--method", "--metric"]
    assert completed("graft", "train", "--method", "") == graft.adapter_methods()
    assert completed("graft", "train", "--task", "reg") == ["regression"]
    assert completed("graft", "completion", "") == ["bash", "zsh"]
    assert completed("graft", "predict", "") == []


def test_zsh_is_told_every_command_and_option() -> None:
    script = told("completion", "zsh")["script"]
    for name in ("train", "evaluate", "predict", "embed", "report", "inspect", "completion"):
        assert f"    {name})" in script and f"'{name}:" in script
    assert (
        "'--method[of the adapter (default: lora)]:method:(lora " in script
        and "'--json[print one JSON object on standard output]'" in script
    )
    assert "%(" not in script
    # There may be no zsh here; quotes and brackets are as in bash.
    assert subprocess.run(["bash", "-n"], input=script, text=True, timeout=60).returncode == 0


@pytest.mark.parametrize("command", ["train", "evaluate", "predict", "embed", "report", "inspect", "completion"])
def test_help_says_what_the_defaults_are(command: str) -> None:
    shown = " ".join(run(command, "--help").stdout.split())
    assert "--json" in shown and "%(" not in shown
    assert command in ("completion",) or "(default: " in shown


def test_the_package_declares_its_command() -> None:
    assert 'graft = "graft.commands.main:main"' in (ROOT / "bindings" / "python" / "pyproject.toml").read_text()
    assert run("--version").stdout.startswith(f"graft {graft.__version__} (")


def test_report_writes_a_page(data: Path, tmp_path: Path) -> None:
    log, page = tmp_path / "log.jsonl", tmp_path / "page.html"
    run("train", TINY, data / "labels.tsv", tmp_path / "adapter", *QUICK, "--log", log)
    rows = data / "labels.tsv"
    found = told("report", TINY, tmp_path / "adapter", rows, "--log", log, "--output", page, "--title", "Six texts")
    assert found["report"] == str(page)
    assert found["accuracy"] == told("evaluate", TINY, tmp_path / "adapter", rows)["accuracy"]
    html = page.read_text("utf-8")
    for part in ("Six texts", 'id="training"', 'id="probabilities"', "lora_B: gradients", str(rows)):
        assert part in html
    run("report", TINY, tmp_path / "adapter", "--output", page)
    assert 'id="adapter"' in page.read_text("utf-8") and 'id="measures"' not in page.read_text("utf-8")
    for name in ("sets", "numbers"):
        columns = ("--columns", '{"labels": "labels"}') if name == "sets" else ()
        run("report", TINY, data / name, data / f"{name}.tsv", "--output", page, *columns)
        assert 'id="measures"' in page.read_text("utf-8")
    assert "none.jsonl" in run("report", TINY, tmp_path / "adapter", "--log", "none.jsonl", code=1).stderr


def test_each_label_may_have_a_threshold_of_its_own(tmp_path: Path) -> None:
    file, adapter = tmp_path / "rows.jsonl", tmp_path / "adapter"
    rows = [("red and blue", ["blue", "red"]), ("red", ["red"]), ("green", ["green"]), ("blue", ["blue"])]
    file.write_text("".join(json.dumps({"text": text, "labels": labels}) + "\n" for text, labels in rows))
    run("train", TINY, file, adapter, "--epochs", "20", "--learning-rate", "1e-2", "--quiet")
    assert "exact match 1.0000" in run("evaluate", TINY, adapter, file).stdout
    # No text is blue then.
    given = ("--threshold", "1,0.5,0.5")
    predicted = run("predict", TINY, adapter, file, *given).stdout.splitlines()
    assert [line.split("\t")[0] for line in predicted] == ["red", "red", "green", ""]
    measured = json.loads(run("evaluate", TINY, adapter, file, "--json", *given).stdout)
    assert measured["exact_match"] == 0.5 and measured["loss"] < 0.1
    report = tmp_path / "report.html"
    measured = json.loads(run("report", TINY, adapter, file, "--json", "--output", report, *given).stdout)
    assert measured["exact_match"] == 0.5
    for command in ("evaluate", "predict", "report"):
        error = run(command, TINY, adapter, file, "--threshold", "0.5,0.5", code=1).stderr
        assert "threshold: expected 3, one for each label; found 2" in error
    assert "expected a number, found 'x'" in run("predict", TINY, adapter, file, "--threshold", "0.5,x", code=2).stderr


def test_a_test_file_that_does_not_fit_is_told_of_before_the_training(data: Path, tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text("text\tlabel\nHello.\tnever seen\n", "utf-8")
    done = run("train", TINY, data / "labels.tsv", tmp_path / "new", "--test", tmp_path / "test.tsv", code=1)
    assert "test.tsv: line 2: label 'never seen' is not among" in done.stderr
    assert "step" not in done.stderr and "rows to train on" not in done.stdout and not (tmp_path / "new").exists()


def test_files_stand_before_or_behind_options(data: Path, tmp_path: Path) -> None:
    before = told("predict", TINY, data / "labels", data / "texts", "--top", 2)
    assert told("predict", "--top", 2, TINY, data / "labels", data / "texts") == before
    assert told("predict", TINY, data / "labels", "--top", 2, data / "texts") == before
    assert told("predict", TINY, "--top", 2, data / "labels", data / "texts") == before
    given = (data / "texts").read_text("utf-8")
    for dash in (("-",), ()):
        assert told("predict", TINY, data / "labels", "--top", 2, *dash, given=given) == before
    page = tmp_path / "a.html"
    assert told("report", TINY, data / "labels", "--output", page, data / "labels.tsv")["row_count"] > 0
    wrong = run("predict", TINY, data / "labels", data / "texts", "--top", 2, "more", code=2).stderr
    assert "unrecognized arguments: more" in wrong
    usage, error = run("predict", TINY, code=2).stderr.splitlines()
    assert usage == "usage: graft predict [OPTION ...] MODEL ADAPTER [FILE]"
    assert error.endswith("error: the following arguments are required: ADAPTER")
