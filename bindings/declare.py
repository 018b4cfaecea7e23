"""Writes what follows from the declarations of ``include/graft.h``, or says which of it is stale.

    python3 bindings/declare.py [--check | --sizes HEADER]

- ``include/graft.map``: the functions, for the linker
- ``bindings/python/graft/declarations.py``: all of it, for Python
- ``Sources/Graft/FirstSizes.swift``: the size that each struct with a size had in the release that
  brought it, which is the first of ``Tests/ABI/*/graft.h`` that has it
- ``CHANGELOG.md``: the functions that came with this version

The header keeps to a few forms, so that this stays small: handles, structs without padding, numbers
with named values, callbacks and functions, one name a declaration. Anything else is an error that
names its line. The sizes of the structs of a header are printed as `name=bytes`.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = ROOT / "include" / "graft.h"
MADE = "Written by bindings/declare.py from include/graft.h: make declarations."

#: What a statement of the header looks like. Those without a name declare nothing.
FORMS = {
    "section": r"/\* -+ (?P<body>[^*]+?) -+ \*/",
    "comment": r"/\*(?P<body>.*?)\*/",
    "directive": r'#(?:[^\n]*\\\n)*[^\n]*|extern "C" \{|\}',
    "struct": r"typedef struct (?P<name>graft_\w+) \{(?P<body>.*?)\} (?P=name);",
    "handle": r"typedef struct (?P<name>graft_\w+) (?P=name);",
    "number": r"typedef int32_t (?P<name>graft_\w+);",
    "values": r"enum \{(?P<body>.*?)\};",
    "callback": r"typedef (?P<result>\w+) \(\*(?P<name>graft_\w+)\)\((?P<body>[^()]*)\);",
    "function": r"GRAFT_API (?:GRAFT_MUST_CHECK )?(?P<result>[\w *]+?)\s*\b(?P<name>graft_\w+)\((?P<body>[^()]*)\);",
}
PATTERNS = {form: re.compile(pattern, re.DOTALL) for form, pattern in FORMS.items()}
SIZES = {"int32_t": 4, "float": 4, "int64_t": 8, "uint64_t": 8, "double": 8, "size_t": 8}


@dataclass
class Statement:
    """A statement of the header, with the comment before it and the section that it stands in."""

    form: str
    name: str
    result: str
    body: str
    comment: str
    section: str

    @property
    def variables(self) -> list[tuple[str, str]]:
        """Type and name of each parameter or field."""
        plain = re.sub(r"/\*.*?\*/", "", self.body, flags=re.DOTALL)
        found = []
        for part in plain.split(";" if self.form == "struct" else ","):
            words = " ".join(part.split())
            if words and words != "void":
                match = re.fullmatch(r"((?:const )?\w+ (?:\*|const )*)(\w+)", words)
                if match is None:
                    raise SystemExit(f"{self.name}: expected one type and one name, found {words!r}")
                found.append((match[1].strip(), match[2]))
        return found

    @property
    def values(self) -> list[tuple[str, str, str]]:
        """Name, number and comment of each value."""
        one = re.compile(r"(GRAFT_\w+) = ([^,/]+?)\s*,?(?:\s*/\*\*<(.*?)\*/)?\s*(?=GRAFT_|$)", re.DOTALL)
        return [(name, number, prose(comment)) for name, number, comment in one.findall(self.body)]


def prose(comment: str) -> str:
    """The text of a comment, without what draws it."""
    return " ".join(re.sub(r"^\s*\*+<?", "", line).strip() for line in comment.splitlines()).strip()


def statements(path: Path) -> Iterator[Statement]:
    """Those that declare something."""
    text, place, section, comment = path.read_text(), 0, "", ""
    while text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        found = ((form, pattern.match(text, place)) for form, pattern in PATTERNS.items())
        form, match = next(((form, match) for form, match in found if match), ("", None))
        if match is None:
            line = text.count("\n", 0, place) + 1
            raise SystemExit(f"{path}:{line}: expected {', '.join(FORMS)}, found {text[place : place + 40]!r}")
        place, groups = match.end(), match.groupdict()
        if form == "section":
            section = groups["body"]
        if form == "comment":
            comment = prose(groups["body"])
        elif form in ("section", "directive"):
            comment = ""
        else:
            yield Statement(
                form, groups.get("name", ""), groups.get("result", ""), groups.get("body", ""), comment, section
            )
            comment = ""


class Header:
    """The declarations of a header by what they declare, each in the order of the header."""

    def __init__(self, path: Path) -> None:
        self.all = list(statements(path))
        self.version = ".".join(re.findall(r"#define GRAFT_VERSION_(?:MAJOR|MINOR) (\d+)", path.read_text()))
        self.functions = [one for one in self.all if one.form == "function"]
        self.structs = {one.name: one for one in self.all if one.form == "struct"}
        self.callbacks = {one.name: one for one in self.all if one.form == "callback"}
        self.numbers = {one.name for one in self.all if one.form == "number"}

    def sizes(self) -> dict[str, int]:
        """Bytes of each struct that begins with its own size, so that it can grow."""
        growing = [one for one in self.structs.values() if one.variables[0] == ("size_t", "struct_size")]
        return {one.name: self.size(one) for one in growing}

    def size(self, struct: Statement) -> int:
        total = 0
        for kind, name in struct.variables:
            width = 8 if kind.endswith("*") or kind in self.callbacks else 4 if kind in self.numbers else SIZES[kind]
            if total % width:
                raise SystemExit(f"{struct.name}.{name}: expected no padding before it; {total} bytes come before")
            total += width
        if total % 8:
            raise SystemExit(f"{struct.name}: expected a multiple of 8 bytes, found {total}: add a field `reserved`")
        return total


# ---- The linker's list ----


def symbol_map(header: Header) -> str:
    names = "".join(f"    {name};\n" for name in sorted(one.name for one in header.functions))
    return f"# {MADE}\nGRAFT_1 {{\n  global:\n{names}  local: *;\n}};\n"


# ---- Sizes in Swift ----


def first_sizes(header: Header) -> str:
    known = header.sizes()
    for path in reversed(frozen_headers()):
        known |= {name: size for name, size in Header(path).sizes().items() if name in known}
    extensions = "".join(
        f"extension {name} {{\n    static var firstSize: Int {{ {size} }}\n}}\n\n" for name, size in known.items()
    )
    return f"// {MADE}\n// The sizes are those of the first release that has the struct: Tests/ABI.\nimport CGraft\n\n{extensions.rstrip()}\n"


def frozen_headers() -> list[Path]:
    """The headers of the releases, the oldest first."""
    order = lambda path: [int(number) for number in path.parent.name.split(".")]  # noqa: E731
    return sorted(ROOT.glob("Tests/ABI/*/graft.h"), key=order)


# ---- The changelog's list ----


def changelog(header: Header) -> str:
    """The changelog with the list of this version's functions, by the sections of the header."""
    older: set[str] = set()
    for path in frozen_headers():
        if path.parent.name != header.version:
            older |= {one.name for one in Header(path).functions}
    sections: dict[str, list[str]] = {}
    for one in header.functions:
        if one.name not in older:
            sections.setdefault(one.section, []).append(one.name)
    items = [
        f"- {section}: {', '.join(f'`{name}`' for name in sorted(names))}." for section, names in sections.items()
    ]
    lines = [textwrap.fill(item, 100, subsequent_indent="  ", break_on_hyphens=False) for item in items]
    text = (ROOT / "CHANGELOG.md").read_text()
    begin, end = f"<!-- functions of {header.version}: make declarations -->\n", "<!-- end -->\n"
    before, found, rest = text.partition(begin)
    if not found:
        raise SystemExit(f"CHANGELOG.md: expected the line {begin.strip()}, after which the functions are listed")
    return before + begin + "\n".join(lines) + "\n" + end + rest.partition(end)[2]


