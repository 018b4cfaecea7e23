"""Packages of others, which are imported when a callback that needs them is made."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import GraftError, Status


def needed(module: str, package: str, of: str) -> Any:
    """A module; without it an error of status UNSUPPORTED that names the package to install."""
    try:
        return import_module(module)
    except ImportError as error:
        raise GraftError(Status.UNSUPPORTED, f"{of} needs {package}: {error}; pip install {package}") from error
