"""Pages to look at, and a browser."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, browser

import graft

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("GRAFT_TEST_DATA", ROOT.parent / "shared"))
TINY = SHARED / "models" / "bert-tiny-splade"
LABELS = ["question", "complaint", "thanks"]
TEXTS = [
    "When do you open?",
    "Is there parking nearby?",
    "The soup was cold and the waiter rude.",
    "Never again, what a terrible evening.",
    "Thank you so much for your help!",
    "Many thanks, that was very kind.",
]
TITLE = "<b>Six</b> & more"
HOSTILE = [
    "</script><script>document.title = 'taken'</script><img src=x onerror=alert(1)> \"a\" & 'b'",
    "<style>body { display: none }</style><a href='https://example.org'>here</a>",
    "这家餐厅的服务很差，等了一个小时才上菜。",
    "שלום (עולם) abc, زمان (وقت)",
    "bell \x07 null \x00 escape \x1b[31m turned \u202egnp.exe\u202c half \ud800",
    "without" * 200,
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def folder() -> Path:
    """Where pages and pictures stay, to be looked at."""
    path = ROOT / "build" / "report"
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture(scope="session")
def model() -> graft.Model:
    return graft.Model(TINY)


@pytest.fixture(scope="session")
def dataset() -> graft.Dataset:
    return graft.Dataset(graft.Tokenizer(TINY), TEXTS, [0, 0, 1, 1, 2, 2], label_names=LABELS)


@pytest.fixture(scope="session")
def adapter(model: graft.Model, dataset: graft.Dataset) -> graft.Adapter:
    made = graft.Adapter.create(model)
    made.set_head(labels=LABELS, pooling="mean")
    return made


@pytest.fixture(scope="session")
def history(model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset) -> graft.History:
    """Of a training of sixty steps."""
    kept = graft.History()
    with graft.Trainer(model, adapter, rows_per_batch=2, epoch_count=20, callbacks=[kept]) as trainer:
        trainer.fit(dataset, dataset, progress=False)
    return kept


def classified(labels: list[str], texts: list[str], count: int) -> graft.Predictions:
    rows = random.Random(0)
    truth = [rows.choice(labels) for _ in range(count)]
    given = []
    for label in truth:
        scores = [math.exp(rows.gauss(2 if label == own else 0, 1)) for own in labels]
        given.append([score / sum(scores) for score in scores])
    return graft.Predictions(truth, given, labels=labels, texts=[rows.choice(texts) for _ in range(count)])


@pytest.fixture(scope="session")
def pages(
    folder: Path, model: graft.Model, adapter: graft.Adapter, dataset: graft.Dataset, history: graft.History
) -> dict[str, Path]:
    """A page of each kind."""
    rows = random.Random(1)
    truth = [rows.uniform(0, 5) for _ in range(600)]
    given = [value * 0.9 + rows.gauss(0.3, 0.5) for value in truth]
    tags = [[rows.choice(["O", "O", "B-PER", "B-LOC"]) for _ in range(8)] for _ in range(60)]
    found = [[tag if rows.random() < 0.9 else "O" for tag in row] for row in tags]
    names = [f"a rather long name of label {number}" for number in range(60)]
    shares = [[rows.random() for _ in range(4)] for _ in range(200)]
    wanted = [f"{text} {TEXTS[row % 5]}" for row, text in enumerate(TEXTS * 30)]
    made = {
        "whole": graft.report(
            title=TITLE,
            predictions=classified(LABELS, TEXTS, 400),
            history=history,
            adapter=adapter,
            model=model,
            gradient_rows=dataset,
        ),
        "hostile": graft.report(title=TITLE, predictions=classified([*HOSTILE[:1], "标签", "מילה"], HOSTILE, 200)),
        "values": graft.report(title=TITLE, predictions=graft.Predictions(truth, given, task="regression")),
        "entities": graft.report(
            title=TITLE,
            predictions=graft.Predictions(tags, found, task="token_classification", texts=["a b c d e f g h"] * 60),
        ),
        "answers": graft.report(
            title=TITLE,
            predictions=graft.Predictions(
                [[], ["Oslo", "in Oslo"], ["the old bridge over the river"], [HOSTILE[2]]] * 30,
                ["", "Oslo", "the bridge", HOSTILE[3]] * 30,
                task="question_answering",
                texts=TEXTS[:4] * 30,
            ),
        ),
        "vectors": graft.report(
            title=TITLE,
            predictions=graft.Predictions(truth, [value / 6 for value in given], task="sentence_embedding", texts=TEXTS * 100),
        ),
        "choices": graft.report(
            title=TITLE,
            predictions=graft.Predictions(
                [rows.randrange(4) for _ in shares],
                [[share / sum(own) for share in own] for own in shares],
                task="multiple_choice",
                candidates=[TEXTS[:2] + HOSTILE[:2]] * len(shares),
                texts=(TEXTS * 34)[: len(shares)],
            ),
        ),
        "rankings": graft.report(
            title=TITLE,
            predictions=graft.Predictions(
                [[rows.choice([0, 0, 1, 2]) for _ in own] for own in shares],
                shares,
                task="ranking",
                candidates=[HOSTILE[2:4] + TEXTS[2:4]] * len(shares),
                texts=(TEXTS * 34)[: len(shares)],
                lengths=[rows.randrange(4, 60) for _ in shares],
                maximum_length=50,
            ),
        ),
        "words": graft.report(
            title=TITLE,
            predictions=graft.Predictions(
                ["soup", "open", HOSTILE[0], "the"] * 40,
                [(rows.choice(["soup", "meal", HOSTILE[3]]), rows.random() ** 3) for _ in range(160)],
                task="masked_language_model",
                texts=["The […] was cold.", "When do you […]?", HOSTILE[2], HOSTILE[1]] * 40,
                lengths=range(5, 25),
            ),
        ),
        "written": graft.report(
            title=TITLE,
            predictions=graft.Predictions(
                wanted,
                [" ".join(rows.sample(own.split(), len(own.split()) - 2)) for own in wanted[:-1]] + HOSTILE[-1:],
                task="seq_2_seq_lm",
                texts=[*TEXTS * 29, *HOSTILE],
                lengths=[len(own) // 4 for own in TEXTS * 30],
            ),
        ),
        "preferences": graft.report(
            title=TITLE,
            predictions=graft.Predictions(
                [0] * 60,
                [[(row % 7 - 3) / 2, (row % 5 - 2) / 3] for row in range(60)],
                task="preferences",
                candidates=[HOSTILE[:2], [TEXTS[0] * 12, TEXTS[1]], HOSTILE[2:4]] * 20,
                texts=[*TEXTS[:2], HOSTILE[1]] * 20,
                lengths=[7 + row % 40 for row in range(60)],
                maximum_length=40,
            ),
        ),
        "many": graft.report(title=TITLE, predictions=classified(names, TEXTS, 900)),
    }
    for name, page in made.items():
        page.save(folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in made}
