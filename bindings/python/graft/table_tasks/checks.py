"""What is wrong with a table, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from ..data.table import Table
from ..errors import GraftError, failure, invalid, with_source


@contextmanager
def places_named(table: Table) -> Iterator[None]:
    """Errors about a row by its number say where it stands; others, what the table was read
    from."""
    try:
        yield
    except GraftError as error:
        found = re.match(r"row (\d+): ", str(error))
        if found is None:
            raise with_source(table.source, error) from None
        message = f"{table.place(int(found[1]))}: {str(error)[found.end() :]}"
        raise failure(error.status, message) from None


def check_classes(table: Table, learned: str) -> None:
    """Refuses labels of which there is nothing to tell apart."""
    names = table.label_names
    if learned in ("label", "tags") and len(names) == 1:
        kind = "class" if learned == "label" else "tag"
        raise invalid(
            f"{table.source}: one {kind} only, {names[0]!r}: there is nothing to tell apart; label_names names more"
        )
    if learned == "entities" and not any(table["entities"]):
        raise invalid(f"{table.source}: no row has an entity; label_names names the tags of some")
    if learned == "labels" and not names:
        raise invalid(f"{table.source}: no row has a label; label_names names some")


def check_labels(table: Table, learned: str, names: list[str] | None) -> None:
    """Labels that training did not see are named with their places; None: it is what sees them."""
    if names is None:
        check_classes(table, learned)
        return
    known = set(names)
    for row, value in enumerate(table[learned]):
        for label in [value] if learned == "label" else value:
            if label not in known:
                some = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
                unseen = set(table.label_names) - known
                rest = "" if len(unseen) == 1 else f"; nor are {len(unseen) - 1} more labels of this table"
                raise invalid(f"{table.place(row)}: label {label!r} is not among {some}{rest}")


def pairs_of(table: Table) -> list[str] | None:
    """Second texts, where there are any."""
    return table["pair"] if "pair" in table else None
