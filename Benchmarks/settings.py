"""What every run shares: where models are, threads, turns, timing, memory, and the line it prints.

Import this first: it sets the environment that torch and OpenMP read when they are imported.
"""

import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

THREADS = int(os.environ.get("GRAFT_BENCH_THREADS", "2"))
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

ROOT = Path(__file__).resolve().parents[1]
MODELS = Path(os.environ.get("GRAFT_TEST_MODELS", ROOT / "build" / "models"))
SHARED = Path(os.environ.get("GRAFT_TEST_DATA", ROOT.parent / "shared"))
DATA = SHARED / "data"

# Real models that write: the first is of `make models`.
CHAT_MODEL = MODELS / "smollm2-135m-instruct.gguf"
MARIAN = SHARED / "models" / "marian-enpt"
# Two layers of 128, which have not learned to make vectors of texts.
TINY = SHARED / "models" / "bert-tiny-splade"
# A small BERT that knows Chinese.
CHINESE = SHARED / "models" / "me5-small-zh-en-pruned"

TOKENIZERS = {
    "minilm": MODELS / "minilm",
    "gpt2": SHARED / "tokenizers" / "gpt2",
    "qwen": SHARED / "tokenizers" / "qwen-tiktoken",
    "stories260k": SHARED / "models" / "stories260K" / "hf",
    "me5": CHINESE,
    "marian": SHARED / "models" / "marian-enpt",
}

# AdapterHub pins another transformers than PEFT, so it has an environment of its own.
ADAPTERHUB_PYTHON = os.environ.get(
    "GRAFT_ADAPTERHUB_PYTHON", str(ROOT / "build" / "venv-adapters" / "bin" / "python")
)

# The sizes of the table: (rows, tokens a row).
TRAINING_SHAPES = {"minilm": [(32, 64)], "bert-base": [(16, 128), (8, 512)]}
INFERENCE_SHAPES = [(1, 32), (1, 128), (8, 128), (32, 128)]


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Turns:
    """Where run.py runs several sides at once, each computes in turns of a quarter of a second, so
    that a machine that slows down slows them alike.
    """

    SECONDS = 0.25
    taken = bool(os.environ.get("GRAFT_BENCH_TURNS"))
    began = -SECONDS

    @classmethod
    def wait(cls) -> None:
        """Comes before each repeat; returns at once while the own turn lasts."""
        if cls.taken and time.perf_counter() - cls.began > cls.SECONDS:
            print("turn", flush=True)
            sys.stdin.readline()
            cls.began = time.perf_counter()


def measure(
    action, warmup: int = 2, repeats: int = 7, at_least_seconds: float = 2.0, at_most_seconds: float = 60.0
) -> dict:
    """Milliseconds of `action`: the median and the least of the repeats, never fewer than five."""
    for _ in range(warmup):
        Turns.wait()
        action()
    times = []
    while len(times) < repeats or sum(times) < at_least_seconds:
        Turns.wait()
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
        if sum(times) > at_most_seconds and len(times) >= 5:
            break
    median, least = statistics.median(times) * 1e3, min(times) * 1e3
    return {"median_ms": round(median, 3), "least_ms": round(least, 3), "repeats": len(times)}


def emit(benchmark: str, **values) -> None:
    """One JSON line; the peak memory is that of this process until now."""
    line = {"benchmark": benchmark, **values, "peak_mb": round(peak_megabytes()), "threads": THREADS}
    print(json.dumps(line), flush=True)


def prepare_torch(precision: str | None = None):
    """torch with the threads of this run; `precision` is torch's float32_matmul_precision."""
    import torch
    import transformers

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    if precision:
        torch.set_float32_matmul_precision(precision)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return torch
