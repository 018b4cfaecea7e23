"""Decoding at batch 1 as a share of the memory bandwidth measured in the same run: compiles and
runs decode.c.
"""

import argparse
import tempfile

import settings
from ours.c_program import compile_program, output

PRECISIONS = ("float32", "bfloat16")

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="smollm2-135m")
parser.add_argument("--precision", choices=PRECISIONS, default="float32")
parser.add_argument("--tokens", type=int, default=200)
arguments = parser.parse_args()

with tempfile.TemporaryDirectory() as temporary:
    program = compile_program("decode", temporary)
    precision = str(PRECISIONS.index(arguments.precision))
    command = [program, settings.MODELS / arguments.model, precision, str(settings.THREADS), str(arguments.tokens)]
    step, read, size = map(float, output(*command).split())
settings.emit(
    "decode",
    side="Graft",
    **vars(arguments),
    median_ms=round(step, 3),
    read_ms=round(read, 3),
    gigabytes_per_second=round(size / read / 1e6, 1),
    share=round(read / step, 3),
)
