"""The quality recipe of ours/quality.py through the C interface alone: compiles and runs quality.c."""

import argparse
import subprocess
import tempfile
from pathlib import Path

import settings
from data import DATA_SETS, Labelled

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--data", choices=list(DATA_SETS), default="trec6")
parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
arguments = parser.parse_args()

LIBRARY = settings.ROOT / "build" / "lib"


def write(path: Path, part: Labelled) -> Path:
    lines = (f"{label}\t{' '.join(text.split())}\n" for text, label in zip(part.texts, part.labels, strict=True))
    path.write_text("".join(lines), encoding="utf-8")
    return path


train, test, names = DATA_SETS[arguments.data]()
with tempfile.TemporaryDirectory() as temporary:
    program = Path(temporary, "quality")
    source = Path(__file__).with_name("quality.c")
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{settings.ROOT / 'include'}"]
    link = [f"-L{LIBRARY}", "-lgraft", f"-Wl,-rpath,{LIBRARY}"]
    subprocess.run(["cc", *flags, source, "-o", program, *link], check=True)
    files = [write(Path(temporary, "train.tsv"), train), write(Path(temporary, "test.tsv"), test)]
    for seed in arguments.seeds:
        command = [program, settings.MODELS / "minilm", *files, str(len(names)), str(seed)]
        seconds, accuracy = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        settings.emit(
            "quality",
            side="Graft in C",
            data=arguments.data,
            seed=seed,
            train_seconds=float(seconds),
            test_accuracy=float(accuracy),
        )
