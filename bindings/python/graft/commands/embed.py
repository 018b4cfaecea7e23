"""Makes a vector of each text.

Reads a text from each line, or `text TAB pair`, or the texts of a csv, tsv, jsonl or json file, and
writes its numbers on a line, with tabs between them; or all of them into a file of numpy's.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..adapter import Adapter
from ..data.measuring import texts_of
from ..declarations import POOLING_CHOICES
from ..errors import rows_named
from ..files import require_place
from ..matrix import Matrix
from ..model import Model
from ..session import Session
from ..tokenizer import Tokenizer
from .arguments import add_model
from .files import read_texts
from .options import add_options
from .output import Output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="of texts (default: -, standard input)")
    parser.add_argument(
        "--adapter", type=Path, metavar="ADAPTER", help="folder of an adapter that acts (default: none)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE.npy", help="where to write them, as numpy.save does")
    parser.add_argument(
        "--pooling", choices=list(POOLING_CHOICES), help="(default: as the model's folder says, else mean)"
    )
    parser.add_argument(
        "--normalize",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether vectors have length 1 (default: as the model's folder says, else yes)",
    )
    parser.add_argument("--prompt", metavar="NAME", help="of the folder's prompt that is put before each text")
    add_options(parser, "embed")


def run(arguments: argparse.Namespace, output: Output) -> None:
    require_place(arguments.output)
    model, tokenizer = Model(arguments.model, arguments.precision, arguments.threads), Tokenizer(arguments.model)
    adapter = None if arguments.adapter is None else Adapter.load(model, arguments.adapter)
    session = Session(model, tokenizer, adapter, arguments.threads, maximum_length=arguments.maximum_length)
    parts: list[Matrix] = []
    for table in read_texts(arguments.file, arguments):
        texts = texts_of(table)
        with rows_named(table.place):
            vectors = session.embed(
                texts.first, texts.second, arguments.pooling, arguments.normalize, prompt_name=arguments.prompt
            )
        if arguments.output is not None or output.is_json:
            parts.append(vectors)
            continue
        for row in vectors:
            output.line("\t".join(f"{value:.7g}" for value in row))
    if arguments.output is None:
        output.result({"vectors": [list(row) for part in parts for row in part]})
        return
    width = model.embedding_size if arguments.pooling is None else model.hidden_size
    count = sum(map(len, parts))
    write_npy(arguments.output, parts, count, width)
    output.line(f"{count} vectors of {width} numbers in {arguments.output}")
    output.result({"path": str(arguments.output), "row_count": count, "width": width})


def write_npy(path: Path, parts: list[Matrix], count: int, width: int) -> None:
    """A file of numpy's format 1.0: float32, row after row."""
    shape: Any = {"descr": "<f4", "fortran_order": False, "shape": (count, width)}
    header = repr(shape).encode()
    # Magic, version, length and header together are a multiple of 64 bytes, and end a line.
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        for part in parts:
            for row in part:
                file.write(row)
