"""Runs the code that a page of the documentation shows, from top to bottom, in an empty folder.

    run.py PAGE FOLDER

A block of ``sh`` is run by bash and a block of ``c`` is compiled and run, both in FOLDER; blocks of
``python`` are one program, in one process. A block of ``text`` is what the block before it prints;
three dots in it stand for anything. Blocks of other languages are shown only.
"""

from __future__ import annotations

import contextlib
import fnmatch
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-pthread", f"-I{ROOT}/include", f"-L{ROOT}/build/lib"]
LINKED = ["-lgraft", "-lm", f"-Wl,-rpath,{ROOT}/build/lib"]


class Block(NamedTuple):
    line: int
    language: str
    code: str


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, with the lines on which they begin."""
    found = re.finditer(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [Block(page.count("\n", 0, match.start()) + 1, match[1], match[2]) for match in found]


def shell(command: str) -> str:
    return finished(["bash", "-euo", "pipefail", "-c", command])


def c_program(code: str) -> str:
    Path("program.c").write_text(code)
    finished(["cc", *FLAGS, "program.c", "-o", "program", *LINKED])
    return finished(["./program"])


def finished(command: list[str]) -> str:
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def main() -> None:
    page, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    os.environ["ROOT"] = str(ROOT)
    names: dict[str, Any] = {"__name__": "__main__"}
    ran, printed = 0, None
    for block in blocks(page.read_text("utf-8")):
        try:
            if block.language == "text":
                expected = fnmatch.translate(re.sub(r"([*?\[])", r"[\1]", block.code.strip()).replace("...", "*"))
                if printed is None or not re.match(expected, printed.strip()):
                    raise SystemExit(f"expected\n{block.code}\nfound\n{printed}")
            elif block.language == "python":
                output = io.StringIO()
                with contextlib.redirect_stdout(output):
                    exec(compile("\n" * block.line + block.code, str(page), "exec"), names)
                printed = output.getvalue()
            elif block.language in ("sh", "c"):
                printed = (shell if block.language == "sh" else c_program)(block.code)
            else:
                continue
            ran += 1
        except SystemExit as error:
            sys.exit(f"{page.name}, line {block.line}: {error}")
    print(f"{page.name}: {ran} blocks")
    if not ran:
        sys.exit("nothing was run")


if __name__ == "__main__":
    main()
