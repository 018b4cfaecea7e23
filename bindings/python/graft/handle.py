"""What all objects of the library have in common: a pointer, and one release."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from ctypes import c_void_p
from functools import wraps
from threading import RLock
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from .errors import invalid
from .library import lib

Self = TypeVar("Self", bound="Handle")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Handle:
    """Owns one object of the library.

    It is given back by :meth:`release`, at the end of a ``with`` block, or when Python drops it; in
    any order, since the library keeps alive what an object was made from.
    """

    _release_function: str

    def __init__(self, pointer: c_void_p) -> None:
        self._pointer: int | None = pointer.value
        self._finalizer = weakref.finalize(self, getattr(lib, self._release_function), pointer.value)
        self._turn = RLock()
        self._is_in_use = False

    @classmethod
    def pointer_of(cls, handle: Handle) -> c_void_p:
        """The pointer of an argument that must be of this class."""
        if not isinstance(handle, cls):
            raise TypeError(f"expected a graft.{cls.__name__}, found {type(handle).__name__}")
        return handle.pointer

    @property
    def pointer(self) -> c_void_p:
        """The handle as the library knows it. Raises when it was released."""
        if self._pointer is None:
            raise invalid(f"this {type(self).__name__} was released")
        return c_void_p(self._pointer)

    def release(self) -> None:
        """Gives the object back to the library; more than once does no harm."""
        self._pointer = None
        self._finalizer()

    def __repr__(self) -> str:
        name = f"graft.{type(self).__name__}"
        return f"<{name}, released>" if self._pointer is None else f"<{name}{self._description()}>"

    def _description(self) -> str:
        """What stands after the name in a representation."""
        return ""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __reduce__(self) -> Any:
        name = type(self).__name__
        raise TypeError(f"this {name} cannot be copied or pickled: it lives in the library, in this process only")


def exclusive(
    method: Callable[Concatenate[Self, Arguments], Result],
) -> Callable[Concatenate[Self, Arguments], Result]:
    """A method during which the library needs the object for itself.

    Threads that share the object take turns. A call within a call, as from its callback, is
    refused.
    """

    @wraps(method)
    def call(self: Self, /, *arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        with self._turn:
            if self._is_in_use:
                raise invalid(f"this {type(self).__name__} is in the middle of a call: callbacks cannot make one")
            self._is_in_use = True
            try:
                return method(self, *arguments, **options)
            finally:
                self._is_in_use = False

    return call
