#!/usr/bin/env python3
"""Graft's tokenizers beside Hugging Face `tokenizers` (0.23.3), one thread each, in the same run.

    swift build -c release --product TokenizerBenchmark
    python Benchmarks/Tokenizers/compare.py [NAME...]

Prints a Markdown table: megabytes of UTF-8 a second, all with offsets and word ids (`encode` one by one, and
`encode_batch`), and milliseconds to load the file. Times are of the processor, the best of several: other work on the
machine disturbs them less than the clock. The two sides alternate.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import Tokenizer  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
MODELS = Path(os.environ.get("GRAFT_TEST_MODELS", ROOT / "build" / "models"))
PROGRAM = ROOT / ".build" / "release" / "TokenizerBenchmark"
FILES = {
    "MiniLM": MODELS / "minilm" / "tokenizer.json",
    "GPT-2": SHARED / "tokenizers" / "gpt2" / "tokenizer.json",
    "Qwen": SHARED / "tokenizers" / "qwen-tiktoken" / "tokenizer.json",
    "stories260K": SHARED / "models" / "stories260K" / "hf" / "tokenizer.json",
}
ROUNDS = 4


def texts() -> dict[str, list[str]]:
    data = SHARED / "data"
    sentences = [line.split("\t")[0] for line in (data / "sst2" / "train.tsv").read_text(encoding="utf-8").split("\n")]
    hotel = (data / "chnsenticorp_htl" / "ChnSentiCorp_htl_all.csv").read_text(encoding="utf-8").split("\n")
    articles = json.loads((data / "xquad" / "xquad.en.json").read_text(encoding="utf-8"))["data"]
    return {
        "SST-2 sentences": sentences[:20000],
        "Chinese reviews": hotel[:3000],
        "paragraphs": [paragraph["context"] for article in articles for paragraph in article["paragraphs"]],
        "one text of 1 MB": ["\n".join(sentences)[:1_000_000]],
    }


def best(before: float, work) -> float:
    start = time.thread_time()
    work()
    return min(before, time.thread_time() - start)


def measure(file: Path, batch: list[str]) -> dict[str, float]:
    times = dict.fromkeys(["ours", "our load", "encode", "encode_batch", "load"], float("inf"))
    with tempfile.NamedTemporaryFile() as records:
        records.write(b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in batch))
        records.flush()
        for _ in range(ROUNDS):
            result = json.loads(subprocess.check_output([PROGRAM, "time", file, records.name, "2"]))
            times["ours"] = min(times["ours"], result["encode_us"] / 1e6)
            times["our load"] = min(times["our load"], result["load_ms"] / 1e3)
            times["load"] = best(times["load"], lambda: Tokenizer.from_file(str(file)))
            tokenizer = Tokenizer.from_file(str(file))
            tokenizer.no_padding()
            tokenizer.no_truncation()
            times["encode"] = best(times["encode"], lambda: [tokenizer.encode(text) for text in batch])
            times["encode_batch"] = best(times["encode_batch"], lambda: tokenizer.encode_batch(batch))
    return times


def main() -> None:
    print("| tokenizer, texts | Graft, MB/s | encode, MB/s | encode_batch, MB/s | ratio | Graft load, ms | load, ms |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in sys.argv[1:] or FILES:
        for kind, batch in texts().items():
            times = measure(FILES[name], batch)
            size = sum(len(text.encode()) for text in batch) / 1e6
            rates = [size / times[key] for key in ["ours", "encode", "encode_batch"]]
            ratio = rates[0] / max(rates[1:])
            print(
                f"| {name}, {kind} | {rates[0]:.1f} | {rates[1]:.1f} | {rates[2]:.1f} | {ratio:.1f} "
                f"| {times['our load'] * 1e3:.1f} | {times['load'] * 1e3:.1f} |", flush=True)


if __name__ == "__main__":
    main()
