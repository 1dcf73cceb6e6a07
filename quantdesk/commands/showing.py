"""Show how far a command is on standard error, and let Ctrl+C end it between two steps."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Exit code of what was stopped by Ctrl+C.
STOPPED = 130


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """Let the first Ctrl+C end the work between two steps; a second one interrupts at once."""
    stopped = threading.Event()

    def heard(*_: Any) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    before = {name: signal.signal(name, heard) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for name, act in before.items():
            signal.signal(name, act)


class Shown:
    """Show progress on standard error: one line that changes in a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._out = sys.stderr
        self._terminal = self._out.isatty()
        self._next = 0.0
        self._drawn = False

    def show(self, done: float, words: str) -> None:
        """Show how far it is (0 to 1), if it is time."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (0.1 if self._terminal else 5.0)
        text = f"{done:4.0%}  {words}"
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._out.write(f"\r{text[:width]}\x1b[K")
            self._drawn = True
        else:
            self._out.write(f"{text}\n")
        self._out.flush()

    def end(self) -> None:
        """Leave an empty line to whatever is printed next."""
        if self._drawn:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._drawn = False
