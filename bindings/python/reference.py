"""Prints docs/python.md, the reference of the package, from its docstrings.

    PYTHONPATH=bindings/python python bindings/python/reference.py > docs/python.md
"""

from __future__ import annotations

import inspect
import re
import textwrap
from types import FunctionType, ModuleType
from typing import Any

import graft


def plain(text: str) -> str:
    """A paragraph of a docstring on one line, its names as Markdown's code."""
    return re.sub(r":\w+:`\.?([\w.]+)`", r"`\1`", " ".join(text.split())).replace("``", "`")


def markdown(docstring: str) -> str:
    """A docstring in Markdown: its parameters become a list, as its lists are, its examples blocks
    of code."""
    parts: list[str] = []
    for paragraph in re.split(r"\n\n|\n(?=:param |- )", inspect.cleandoc(docstring)):
        if paragraph.startswith((">>> ", "... ")):
            code = "\n".join(line[4:] for line in paragraph.splitlines())
            parts.append(f"```python\n{code}\n```")
            continue
        text = plain(paragraph)
        match = re.match(r":param (\w+): (.*)", text)
        text = f"- `{match[1]}`: {match[2]}" if match else text
        is_item = text.startswith("- ")
        indent = "  " if is_item else ""
        wrapped = textwrap.fill(
            text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        if is_item and parts and parts[-1].startswith("- "):
            parts[-1] += "\n" + wrapped
        else:
            parts.append(wrapped)
    return "\n\n".join(parts)


def signature(name: str, function: Any, drops_self: bool) -> str:
    """``name(...)`` as one would call it, with defaults, over several lines where it is long."""
    called = inspect.signature(function)
    parameters = list(called.parameters.values())[1 if drops_self else 0 :]
    words: list[str] = []
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        words.append(f"{stars}{parameter.name}: {parameter.annotation}{default}")
    returned = called.return_annotation
    ending = ")" if returned in ("None", inspect.Signature.empty, None) else f") -> {returned}"
    line = f"{name}({', '.join(words)}{ending}"
    return line if len(line) <= 98 else f"{name}(\n" + "".join(f"    {word},\n" for word in words) + ending


def parts_of(kind: type) -> list[type]:
    """A class, after those whose fields and methods are an estimator's, or a session's, as well."""
    modules = ("graft.estimators.", "graft.answering", "graft.choosing", "graft.generating", "graft.mask_filling")
    shared = [base for base in reversed(kind.__mro__) if base.__module__.startswith(modules)]
    shared += [] if kind in shared or not shared else [kind]
    return shared or [kind]


def attributes(kind: type) -> list[str]:
    """Lines for what a class declares with ``#:`` comments and for its properties."""
    lines = inspect.getsource(kind).splitlines()
    found: list[str] = []
    for number, line in enumerate(lines):
        declared = re.match(r"    (\w+)(?:: | = )", line) or re.match(r"        self\.(\w+) = ", line)
        comments: list[str] = []
        while number and (comment := re.match(r" +#: (.*)", lines[number - 1])):
            comments.insert(0, comment[1])
            number -= 1
        if declared and comments and not declared[1].startswith("_"):
            found.append(f"- `{declared[1]}`: {plain(' '.join(comments))}")
    for name, member in vars(kind).items():
        if isinstance(member, property) and not name.startswith("_"):
            found.append(f"- `{name}`: {plain(inspect.cleandoc(member.__doc__ or ''))}")
    return [textwrap.fill(line, 100, subsequent_indent="  ", break_long_words=False) for line in found]


def class_entry(name: str, kind: type) -> list[str]:
    """A class: how it is made, what it is, what it has and what it can."""
    parts = [f"## {name}"]
    if "__init__" in vars(kind) and not issubclass(kind, BaseException):
        parts.append(f"```python\n{signature(f'graft.{name}', kind.__init__, True)}\n```")
    parts.append(markdown(kind.__doc__ or ""))
    own = [line for part in parts_of(kind) for line in attributes(part)]
    if own:
        parts.append("\n".join(own))
    members = {name: member for part in parts_of(kind) for name, member in vars(part).items()}
    for method, member in members.items():
        if method.startswith("_") or isinstance(member, property):
            continue
        function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if isinstance(function, FunctionType):
            owner = f"graft.{name}" if isinstance(member, classmethod) else name.lower()
            shown = signature(f"{owner}.{method}", function, True)
            parts += [f"### {name}.{method}", f"```python\n{shown}\n```", markdown(function.__doc__ or "")]
    return parts


def function_entry(title: str, name: str, function: FunctionType) -> list[str]:
    return [f"### {title}", f"```python\n{signature(name, function, False)}\n```", markdown(function.__doc__ or "")]


def main() -> None:
    parts = [
        "# The Python package",
        "<!-- bindings/python/reference.py writes this page from the docstrings: make reference. -->",
        markdown(graft.__doc__ or ""),
    ]
    functions: list[str] = []
    modules: list[str] = []
    for name in graft.__all__:
        member = getattr(graft, name)
        if isinstance(member, type):
            parts += class_entry(name, member)
        elif isinstance(member, FunctionType):
            functions += function_entry(name, f"graft.{name}", member)
        elif isinstance(member, ModuleType):
            modules += [f"## graft.{name}", markdown(member.__doc__ or "")]
            for function in member.__all__:
                shown = f"{name}.{function}"
                modules += function_entry(shown, shown, getattr(member, function))
    print("\n\n".join([*parts, "## Functions", *functions, *modules]))


if __name__ == "__main__":
    main()
