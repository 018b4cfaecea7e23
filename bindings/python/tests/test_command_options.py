"""What the options of the command line say of files, rows and trainings."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED, TEXTS
from test_command_line import LABELS, TINY, data, run, told

import graft
from graft.commands.options import GROUPS

__all__ = ["data"]


def part_of(name: str, lines: slice, path: Path, encoding: str = "utf-8") -> Path:
    """Some lines of a file of the shared data."""
    given = (SHARED / "data" / name).read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(given[lines]) + b"\n")
    return path


def test_pairs_of_stsb_are_trained_on_and_measured(tmp_path: Path) -> None:
    # Of these lines, 29 have two columns more than the first.
    file = part_of("stsb/sts-dev.csv", slice(1450, 1500), tmp_path / "sts.csv")
    columns = ("--columns", '{"target": 4, "text": 5, "pair": 6}')
    reading = (*columns, "--ragged", "--task", "sentence_embedding")
    settings = ("--loss", "cosine_similarity", "--epochs", 1, "--quiet", "--test", file)
    found = told("train", TINY, file, tmp_path / "a", *reading, *settings)
    assert found["task"] == "sentence_embedding" and found["row_count"] == found["test"]["row_count"] / 2 == 50
    measured = told("evaluate", TINY, tmp_path / "a", file, *reading, "--loss", "cosine_similarity")
    assert measured["loss"] == found["test"]["loss"] != told("evaluate", TINY, tmp_path / "a", file, *reading)["loss"]
    rows = told("predict", TINY, tmp_path / "a", file, *columns, "--ragged")["predictions"]
    assert len(rows) == 50 and all("similarity" in row for row in rows)
    page = told("report", TINY, tmp_path / "a", file, *reading, "--output", tmp_path / "page.html")
    assert page["spearman"] == pytest.approx(measured["spearman"], abs=1e-3)
    vectors = told("embed", TINY, file, *columns, "--ragged")["vectors"]
    assert len(vectors) == 50
    refused = run("train", TINY, file, tmp_path / "b", *columns, "--task", "sentence_embedding", code=1).stderr
    assert "sts.csv: line 29: expected 7 columns, found 9" in refused


def test_reviews_of_chnsenticorp_are_trained_on_without_the_bad_one(tmp_path: Path) -> None:
    name = "chnsenticorp_htl/ChnSentiCorp_htl_all.csv"
    file = part_of(name, slice(6350, 6400), tmp_path / "part.csv")
    good = part_of(name, slice(0, 20), tmp_path / "good.csv").read_text("utf-8")
    file.write_text(good + file.read_text("utf-8"), "utf-8")
    reading = ("--bad-rows", "skip", "--maximum-length", 32)
    settings = ("--class-weights", "balanced", "--epochs", 1, "--quiet", "--validation", file)
    done = run("train", TINY, file, tmp_path / "a", *reading, *settings, "--json")
    found = json.loads(done.stdout)
    assert found["labels"] == ["0", "1"] and found["row_count"] == found["validation"]["row_count"] == 68
    assert "graft: warning: 1 of 69 rows were left out, the first for " in done.stderr and "text: empty" in done.stderr
    assert told("evaluate", TINY, tmp_path / "a", file, *reading)["row_count"] == 68
    assert len(told("predict", TINY, tmp_path / "a", file, *reading)["predictions"]) == 68
    assert "part.csv: line 46: text: empty" in run("evaluate", TINY, tmp_path / "a", file, code=1).stderr


def test_words_of_weibo_are_trained_on_and_measured(tmp_path: Path) -> None:
    file = part_of("weibo_ner/weiboNER_2nd_conll.train", slice(0, 1500), tmp_path / "weibo.train")
    reading = ("--format", "conll", "--pattern", r"(?P<words>.+?)\d+\t(?P<tags>\S+)")
    found = told("train", TINY, file, tmp_path / "a", *reading, "--epochs", 1, "--quiet", "--test", file)
    table = graft.Table.read(file, "conll", pattern=reading[-1])
    assert found["task"] == "token_classification" and found["labels"] == table.label_names
    assert found["row_count"] == len(table) > 20
    assert told("evaluate", TINY, tmp_path / "a", file, *reading).items() >= found["test"].items()
    rows = told("predict", TINY, tmp_path / "a", file, *reading)["predictions"]
    assert [row["text"] for row in rows] == [" ".join(words) for words in table["words"]]


def test_all_pieces_of_words_are_learned_and_measured(tmp_path: Path) -> None:
    file = part_of("wnut17/emerging.dev.conll", slice(0, 600), tmp_path / "dev.conll")
    settings = ("--epochs", 1, "--quiet", "--test", file, "--all-pieces")
    found = told("train", TINY, file, tmp_path / "a", *settings)["test"]
    assert told("evaluate", TINY, tmp_path / "a", file, "--all-pieces").items() >= found.items()
    assert told("evaluate", TINY, tmp_path / "a", file)["loss"] != found["loss"]
    table, model, tokenizer = graft.Table.read(file), graft.Model(TINY), graft.Tokenizer(TINY)
    with graft.Trainer(model, graft.Adapter.load(model, tmp_path / "a")) as trainer:
        rows = graft.Dataset.from_table(tokenizer, table, all_pieces=True)
        assert trainer.evaluate(rows).loss == pytest.approx(found["loss"])


def test_questions_of_trec_are_trained_on_by_a_pattern(tmp_path: Path) -> None:
    file = part_of("trec6/train.txt", slice(40, 100), tmp_path / "questions.txt")
    reading = ("--format", "lines", "--pattern", "(?P<label>[A-Z]+):(?P<text>.*)", "--encoding", "utf-8,latin-1")
    weights = ("--class-weights", '{"HUM": 3}')
    found = told("train", TINY, file, tmp_path / "a", *reading, *weights, "--epochs", 1, "--quiet", "--test", file)
    assert found["row_count"] == found["test"]["row_count"] == 60
    table = graft.Table.read(file, "lines", pattern=reading[3], encoding=["utf-8", "latin-1"])
    model, tokenizer = graft.Model(TINY), graft.Tokenizer(TINY)
    rows = graft.Dataset.from_table(tokenizer, table)
    adapter = graft.Adapter.create(model)
    adapter.set_head(labels=rows.label_names, pooling="mean")
    own = [3.0 if name == "HUM" else 1.0 for name in rows.label_names]
    with graft.Trainer(model, adapter, epoch_count=1, class_weights=own) as trainer:
        trainer.fit(rows, progress=False)
    name = "adapter_model.safetensors"
    assert adapter.to_files()[name] == (tmp_path / "a" / name).read_bytes()
    refused = run("train", TINY, file, tmp_path / "b", *reading, "--class-weights", '{"WHO": 3}', code=1).stderr
    assert "class_weights: label 'WHO' is not among " in refused


def test_delimiters_and_quotes_are_what_is_said(data: Path, tmp_path: Path) -> None:
    rows = "".join(f'{label};"{text}, ""again"""\n' for text, label in zip(TEXTS, LABELS))
    (tmp_path / "a.tsv").write_text("label;text\n" + rows)
    found = told("predict", TINY, data / "labels", tmp_path / "a.tsv", "--delimiter", ";", "--quoted")["predictions"]
    assert [row["text"] for row in found] == [f'{text}, "again"' for text in TEXTS]
    found = told("predict", TINY, data / "labels", tmp_path / "a.tsv", "--delimiter", ";", "--no-quoted")["predictions"]
    assert found[0]["text"] == f'"{TEXTS[0]}, ""again"""'
    (tmp_path / "b.csv").write_text("label\ttext\n" + "".join(f"a,b;c\t{text}\n" for text in TEXTS))
    rows = told("predict", TINY, data / "labels", tmp_path / "b.csv", "--delimiter", "\\t")["predictions"]
    assert [row["text"] for row in rows] == TEXTS
    for option in ("--ragged", "--no-header", "--bad-rows=skip", "--format=csv"):
        shown = run("predict", TINY, data / "labels", option, given="a\n", code=1).stderr
        assert f"{option.partition('=')[0].replace('no-', '')}: means nothing for lines of texts" in shown
    given = "text\nWhen do you open?\n"
    piped = run("predict", TINY, data / "labels", "/dev/stdin", "--format", "csv", given=given).stdout
    assert piped.startswith("asks\t")


