"""Decoding at batch 1 as a share of the memory bandwidth measured in the same run: compiles and runs decode.c."""

import argparse
import subprocess
import tempfile
from pathlib import Path

import settings

PRECISIONS = ("float32", "bfloat16")

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="smollm2-135m")
parser.add_argument("--precision", choices=PRECISIONS, default="float32")
parser.add_argument("--tokens", type=int, default=200)
arguments = parser.parse_args()

LIBRARY = settings.ROOT / "build" / "lib"

with tempfile.TemporaryDirectory() as temporary:
    program = Path(temporary, "decode")
    source = Path(__file__).with_name("decode.c")
    flags = ["-std=gnu11", "-O3", "-march=native", "-Wall", "-Wextra", "-Werror", f"-I{settings.ROOT / 'include'}"]
    link = [f"-L{LIBRARY}", "-lgraft", f"-Wl,-rpath,{LIBRARY}", "-lpthread"]
    subprocess.run(["cc", *flags, source, "-o", program, *link], check=True)
    precision = str(PRECISIONS.index(arguments.precision))
    command = [program, settings.MODELS / arguments.model, precision, str(settings.THREADS), str(arguments.tokens)]
    step, read, size = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
settings.emit(
    "decode",
    side="Graft",
    **vars(arguments),
    median_ms=round(step, 3),
    read_ms=round(read, 3),
    gigabytes_per_second=round(size / read / 1e6, 1),
    share=round(read / step, 3),
)
