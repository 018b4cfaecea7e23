"""What is wrong with a table, and where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..data.table import Table
from ..errors import GraftError, invalid, rows_named, with_source


@contextmanager
def places_named(table: Table) -> Iterator[None]:
    """Errors of what becomes of a table: those about a row by its number say where it stands, and
    others what the table was read from."""
    named: list[int] = []

    def place(row: int) -> str:
        named.append(row)
        return table.place(row)

    try:
        with rows_named(place):
            yield
    except GraftError as error:
        if named:
            raise
        raise with_source(table.source, error) from None


def check_classes(table: Table, learned: str) -> None:
    """Refuses labels of which there is nothing to tell apart."""
    names = table.label_names
    if learned in ("label", "tags") and len(names) == 1:
        kind = "class" if learned == "label" else "tag"
        raise invalid(
            f"one {kind} only, {names[0]!r}: there is nothing to tell apart; label_names names more"
        )
    if learned == "entities" and not any(table["entities"]):
        raise invalid("no row has an entity; label_names names the tags of some")
    if learned == "labels" and not names:
        raise invalid("no row has a label; label_names names some")


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
                raise invalid(f"row {row}: label {label!r} is not among {some}{rest}")


def check_numbers(table: Table) -> list[float]:
    """The targets of rows that have one each."""
    for row, value in enumerate(table["target"]):
        if isinstance(value, list):
            raise invalid(f"row {row}: target: expected one number, found {len(value)}")
    return table["target"]


def pairs_of(table: Table) -> list[str] | None:
    """Second texts, where there are any."""
    return table["pair"] if "pair" in table else None
