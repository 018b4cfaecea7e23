"""The base models of estimators: one of a folder in a process, however many estimators use it."""

from __future__ import annotations

import os
from threading import Lock
from weakref import WeakValueDictionary

from ..adapter import Adapter
from ..errors import GraftError, Status
from ..model import Model, Precision
from ..session import Session
from ..tokenizer import Tokenizer


class Base:
    """A model and its tokenizer."""

    def __init__(self, path: str, precision: Precision) -> None:
        self.model = Model(path, precision)
        self.tokenizer = Tokenizer(path)


_opened: WeakValueDictionary[tuple[str, str], Base] = WeakValueDictionary()
_turn = Lock()


def opened(path: str | os.PathLike[str], precision: Precision) -> Base:
    """The base model of a folder, which lives as long as an estimator uses it."""
    key = (os.path.realpath(path), precision)
    with _turn:
        base = _opened.get(key)
        if base is None:
            _opened[key] = base = Base(key[0], precision)
        return base


class Fitted:
    """What an estimator learned: an adapter, None for the base model alone, and the base that it
    acts on.

    A pickle has the adapter's files and the base's checksum. What comes of it opens the base again
    where it is needed first, and refuses another.
    """

    def __init__(self, base: Base, adapter: Adapter | None) -> None:
        self._base: Base | None = base
        self._adapter = adapter
        self._session: tuple[Session, tuple[int, int]] | None = None
        self._files: dict[str, bytes] | None = None
        self._checksum = 0

    def open(self, path: str | os.PathLike[str], precision: Precision) -> tuple[Base, Adapter | None]:
        """Base and adapter; the folder is read where they are not open."""
        if self._base is None:
            base = opened(path, precision)
            if base.model.checksum != self._checksum:
                raise GraftError(
                    Status.INCOMPATIBLE,
                    f"{os.fsdecode(path)}: this estimator was fitted on a base model with other weights",
                )
            self._adapter = None if self._files is None else Adapter.from_files(base.model, self._files)
            self._base = base
        return self._base, self._adapter

    def session(self, path: str | os.PathLike[str], precision: Precision, threads: int, maximum_length: int) -> Session:
        """One session for all calls; threads that share it take turns."""
        settings = (threads, maximum_length)
        if self._session is None or self._session[1] != settings:
            base, adapter = self.open(path, precision)
            session = Session(base.model, base.tokenizer, adapter, threads, maximum_length=maximum_length)
            self._session = (session, settings)
        return self._session[0]

    def __getstate__(self) -> dict[str, object]:
        if self._base is None:
            return {**self.__dict__, "_session": None}
        files = None if self._adapter is None else self._adapter.to_files()
        checksum = self._base.model.checksum
        return {"_base": None, "_adapter": None, "_session": None, "_files": files, "_checksum": checksum}