def test_settings_of_the_package_are_options_of_the_commands() -> None:
    """What is none is what a command decides, or has another name."""
    others = {
        "read": {"source"},
        "from_table": {"tokenizer", "table", "label_names", "mask_each", "end_tokens"},
        "trainer": {"model", "adapter", "epoch_count", "checkpoint_path", "callbacks"},
        "head": {"self", "labels"},
    }
    options = {own.name: set(own.commands) for group in GROUPS.values() for own in group}
    calls = {
        "read": graft.Table.read,
        "from_table": graft.Dataset.from_table,
        "trainer": graft.Trainer,
        "head": graft.Adapter.set_head,
    }
    for name, call in calls.items():
        missing = set(inspect.signature(call).parameters) - options.keys() - others[name]
        assert not missing, f"{name}: no option for {missing}"
    reading = set(inspect.signature(graft.Table.read).parameters) - others["read"]
    assert all(options[name] == {"train", "evaluate", "predict", "embed", "report"} for name in reading)
    assert len(options) == sum(map(len, GROUPS.values()))


def test_a_trainers_settings_reach_it(data: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "maximum_gradient_norm": 0.5,
        "weight_decay": 0.1,
        "warmup_ratio": 0.2,
        "step_plan": "fgm",
        "step_plan_settings": {"epsilon": 0.5},
        "total_steps": 7,
        "recompute_layers": True,
        "group_by_length": True,
        "rows_per_batch": 2,
    }
    flags = [
        word
        for name, value in given.items()
        for word in (f"--{name.replace('_', '-')}", *([] if value is True else [json.dumps(value).strip('"')]))
    ]
    run("train", TINY, data / "labels.tsv", tmp_path / "a", *flags, "--dense-layer", "--dropout", "0.2", "--quiet")
    model, tokenizer = graft.Model(TINY), graft.Tokenizer(TINY)
    rows = graft.Dataset(tokenizer, TEXTS, LABELS)
    adapter = graft.Adapter.create(model)
    adapter.set_head(labels=rows.label_names, pooling="mean", dense_layer=True, dropout=0.2)
    with graft.Trainer(model, adapter, **given) as trainer:
        trainer.fit(rows, progress=False)
    name = "adapter_model.safetensors"
    assert adapter.to_files()[name] == (tmp_path / "a" / name).read_bytes()