# ---- Python ----

C_TYPES = {
    "int32_t": "c_int32",
    "int64_t": "c_int64",
    "uint64_t": "c_uint64",
    "size_t": "c_size_t",
    "float": "c_float",
    "double": "c_double",
    "char *": "c_char_p",
    "void *": "c_void_p",
}

PYTHON = f'''"""What ``graft.h`` declares, for ctypes.

{MADE}
"""

from __future__ import annotations

from ctypes import (
IMPORTS)
from enum import IntEnum
from typing import Any

Handle = c_void_p
Handles = POINTER(c_void_p)


class StatusResult(c_int32):
    """The result type of functions that can fail; a subclass so that ctypes leaves the checking to us."""


'''


class Python:
    """Spells the declarations for ctypes."""

    def __init__(self, header: Header) -> None:
        self.header = header

    def type(self, spelling: str) -> str:
        """The ctypes type of a parameter or field."""
        plain = spelling.replace("const ", "").replace("*const", "*").replace("* *", "**")
        target, pointers = plain.rstrip(" *"), plain.count("*")
        if target in self.header.numbers:
            return "c_int32"
        if target in self.header.callbacks:
            return self.name(target)
        if target in self.header.structs:
            return f"POINTER({self.struct(target)})"
        if target.startswith("graft_"):
            return "Handle" if pointers == 1 else "Handles"
        if plain in C_TYPES:
            return C_TYPES[plain]
        return f"POINTER({C_TYPES[target if pointers == 1 else target + ' *']})"

    def result(self, spelling: str) -> str:
        return {"void": "None", "graft_status": "StatusResult"}.get(spelling) or self.type(spelling)

    def name(self, name: str) -> str:
        return "".join(word.capitalize() for word in name.removeprefix("graft_").split("_"))

    def struct(self, name: str) -> str:
        """Options have the plain name; that of others is for the class that a program sees."""
        return self.name(name) + ("" if name.endswith("_options") else "Struct")

    def declarations(self) -> str:
        """All but the functions, in the order of the header."""
        parts, number = [], ""
        for one in self.header.all:
            if one.form == "values":
                parts.append(self.status(one) if number == "graft_status" else self.constants(one, number))
            elif one.form == "struct":
                fields = "".join(f'        ("{name}", {self.type(kind)}),\n' for kind, name in one.variables)
                fields = f"    _fields_ = [\n{fields}    ]\n"
                parts.append(f'class {self.struct(one.name)}(Structure):\n    """``{one.name}``."""\n\n{fields}')
            elif one.form == "callback":
                # A text stays a pointer: ctypes would make bytes of it, up to its first NUL.
                kinds = [self.type(kind).replace("c_char_p", "c_void_p") for kind, _ in one.variables]
                arguments = ", ".join([self.type(one.result), *kinds])
                parts.append(f"{self.name(one.name)} = CFUNCTYPE({arguments})\n")
            number = one.name if one.form == "number" else ""
        return "\n\n".join(parts)

    def status(self, values: Statement) -> str:
        text = "class Status(IntEnum):\n"
        text += '    """What kind of thing went wrong; the values of ``graft_status`` in ``graft.h``."""\n\n'
        for name, number, comment in values.values:
            text += f"    #: {comment}\n" if comment else ""
            text += f"    {re.sub('^GRAFT_(ERROR_)?', '', name)} = {number}\n"
        return text

    def constants(self, values: Statement, number: str) -> str:
        """The names of a choice with their values; a constant where it is none: below 0, or of no
        type."""
        text, choices = "", []
        for name, value, _ in values.values:
            if number and not value.startswith("-"):
                choices.append(f'    "{name.removeprefix(number.upper() + "_").lower()}": {value},\n')
            else:
                text += f"{name.removeprefix('GRAFT_')} = {value}\n"
        if choices:
            table = f"{number.removeprefix('graft_').upper()}_CHOICES"
            text += f"{table}: dict[str, int] = {{\n{''.join(choices)}}}\n"
        return text

    def signatures(self) -> str:
        text, section = "", ""
        for one in self.header.functions:
            kinds = [self.result(one.result), *(self.type(kind) for kind, _ in one.variables)]
            if one.section != section:
                section = one.section
                text += f"    # {section}\n"
            line = f'    "{one.name}": ({", ".join(kinds)}{"," if len(kinds) == 1 else ""}),\n'
            if len(line) > 120:
                line = f'    "{one.name}": (\n' + "".join(f"        {kind},\n" for kind in kinds) + "    ),\n"
            text += line
        return f"#: Result and arguments of every function.\nSIGNATURES: dict[str, tuple[Any, ...]] = {{\n{text}}}\n"

    def text(self) -> str:
        text = f"{PYTHON}{self.declarations()}\n\n{self.signatures()}"
        used = ("CFUNCTYPE", "POINTER", "Structure", *sorted(set(re.findall(r"\bc_\w+", text))))
        return text.replace("IMPORTS", "".join(f"    {name},\n" for name in used), 1)


def main() -> None:
    if sys.argv[1:2] == ["--sizes"]:
        print(*(f"{name}={size}" for name, size in Header(Path(sys.argv[2])).sizes().items()))
        return
    header = Header(HEADER)
    made = {
        "include/graft.map": symbol_map(header),
        "bindings/python/graft/declarations.py": Python(header).text(),
        "Sources/Graft/FirstSizes.swift": first_sizes(header),
        "CHANGELOG.md": changelog(header),
    }
    paths = {ROOT / name: text for name, text in made.items()}
    stale = [path for path, text in paths.items() if not path.exists() or path.read_text() != text]
    if sys.argv[1:] == ["--check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what include/graft.h says: make declarations")
        sys.exit(1 if stale else 0)
    for path in stale:
        path.write_text(paths[path])


if __name__ == "__main__":
    main()
