"""All tasks of tables."""

from __future__ import annotations

from ..batch import Batch
from ..data.columns import BESIDE, LEARNED
from ..data.table import Table
from ..errors import invalid
from ..tokenizer import Tokenizer
from .answers import Answers
from .checks import places_named
from .choices import Choices
from .conversations import Conversations
from .label_sets import LabelSets
from .labels import Labels
from .masked_words import MaskedWords
from .numbers import Numbers
from .preferred import Preferred
from .rankings import Rankings
from .table_task import Making, TableTask
from .tags import Tags
from .vectors import Vectors
from .written import Written

#: The first that fits the columns of a table is what it is for.
TABLE_TASKS: tuple[TableTask, ...] = (
    Tags(), Answers(), Choices(), Rankings(), Written(), Preferred(), Conversations(), LabelSets(), Labels(), Numbers(),
    MaskedWords(), Vectors(),
)  # fmt: skip


def task_names() -> list[str]:
    """What a table may be said to be for."""
    return [own.name for own in TABLE_TASKS]


def batch_of(
    tokenizer: Tokenizer, table: Table, task: str | None, making: Making
) -> tuple[Batch, list[str]]:
    """What the task makes of the rows of a table; errors say where these stand."""
    own = task_of(table, task)
    with places_named(table):
        return own.batch(tokenizer, table, making)


def task_of(table: Table, name: str | None = None) -> TableTask:
    """The task that a table is for; or the one of a name, or of the heads of adapters that are for
    it, where its columns fit."""
    named = [own for own in TABLE_TASKS if name is None or name in (own.name, own.task)]
    if not named:
        raise invalid(f"task: expected one of {', '.join(task_names())}; found {name!r}")
    candidates = [(own, columns) for own in named for columns in own.columns]
    if name is not None:
        candidates += [(own, columns) for own in named for columns in own.columns_when_said]
    for own, columns in candidates:
        if all(column in table for column in columns):
            return own
    found = ", ".join(table.columns) or "no rows"
    if name is None:
        beside = ", ".join(f"{second} with {first}" for first, second in BESIDE if first != "context")
        expected = f"{', '.join(LEARNED)}; {beside}; or question, context and answers"
        raise invalid(f"{table.source}: nothing to learn: expected one of {expected}; found {found}")
    needed = " or ".join(" and ".join(columns) for own in named for columns in (*own.columns, *own.columns_when_said))
    raise invalid(f"{table.source}: {name} needs {needed}; found {found}")
