"""Says where prose is wider than 100 columns, which sources are longer than 500 lines, and which
kernels nobody calls.

    python3 Tests/sources.py

Prose is comments and docstrings, and the text of Markdown outside tables and code. Code may be
wider: its formatters say how wide.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

WIDTH, LENGTH = 100, 500
#: The interface is one header, whose formatter says how wide it is, and what is written from it.
INTERFACE = re.compile(r"(^|/)graft\.h$|^bindings/python/graft/declarations\.py$")
#: These, other files that a script writes, and tables are not read from top to bottom.
LONG = re.compile(INTERFACE.pattern + r"|/UnicodeTable\.swift$|/table\.c$")
#: Rows of tables, examples, marks of a formatter, and words longer than a line, such as addresses.
EXCEPTION = re.compile(r"^\W*\||^\s*(?:#|//+|\*) {5,}\S|# fmt: skip$|\S{80}")
C_LIKE = (".swift", ".c", ".h", ".inc", ".cpp")
TEXT_OF_CODE = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'')


def of_markdown(text: str) -> Iterator[int]:
    """Numbers of the lines that are prose."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith(("|", "    ", "#", "<!--", "[")):
            yield number


def of_c(text: str) -> Iterator[int]:
    """Lines with a comment, in C or Swift."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        plain = TEXT_OF_CODE.sub(lambda match: "s" * len(match[0]), line)
        if inside or "//" in plain or "/*" in plain:
            yield number
        opened, closed = plain.rfind("/*"), plain.rfind("*/")
        if not plain.lstrip().startswith("//") and opened != closed:
            inside = opened > closed


def of_python(text: str) -> Iterator[int]:
    """Lines with a comment or of a docstring."""
    starts_statement = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0]
        elif token.type == tokenize.STRING and starts_statement:
            indent = " " * (token.start[1] + 4)
            for number, line in enumerate(token.string.splitlines(), token.start[0]):
                if not line.startswith(indent):
                    yield number
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            starts_statement = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def of_shell(text: str) -> Iterator[int]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            yield number


def reader(path: str, text: str) -> Callable[[str], Iterator[int]] | None:
    if path.endswith(".md"):
        return of_markdown
    if path.endswith(C_LIKE):
        return of_c
    if path.endswith(".py"):
        return of_python
    return of_shell if text.startswith("#!") or path.endswith(("Makefile", "checks", "sanitizers")) else None


def unused_kernels(sources: dict[str, str]) -> Iterator[str]:
    """Functions of the kernels' header that no floor calls, but for those that are there for
    tests."""
    header = "Sources/CGraftKernels/include/graft_kernels.h"
    called = set(re.findall(r"\bgk_\w+", "".join(text for path, text in sources.items() if path.endswith(".swift"))))
    for comment, name in re.findall(r"(?:/\*\*((?:(?!\*/).)*)\*/\n)?\w[^;{}#/]*?\b(gk_\w+)\(", sources[header], re.DOTALL):
        if name not in called and "test" not in comment:
            yield f"{header}: {name} is called by no floor"


def main() -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found, sources = [], {}
    for path in listed:
        try:
            text = Path(path).read_text()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        prose = reader(path, text)
        if prose is None:
            continue
        lines = text.splitlines()
        for number in () if INTERFACE.search(path) else prose(text):
            line = lines[number - 1]
            if len(line) > WIDTH and not EXCEPTION.search(line):
                found.append(f"{path}:{number}: prose of {len(line)} columns")
        if not path.endswith(".md") and len(lines) > LENGTH and not LONG.search(path):
            found.append(f"{path}: {len(lines)} lines")
        if path.startswith("Sources/"):
            sources[path] = text
    found += unused_kernels(sources)
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
