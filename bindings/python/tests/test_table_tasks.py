"""What tables are for: every task from its file to an adapter, a measure and a prediction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED
from test_command_line import run, told

import graft
from graft.table_tasks.listed import TABLE_TASKS, task_of

TINY = SHARED / "models" / "bert-tiny-splade"
MARIAN = SHARED / "models" / "marian-enpt"
STORIES = SHARED / "models" / "stories260K" / "hf"
STSB: dict[str, Any] = {"columns": {"target": 4, "text": 5, "pair": 6}, "ragged": True}
PAIRS = [("What does Tom have?", "Tom has a red ball."), ("Where is the dog?", "The dog is in the park."), ("Who is sad?", "Lily is sad.")]  # fmt: skip


def write_json_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def alike(start: int, count: int) -> list[dict[str, Any]]:
    """Sentences of STS-B, each with one that says the same and two of others."""
    table = graft.Table.read(SHARED / "data" / "stsb" / "sts-train.csv", **STSB)
    same = {row["text"]: row for row in table if row["target"] > 4.5 and row["text"] != row["pair"]}
    rows = list(same.values())[start : start + count]
    found = []
    for number, row in enumerate(rows):
        texts = [rows[(number + step) % count]["pair"] for step in (0, 5, 9)]
        right = number % 3
        found.append({"question": row["text"], "choices": texts[-right:] + texts[:-right], "label": right})
    return found


def reported(*arguments: Any) -> tuple[dict[str, Any], str]:
    """What `graft report` says, and its page."""
    page = Path(arguments[1]).with_suffix(".html")
    found = told("report", *arguments, "--output", page)
    return found, page.read_text("utf-8")


def test_the_list_knows_the_tasks_of_adapters() -> None:
    assert {own.task for own in TABLE_TASKS} == set(graft.tasks())
    assert len({own.name for own in TABLE_TASKS}) == len(TABLE_TASKS)
    assert all(own.columns or own.columns_when_said for own in TABLE_TASKS)


@pytest.mark.parametrize(
    ("columns", "name", "expected"),
    [
        ({"text": ["a"], "label": ["b"]}, None, "sequence_classification"),
        ({"text": ["a"], "pair": ["b"], "target": [1]}, None, "regression"),
        ({"text": ["a"], "pair": ["b"], "target": [1]}, "ranking", "ranking"),
        ({"text": ["a"], "pair": ["b"], "target": [1]}, "regression", "regression"),
        ({"text": ["a"], "pair": ["b"], "target": [1]}, "sentence_embedding", "sentence_embedding"),
        ({"text": ["a"], "candidates": [["b"]], "relevance": [[1]]}, "regression", "ranking"),
        ({"text": ["a"], "candidates": [["b", "c"]], "right": [1]}, None, "multiple_choice"),
        ({"source": ["a"], "output": ["b"]}, None, "seq_2_seq_lm"),
        ({"prompt": ["a"], "completion": ["b"]}, None, "language_model"),
        ({"prompt": ["a"], "chosen": ["b"], "rejected": ["c"]}, None, "preferences"),
        ({"prompt": ["a"], "chosen": ["b"], "rejected": ["c"]}, "language_model", "preferences"),
        ({"text": ["a"], "label": ["b"]}, "masked_language_model", "masked_language_model"),
    ],
)
def test_columns_say_what_a_table_is_for(columns: dict[str, Any], name: str | None, expected: str) -> None:
    assert task_of(graft.Table(columns), name).name == expected


def test_columns_are_recognised_beside_each_other(tmp_path: Path) -> None:
    def read(**row: Any) -> dict[str, Any]:
        return next(iter(graft.Table.read([row])))

    assert read(question="a", choices=["b", "c"], label=1) == {"text": "a", "candidates": ["b", "c"], "right": 1}
    assert read(question="a", choices={"text": ["b", "c"], "label": ["A", "B"]}, label="B")["right"] == 1
    assert read(query="a", docs=["b", "c"], relevance=[0, 2.5])["relevance"] == [0, 2.5]
    assert read(source="a", target="b") == {"source": "a", "output": "b"}
    assert read(instruction="a", response="b") == {"prompt": "a", "completion": "b"}
    assert read(messages=[{"role": "assistant", "content": "b"}], label=1) == {"messages": [{"role": "assistant", "content": "b"}]}
    assert read(instruction="a", chosen="b", rejected="c") == {"prompt": "a", "chosen": "b", "rejected": "c"}
    # Where there is nothing beside them, names mean what they did.
    assert read(text="a", source="", label="b") == {"text": "a", "label": "b"}
    assert read(text="a", target=2) == {"text": "a", "target": 2} and read(source="a") == {"source": "a"}
    (tmp_path / "a.csv").write_text("question,ending0,ending1,label\na,b,c,1\n")
    table = graft.Table.read(tmp_path / "a.csv", columns={"candidates": ["ending0", "ending1"], "right": "label"})
    assert table["candidates"] == [["b", "c"]] and table["right"] == [1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"question": "a", "choices": ["b"], "label": 1}, "row 0: right: expected 0 to 0, found 1"),
        ({"question": "a", "choices": ["b"], "label": "x"}, "right: 'x' is none of the candidates"),
        ({"question": "a", "choices": ["b"], "label": 0.5}, "right: expected the number of a candidate, found 0.5"),
        ({"question": "a", "choices": [""], "label": 0}, "candidates: empty"),
        ({"question": "a", "choices": [], "label": 0}, "candidates: empty"),
        ({"query": "a", "docs": ["b"], "relevance": [1, 2]}, "relevance: expected 1, one for each candidate; found 2"),
        ({"query": "a", "docs": ["b"], "relevance": [float("nan")]}, "relevance: missing"),
        ({"source": "a", "target": " "}, "output: empty"),
        ({"prompt": "a", "completion": None}, "completion: missing"),
        ({"prompt": "a", "chosen": "b", "rejected": ""}, "rejected: empty"),
        ({"prompt": "a", "chosen": [{"role": "assistant", "content": "b"}], "rejected": "c"}, "chosen: expected a text, found list"),
        ({"messages": [{"role": "user", "content": "a"}]}, "messages: the assistant says nothing"),
        ({"messages": ["a"]}, "messages: expected messages with role and content, found 'a'"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(row: dict[str, Any], message: str) -> None:
    with pytest.raises(graft.GraftError, match=message):
        graft.Table.read([row])


def test_a_domain_is_adapted_to_from_a_file_of_texts(tmp_path: Path) -> None:
    lines = (SHARED / "data" / "trec6" / "train.txt").read_text("latin-1").splitlines()
    texts = [line.partition(":")[2] for line in lines[:340]]
    (tmp_path / "train.txt").write_text("\n".join(texts[:300]), "utf-8")
    (tmp_path / "test").write_text("\n".join(texts[300:]), "utf-8")
    options = ("--task", "masked_language_model", "--maximum-length", 32, "--quiet", "--config", '{"r": 16}')
    found = told("train", TINY, tmp_path / "train.txt", tmp_path / "a", *options, "--epochs", 4, "--test", tmp_path / "test")
    assert found["task"] == "masked_language_model" and found["labels"] == []
    measured = told("evaluate", TINY, tmp_path / "a", tmp_path / "test", "--maximum-length", 32)
    assert measured["perplexity"] == found["test"]["perplexity"]
    model = graft.Model(TINY)
    adapter = graft.Adapter.create(model)
    adapter.set_head("masked_language_model")
    with graft.Trainer(model, adapter) as trainer:
        held_out = graft.Dataset.from_texts(graft.Tokenizer(TINY), texts[300:], mask_each=True, maximum_length=32)
        assert 2 * measured["perplexity"] < trainer.evaluate(held_out).perplexity
    shown, page = reported(TINY, tmp_path / "a", tmp_path / "test", "--maximum-length", 32)
    assert shown["perplexity"] == pytest.approx(measured["perplexity"], rel=1e-4)
    assert all(part in page for part in ("Guessed", 'id="lengths"', "lora_B: gradients"))
    lines = run("predict", TINY, tmp_path / "a", "--top", 2, given="what is [MASK] ?\nno mask\n").stdout.splitlines()
    words, text = lines[0].split("\t")
    assert text == "what is [MASK] ?" and len(words.split("|")) == 2 and lines[1] == "\tno mask"
    (row, _) = told("predict", TINY, tmp_path / "a", given="what is [MASK] ?\nno mask\n")["predictions"]
    assert row["masks"][0][0][1] == words.partition(":")[0]


def test_choices_are_learned_from_a_file(tmp_path: Path) -> None:
    train, test = (write_json_lines(tmp_path / name, alike(start, count)) for name, start, count in (("a.jsonl", 0, 90), ("b.jsonl", 90, 30)))
    found = told("train", TINY, train, tmp_path / "a", "--epochs", 4, "--learning-rate", "3e-3", "--quiet", "--test", test)
    assert found["task"] == "multiple_choice" and found["test"]["accuracy"] > 0.6
    rows = told("predict", TINY, tmp_path / "a", test)["predictions"]
    right = [row["right"] == given["label"] for row, given in zip(rows, alike(90, 30))]
    assert sum(right) / 30 == pytest.approx(found["test"]["accuracy"])
    shown, page = reported(TINY, tmp_path / "a", test)
    assert shown["accuracy"] == pytest.approx(found["test"]["accuracy"])
    assert all(part in page for part in ('id="probabilities"', 'id="lengths"', "lora_B: gradients"))
    line = run("predict", TINY, tmp_path / "a", given="A man sings.\tA man is singing.\tDogs run.\tIt rains.\n").stdout
    choice, probability, *rest = line.rstrip("\n").split("\t")
    assert choice in rest[1:] and float(probability) > 1 / 3 and rest[0] == "A man sings." and len(rest) == 4
    assert "expected text TAB candidate" in run("predict", TINY, tmp_path / "a", given="alone\n", code=1).stderr


def test_rankings_are_learned_from_pairs_and_from_lists(tmp_path: Path) -> None:
    rows = alike(0, 60)
    lists = [{"query": row["question"], "docs": row["choices"], "relevance": [int(place == row["label"]) for place in range(3)]} for row in rows]  # fmt: skip
    file = write_json_lines(tmp_path / "lists.jsonl", lists)
    lines = [f"{row['query']}\t{text}\t{value}\n" for row in lists for text, value in zip(row["docs"], row["relevance"])]
    (tmp_path / "pairs.tsv").write_text("".join(lines), "utf-8")
    options = ("--epochs", 2, "--quiet")
    first = told("train", TINY, file, tmp_path / "a", *options, "--test", file)
    second = told("train", TINY, tmp_path / "pairs.tsv", tmp_path / "b", *options, "--task", "ranking", "--no-header")
    assert first["task"] == second["task"] == "regression" and first["test"]["ndcg"] > 0.6
    name = "adapter_model.safetensors"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    measured = told("evaluate", TINY, tmp_path / "b", tmp_path / "pairs.tsv", "--task", "ranking", "--no-header")
    assert measured["mrr"] == pytest.approx(first["test"]["mrr"])
    assert "mse" in told("evaluate", TINY, tmp_path / "b", tmp_path / "pairs.tsv", "--no-header")
    shown, page = reported(TINY, tmp_path / "a", file)
    assert shown["mrr"] == pytest.approx(first["test"]["mrr"])
    assert all(part in page for part in ("Place of the right one", 'id="lengths"', "lora_B: gradients"))
    (row, *_) = told("predict", TINY, tmp_path / "a", file)["predictions"]
    assert len(row["scores"]) == 3 and row["candidates"] == lists[0]["docs"]


def test_vectors_are_learned_from_pairs(tmp_path: Path) -> None:
    table = graft.Table.read(SHARED / "data" / "stsb" / "sts-train.csv", **STSB)
    judged = [f"{row['text']}\t{row['pair']}\t{row['target']}\n" for row in table.take(range(0, 5700, 60))]
    (tmp_path / "judged.tsv").write_text("text\tpair\tscore\n" + "".join(judged), "utf-8")
    options = ("--task", "sentence_embedding", "--epochs", 3, "--quiet", "--test", tmp_path / "judged.tsv")
    found = told("train", TINY, tmp_path / "judged.tsv", tmp_path / "a", *options)
    assert found["task"] == "sentence_embedding" and found["test"]["spearman"] > 0.6
    assert told("evaluate", TINY, tmp_path / "a", tmp_path / "judged.tsv")["spearman"] == found["test"]["spearman"]
    rows = told("predict", TINY, tmp_path / "a", tmp_path / "judged.tsv")["predictions"]
    measured = graft.evaluation.values([float(line.split("\t")[2]) for line in judged], [row["similarity"] for row in rows])
    assert measured.values["spearman"] == pytest.approx(found["test"]["spearman"], abs=1e-3)
    assert told("report", TINY, tmp_path / "a", tmp_path / "judged.tsv", "--output", tmp_path / "page.html")["spearman"] > 0.6
    assert 'id="vectors"' in (tmp_path / "page.html").read_text("utf-8")
    pairs = write_json_lines(tmp_path / "pairs.jsonl", [{"text": row["question"], "pair": row["choices"][row["label"]]} for row in alike(0, 40)])  # fmt: skip
    found = told("train", TINY, pairs, tmp_path / "b", "--task", "sentence_embedding", "--epochs", 1, "--quiet", "--test", pairs)
    assert found["test"]["mrr"] > 0.8
    shown, page = reported(TINY, tmp_path / "b", pairs)
    assert shown["mrr"] > 0.8 and "lora_B: gradients" in page


def test_translations_are_learned_and_measured(tmp_path: Path) -> None:
    sources = ["Graft is ready.", "Where is Graft?", "I like Graft.", "Graft works today.", "This is Graft."]
    targets = ["O Enxerto está pronto.", "Onde está o Enxerto?", "Gosto do Enxerto.", "O Enxerto funciona hoje.", "Este é o Enxerto."]
    rows = [{"source": source, "target": target} for source, target in zip(sources, targets)]
    file = write_json_lines(tmp_path / "train.jsonl", rows)
    options = ("--epochs", 30, "--learning-rate", "5e-3", "--label-smoothing", 0.1, "--quiet", "--test", file)
    found = told("train", MARIAN, file, tmp_path / "a", *options)
    assert found["task"] == "seq_2_seq_lm" and found["test"]["bleu"] == pytest.approx(100) and found["test"]["loss"] < 3
    # Without names the columns are what the task has.
    (tmp_path / "test.tsv").write_text("".join(f"{row['source']}\t{row['target']}\n" for row in rows), "utf-8")
    measured = told("evaluate", MARIAN, tmp_path / "a", tmp_path / "test.tsv", "--beams", 2)
    assert {"loss", "accuracy", "bleu", "chrf", "rougeL"} <= measured.keys() and measured["chrf"] > 99
    shown, page = reported(MARIAN, tmp_path / "a", file, "--maximum-tokens", 3)
    assert shown["loss"] == pytest.approx(found["test"]["loss"]) and shown["bleu"] < 100
    assert all(part in page for part in ("Length of the references", "Reference", "lora_B: gradients"))
    shown = run("predict", MARIAN, tmp_path / "a", given="Where is Graft?\n").stdout
    assert shown == "Onde está o Enxerto?\tWhere is Graft?\n"
    assert told("predict", MARIAN, tmp_path / "a", file, "--maximum-tokens", 2)["predictions"][0]["written"] != targets[0]


@pytest.mark.parametrize("has_template", [False, True])
def test_answers_to_prompts_are_learned(tmp_path: Path, has_template: bool) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).symlink_to(STORIES / name)
    (folder / "generation_config.json").write_text('{"eos_token_id": 1}')
    if has_template:
        template = "{{ '<s>' }}{% for m in messages %}{% if m.role == 'user' %}Q: {{ m.content }} A:{% else %} {{ m.content }}{{ '<s>' }}{% endif %}{% endfor %}"  # fmt: skip
        (folder / "chat_template.jinja").write_text(template)
    file = write_json_lines(tmp_path / "train.jsonl", [{"prompt": first, "completion": second} for first, second in PAIRS])
    options = ("--epochs", 60, "--learning-rate", "5e-3", "--quiet", "--test", file)
    found = told("train", folder, file, tmp_path / "a", *options)
    assert found["task"] == "language_model" and found["test"]["accuracy"] == 1
    prompts = "".join(f"{prompt}\n" for prompt, _ in PAIRS)
    shown = run("predict", folder, tmp_path / "a", given=prompts).stdout.splitlines()
    assert [line.split("\t")[0] for line in shown] == [answer for _, answer in PAIRS]
    if has_template:
        rows = [{"messages": [{"role": "user", "content": first}, {"role": "assistant", "content": second}]} for first, second in PAIRS]
        write_json_lines(tmp_path / "messages.jsonl", rows)
        measured = told("evaluate", folder, tmp_path / "a", tmp_path / "messages.jsonl")
        assert measured["loss"] == pytest.approx(found["test"]["loss"])


def test_the_task_says_what_a_column_holds(tmp_path: Path) -> None:
    quick = ("--epochs", 1, "--quiet")
    several = (*quick, "--task", "multi_label_classification")
    (tmp_path / "sets.tsv").write_text("text\tlabels\nhello\ta\nbye\tb,a\nhey\t\n")
    found = told("train", TINY, tmp_path / "sets.tsv", tmp_path / "sets", *several)
    assert found["labels"] == ["a", "b"] and found["row_count"] == 3
    assert told("evaluate", TINY, tmp_path / "sets", tmp_path / "sets.tsv")["row_count"] == 3
    numbers = write_json_lines(tmp_path / "numbers.jsonl", [{"text": "a", "label": 1}, {"text": "b", "label": 0.5}])
    assert told("train", TINY, numbers, tmp_path / "numbers", *quick, "--task", "regression")["row_count"] == 2
    sets = write_json_lines(tmp_path / "sets.jsonl", [{"text": "a", "label": 1}, {"text": "b", "label": ""}])
    assert told("train", TINY, sets, tmp_path / "one", *several)["labels"] == ["1"]


def test_what_a_file_lacks_for_its_task_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("text\tlabel\none\ta\ntwo\tb\n")
    (tmp_path / "b.jsonl").write_text('{"question": "a", "choices": ["b"]}\n')
    for task, message in (
        ("multiple_choice", "multiple_choice needs text and candidates and right; found text, label"),
        ("question_answering", "needs question and context and answers"),
        ("token_classification", "needs words and tags or text and entities"),
        ("regression", "target: expected a number, found 'a'"),
    ):
        assert message in run("train", TINY, tmp_path / "a.tsv", tmp_path / "x", "--task", task, code=1).stderr
    shown = run("train", TINY, tmp_path / "b.jsonl", tmp_path / "x", code=1).stderr
    assert "nothing to learn: expected one of tags" in shown and "found text, candidates" in shown
    assert "no head for masked words" in run("train", SHARED / "models" / "me5-small-zh-en-pruned", tmp_path / "a.tsv", tmp_path / "x", "--task", "masked_language_model", code=1).stderr  # fmt: skip
    assert "no encoder" in run("train", TINY, tmp_path / "a.tsv", tmp_path / "x", "--task", "seq_2_seq_lm", code=1).stderr


def test_preferences_are_learned_and_reported(tmp_path: Path) -> None:
    rows = [{"prompt": prompt, "chosen": answer, "rejected": PAIRS[number - 1][1]} for number, (prompt, answer) in enumerate(PAIRS)]
    file = write_json_lines(tmp_path / "train.jsonl", rows)
    options = ("--epochs", 4, "--quiet", "--loss-settings", '{"beta": 0.2}')
    found = told("train", STORIES, file, tmp_path / "a", *options, "--test", file)
    assert found["task"] == "language_model" and found["test"]["rewards_accuracies"] == 1 and found["test"]["loss"] < 0.69
    # As prefer.py's files are, and said to be so.
    (tmp_path / "train.tsv").write_text("".join("\t".join(row.values()) + "\n" for row in rows), "utf-8")
    again = told("train", STORIES, tmp_path / "train.tsv", tmp_path / "b", *options, "--task", "preferences")
    assert again["row_count"] == 3
    name = "adapter_model.safetensors"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    turned = write_json_lines(tmp_path / "turned.jsonl", [{**row, "chosen": row["rejected"], "rejected": row["chosen"]} for row in rows])
    measured = told("evaluate", STORIES, tmp_path / "a", turned, *options[3:])
    assert measured["rewards_margins"] == pytest.approx(-found["test"]["rewards_margins"])
    shown, page = reported(STORIES, tmp_path / "a", turned, *options[3:])
    assert shown["rewards_margins"] == pytest.approx(measured["rewards_margins"])
    assert all(part in page for part in ("Reward of the other above it", PAIRS[0][1], 'id="lengths"', "lora_B: gradients"))
    (row, *_) = told("predict", STORIES, tmp_path / "a", file, "--maximum-tokens", 3)["predictions"]
    assert set(row) >= {"written"}
    # The same adapter goes on with prompts that have completions.
    answers = write_json_lines(tmp_path / "answers.jsonl", [{"prompt": row["prompt"], "completion": row["chosen"]} for row in rows])
    assert "rewards_margins" not in told("evaluate", STORIES, tmp_path / "a", answers)
