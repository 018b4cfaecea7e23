"""What is chosen by name, with settings: optimizers, schedules, losses, step plans."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import c_double
from typing import Any

from .errors import invalid
from .library import lib
from .values import c_number, name_bytes


def _settings_by_name(kind: str) -> dict[str, dict[str, Any]]:
    import json  # here, since most programs ask for none

    count, name, settings = (getattr(lib, f"graft_{kind}_{part}") for part in ("count", "name", "settings"))
    return {name(index).decode(): json.loads(settings(name(index))) for index in range(count())}


def optimizers() -> dict[str, dict[str, Any]]:
    """The optimizers of this library by name, each with the type, default, range and meaning of its
    settings."""
    return _settings_by_name("optimizer")


def schedules() -> dict[str, dict[str, Any]]:
    """The schedules of the learning rate, as :func:`optimizers`."""
    return _settings_by_name("schedule")


def losses() -> dict[str, dict[str, Any]]:
    """The losses of ``"sentence_embedding"``, of rankings and of preferences, as
    :func:`optimizers`."""
    return _settings_by_name("loss")


def step_plans() -> dict[str, dict[str, Any]]:
    """The step plans, as :func:`optimizers`."""
    return _settings_by_name("step_plan")


def set_choice(
    options: Any, kind: str, name: str | None, settings: Mapping[str, Any] | None, **given: float | None
) -> None:
    """Sets the fields of an options struct that choose: ``name``, None for the default, and
    ``settings`` with those that were ``given``."""
    import json

    if name is not None:
        setattr(options, kind, name_bytes(name, kind))
    merged = dict(settings or {})
    for key, value in given.items():
        if value is None:
            continue
        if key in merged:
            raise invalid(f"{key}: given as an argument and in {kind}_settings")
        merged[key] = c_number(c_double, value, key)
    try:
        text = json.dumps(merged, allow_nan=False)
    except ValueError as error:
        raise invalid(f"{kind}_settings: {error}") from None
    setattr(options, f"{kind}_settings", text.encode())
