"""Finds ``libgraft.so.1`` and opens it.

Looked for in this order: the file that the environment variable ``GRAFT_LIBRARY`` names; beside
this module, where an installed package has it; ``build/lib`` of the source tree around this module;
wherever the system's loader looks.
"""

from __future__ import annotations

import os
from ctypes import CDLL, Structure, byref, sizeof
from typing import Any, TypeVar

from .declarations import SIGNATURES, Status, StatusResult
from .errors import failure

NAME = "libgraft.so.1"


def _check(result: StatusResult, _function: Any, _arguments: Any) -> None:
    if result.value != Status.OK:
        raise failure(result.value, lib.graft_last_error_message().decode("utf-8", "replace"))


def _find() -> str:
    chosen = os.environ.get("GRAFT_LIBRARY")
    if chosen:
        return chosen
    here = os.path.dirname(os.path.realpath(__file__))
    for folder in (here, os.path.join(here, "..", "..", "..", "build", "lib")):
        path = os.path.normpath(os.path.join(folder, NAME))
        if os.path.exists(path):
            return path
    return NAME


def _open() -> CDLL:
    path = _find()
    try:
        library = CDLL(path)
    except OSError as error:
        raise ImportError(
            f"cannot open {path}: {error}. Install the package with the library inside (pip install "
            f"./bindings/python), run make in the source tree, or set GRAFT_LIBRARY."
        ) from error
    for name, (result, *arguments) in SIGNATURES.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise ImportError(f"{error}: expected a {NAME} no older than this package") from None
        function.restype = result
        function.argtypes = arguments
        if result is StatusResult:
            function.errcheck = _check
    return library


#: The opened library. A function that can fail raises :class:`GraftError` when it does.
lib = _open()

AnyStruct = TypeVar("AnyStruct", bound=Structure)


def initialised(kind: type[AnyStruct], init: str) -> AnyStruct:
    """A struct filled with the library's defaults by its function ``init``."""
    struct = kind()
    getattr(lib, init)(byref(struct), sizeof(struct))
    return struct
