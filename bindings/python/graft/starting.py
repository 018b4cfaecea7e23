"""The adapter that a training begins with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from .adapter import Adapter
from .errors import invalid
from .lost_tokens import warn
from .model import Model


def first_adapter(
    model: Model,
    start: str | os.PathLike[str] | None,
    method: str,
    config: Mapping[str, Any] | None,
    seed: int,
    task: str,
    labels: Iterable[str],
    **head: Any,
) -> Adapter:
    """A fresh one, or one that goes on.

    :param start: folder of the one that goes on, whose method and settings stay; None: a fresh one.
    :param head: arguments of :meth:`Adapter.set_head`. The head of one that goes on stays where its
        task and labels are these; else it is replaced, with a warning.
    """
    names = list(labels)
    if start is None:
        adapter = Adapter.create(model, method, config, seed)
    elif config is not None:
        raise invalid(f"config: the adapter in {os.fsdecode(start)} has settings of its own; expected None")
    else:
        adapter = Adapter.load(model, start)
    if adapter.task != task or names and adapter.labels != names:
        if start is not None and adapter.task is not None:
            known = f"{adapter.task} with {', '.join(adapter.labels)}" if adapter.labels else adapter.task
            warn(f"{os.fsdecode(start)}: its head, for {known}, is replaced by a fresh one for what is learned now")
        adapter.set_head(task, names, **head)
    return adapter
