"""The exception that Graft raises."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .declarations import Status

__all__ = [
    "GraftError", "InvalidArgumentError", "Status", "failure", "invalid", "not_fitted", "rows_named", "with_source"
]  # fmt: skip


class GraftError(Exception):
    """A call failed: ``status`` says how, the message what was expected, what was found, and where.

    >>> try:
    ...     graft.Model("no/such/folder")
    ... except graft.GraftError as error:
    ...     if error.status is not graft.Status.NOT_FOUND:
    ...         raise
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        try:
            self.status: int = Status(status)
        except ValueError:  # from a newer library than this package
            self.status = status

    def __reduce__(self) -> tuple[type[GraftError], tuple[int, str]]:
        return type(self), (self.status, str(self))


class InvalidArgumentError(GraftError, ValueError):
    """A :class:`GraftError` of status INVALID_ARGUMENT, which is a ValueError as well."""


def failure(status: int, message: str) -> GraftError:
    """The error for a status of the library."""
    return (InvalidArgumentError if status == Status.INVALID_ARGUMENT else GraftError)(status, message)


def with_source(source: str, error: GraftError) -> GraftError:
    """The same error with what it is about."""
    return failure(error.status, f"{source}: {error}")


@contextmanager
def rows_named(name: Callable[[int], str | None], rows_of: str = "") -> Iterator[None]:
    """Errors that begin with a row's number call it by what ``name`` gives for it; None: as it is.

    :param rows_of: what else they begin with, of those that are meant: "the training set: ".
    """
    try:
        yield
    except GraftError as error:
        found = re.match(re.escape(rows_of) + r"row (\d+)\b", str(error))
        known = None if found is None else name(int(found[1]))
        if found is None or known is None:
            raise
        raise failure(error.status, known + str(error)[found.end() :]) from None


def invalid(message: str) -> GraftError:
    """The error for a caller's mistake that is found before the library is asked."""
    return InvalidArgumentError(Status.INVALID_ARGUMENT, message)


class NotFittedError(ValueError, AttributeError):
    """An estimator was asked for what only :meth:`fit` gives it. In a program that has scikit-learn
    imported it is scikit-learn's own instead."""


def not_fitted(name: str) -> Exception:
    """The error for an estimator of that name."""
    own = getattr(sys.modules.get("sklearn.exceptions"), "NotFittedError", NotFittedError)
    error: Exception = own(f"this {name} is not fitted yet: call fit first")
    return error
