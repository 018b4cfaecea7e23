"""Encoding texts with Graft, one by one and with offsets, through the C interface: compiles and
runs tokenize.c.
"""

import argparse
import tempfile
from pathlib import Path

import settings
from data import TOKENIZED
from ours.c_program import compile_program, output

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--tokenizer", choices=list(settings.TOKENIZERS), default="minilm")
parser.add_argument("--repeats", type=int, default=9)
arguments = parser.parse_args()

folder = settings.TOKENIZERS[arguments.tokenizer]
with tempfile.TemporaryDirectory() as temporary:
    program = compile_program("tokenize", temporary)
    for name, read in TOKENIZED.items():
        content = b"".join(text.encode() + b"\0" for text in read())
        path = Path(temporary, "texts")
        path.write_bytes(content)
        median = float(output(program, folder, path, str(arguments.repeats)))
        figure = round(median / len(content) * 1e6, 3)
        settings.emit("tokenizing", side="Graft", **vars(arguments), texts=name, ms_per_mb=figure)
