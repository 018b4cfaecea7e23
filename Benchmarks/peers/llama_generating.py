"""Texts under way in llama.cpp: milliseconds of a token of one row times the rows, which go one by
one, under a LoRA or none; or of reading the context. No token is chosen.
"""

import itertools
import tempfile
from pathlib import Path

import settings
from generating import ROW_LORA, generating_parser, model_file, prompts
from llama_cpp import Llama

import graft

WARMUP, READS, LONGEST = 5, 9, 4096

arguments = generating_parser(__doc__).parse_args()
file = model_file(arguments.precision)


def load(lora: Path | None) -> Llama:
    threads = {"n_threads": settings.THREADS, "n_threads_batch": settings.THREADS}
    path = None if lora is None else str(lora)
    return Llama(str(file), n_ctx=LONGEST, lora_path=path, verbose=False, **threads)


def adapter_file(folder: str) -> Path:
    path = Path(folder, "adapter.gguf")
    with graft.Model(file) as model:
        graft.Adapter.create(model, "lora", ROW_LORA | {"init_lora_weights": False}).save(path)
    return path


def tokens(llama: Llama, text: str) -> list[int]:
    found = llama.tokenize(text.encode(), add_bos=False)
    assert len(found) == arguments.context
    return found


def stepping() -> dict:
    with tempfile.TemporaryDirectory() as folder:
        llama = load(adapter_file(folder) if arguments.adapters else None)
    ids = tokens(llama, prompts(1, arguments.context)[0])
    llama.eval(ids)
    following = itertools.cycle(ids)
    times = settings.measure(lambda: llama.eval([next(following)]), warmup=WARMUP, repeats=arguments.steps)
    return times | {"median_ms": round(times["median_ms"] * arguments.rows, 3)}


def reading() -> dict:
    llama = load(None)
    texts = iter([tokens(llama, text) for text in prompts(READS + WARMUP, arguments.context)])

    def read() -> None:
        llama.reset()
        llama.eval(next(texts))

    return settings.measure(read, warmup=WARMUP, repeats=READS)


times = stepping() if arguments.steps else reading()
settings.emit("generating", side="llama.cpp", **vars(arguments) | times)
