"""Where the models, goldens and data are, and the real packages quietly offline.

A missing model or data set is an error, never a skip.
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

import graft  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "Tests" / "Goldens"
SHARED = Path(os.environ.get("GRAFT_TEST_DATA", ROOT.parent / "shared"))
DATA = SHARED / "data"
MINILM = Path(os.environ.get("GRAFT_TEST_MODELS", ROOT / "build" / "models")) / "minilm"

#: The largest difference allowed between two float32 computations of one model: hidden states,
#: embeddings, logits.
TOLERANCE = 1e-4

#: What makes the tokenizers' goldens makes a map of characters here too.
sys.path.append(str(GOLDENS / "tokenizers"))

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    """Whatever tests ran before in the process."""
    torch.manual_seed(0)


def read_json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def minilm_texts() -> list[dict]:
    """The thirty texts of the goldens: short, pairs, up to 512 tokens."""
    return read_json(GOLDENS / "minilm" / "rows.json")["rows"]


@pytest.fixture(scope="session")
def short_texts(minilm_texts) -> dict:
    """Those without a pair and of at most 64 tokens, which the packages pad, with the ids that
    transformers gets."""
    rows = [row for row in minilm_texts if row["pair"] is None and len(row["input_ids"]) <= 64]
    return {"texts": [row["text"] for row in rows], "ids": [row["input_ids"] for row in rows]}


@pytest.fixture(scope="session")
def minilm() -> graft.Model:
    return graft.Model(MINILM)


@pytest.fixture(scope="session")
def minilm_tokenizer() -> graft.Tokenizer:
    return graft.Tokenizer(MINILM)


@pytest.fixture(scope="session")
def tiny() -> graft.Model:
    return graft.Model(GOLDENS / "bert-tiny" / "sequence-classification")