def test_a_column_of_labels_is_of_one_or_of_several_as_is_said(tmp_path: Path) -> None:
    file = tmp_path / "sets.csv"
    file.write_text('text,labels\n"hello, you",a\nbye,b;a\nhey,b\n')
    quick = ("--epochs", 1, "--quiet")
    refused = run("train", TINY, file, tmp_path / "x", *quick, code=1).stderr
    assert "sets.csv: line 3: labels: 'b;a' may be one label or several" in refused
    assert "--task multi_label_classification" in refused and not (tmp_path / "x").exists()
    one = told("train", TINY, file, tmp_path / "one", *quick, "--task", "sequence_classification")
    several = told("train", TINY, file, tmp_path / "several", *quick, "--task", "multi_label_classification")
    assert one["labels"] == ["a", "b", "b;a"] and several["labels"] == ["a", "b"]
    # An adapter says it, too.
    for name, task in (("one", "sequence_classification"), ("several", "multi_label_classification")):
        assert told("evaluate", TINY, tmp_path / name, file)["task"] == task
        assert told("predict", TINY, tmp_path / name, file)["task"] == task


def test_a_ranking_is_measured_and_reported_by_its_task(tmp_path: Path) -> None:
    lines = [f"{text}\t{other}\t{int(text == other)}\n" for text in TEXTS for other in (text, TEXTS[0], TEXTS[3])]
    file = tmp_path / "pairs.tsv"
    file.write_text("text\tpair\ttarget\n" + "".join(lines))
    ranking = ("--task", "ranking", "--loss", "rank_net")
    found = told("train", TINY, file, tmp_path / "a", *ranking, "--epochs", 1, "--quiet", "--test", file)
    assert found["task"] == "regression" and 0 < found["test"]["ndcg"] <= 1
    measured = told("evaluate", TINY, tmp_path / "a", file, *ranking)
    assert measured.items() >= found["test"].items()
    assert measured["loss"] != told("evaluate", TINY, tmp_path / "a", file, "--task", "ranking")["loss"]
    page = ("report", TINY, tmp_path / "a", file, "--output", tmp_path / "page.html")
    assert told(*page, *ranking)["ndcg"] == pytest.approx(measured["ndcg"])
    assert "ndcg" not in told(*page) and "mse" in told(*page)
    for command in (page, ("evaluate", *page[1:4])):
        refused = run(*command, "--task", "sentence_embedding", code=1).stderr
        assert "task: expected ranking or regression, which " in refused and "found sentence_embedding" in refused
    # Candidates say that they are to be ranked.
    lists = tmp_path / "lists.jsonl"
    lists.write_text(json.dumps({"text": TEXTS[0], "candidates": TEXTS[:3], "relevance": [1, 0, 0]}) + "\n")
    assert "ndcg" in told("evaluate", TINY, tmp_path / "a", lists)
    assert "ndcg" in told(*page[:3], lists, *page[4:])
