"""Ctrl-C during a call of the library.

Python runs its signal handlers between bytecodes of the main thread, which a long call into C does
not reach, and a handler that raises inside a callback from C loses its exception. So, for the time
of such a call, Ctrl-C is counted instead of raised, by a thread that waits on the descriptor that
Python writes signal numbers to at once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import TracebackType

STOP = 0  # no signal has this number


class Interrupts:
    """Within the ``with`` block, Ctrl-C calls ``on_interrupt(count)``; at its end it raises
    KeyboardInterrupt.

    Off the main thread, or where the program has a handler of its own for SIGINT, it does nothing.
    """

    def __init__(self, on_interrupt: Callable[[int], None]) -> None:
        self.count = 0
        self._on_interrupt = on_interrupt
        self._active = False

    def __enter__(self) -> Interrupts:
        self._active = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self._active:
            self._reader, self._writer = os.pipe()
            os.set_blocking(self._writer, False)
            signal.signal(signal.SIGINT, lambda number, frame: None)
            self._previous = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
            self._thread = threading.Thread(target=self._watch, name="graft-interrupts", daemon=True)
            self._thread.start()
        return self

    def _watch(self) -> None:
        while True:
            number = os.read(self._reader, 1)[0]
            if number == STOP:
                return
            if number == signal.SIGINT:
                self.count += 1
                self._on_interrupt(self.count)
            elif self._previous >= 0:
                os.write(self._previous, bytes([number]))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._active:
            return
        signal.set_wakeup_fd(self._previous)
        os.write(self._writer, bytes([STOP]))
        self._thread.join()
        os.close(self._reader)
        os.close(self._writer)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.count:
            raise KeyboardInterrupt from error
