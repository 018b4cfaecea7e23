"""The exception that Graft raises."""

from __future__ import annotations

from .declarations import Status

__all__ = ["GraftError", "Status", "invalid"]


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


def invalid(message: str) -> GraftError:
    """The error for a caller's mistake that is found before the library is asked."""
    return GraftError(Status.INVALID_ARGUMENT, message)
