"""The quality recipe of ours/quality.py through the C interface alone: compiles and runs quality.c.
"""

import tempfile
from pathlib import Path

import settings
from data import Labelled, quality_data, quality_parser
from ours.c_program import compile_program, output

arguments = quality_parser(__doc__).parse_args()


def write(path: Path, part: Labelled) -> Path:
    lines = (f"{label}\t{' '.join(text.split())}\n" for text, label in zip(part.texts, part.labels, strict=True))
    path.write_text("".join(lines), encoding="utf-8")
    return path


train, test, names = quality_data(arguments)
with tempfile.TemporaryDirectory() as temporary:
    program = compile_program("quality", temporary)
    files = [write(Path(temporary, "train.tsv"), train), write(Path(temporary, "test.tsv"), test)]
    for seed in arguments.seeds:
        command = [program, settings.MODELS / "minilm", *files, str(len(names)), str(seed), str(arguments.epochs)]
        seconds, accuracy = output(*command).split()
        settings.emit(
            "quality",
            side="Graft in C",
            data=arguments.data,
            seed=seed,
            train_seconds=float(seconds),
            test_accuracy=float(accuracy),
        )
