"""Let one process at a time write to a store; the system frees the lock when the process dies."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

from quantdesk.store.base import StoreBusyError, StoreError

_BUSY = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK)
#: Windows locks bytes against reading, too: this one lies behind the process id.
_LOCKED_BYTE = 4_096


class WriterLock:
    """Hold the file ``<store>.lock`` while this process writes to the store.

    The file stays when the lock is let go: removing it would race with the next holder.
    """

    def __init__(self, store: Path) -> None:
        """Take the lock, or raise StoreBusyError naming the process that has it."""
        path = store.with_name(store.name + ".lock")
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        except OSError as error:
            raise StoreError(f"cannot write beside the store in {store.parent}: {error.strerror}") from error
        try:
            _lock(self._fd)
        except OSError as error:
            holder = os.read(self._fd, 32).decode("ascii", "replace").strip()
            os.close(self._fd)
            if error.errno not in _BUSY:
                raise StoreError(f"cannot lock {path}: {error.strerror}") from error
            named = f" (process {holder})" if holder.isdecimal() else ""
            raise StoreBusyError(
                f"another quantdesk{named} writes to the store {store}: quit it, or name another --data-dir"
            ) from error
        os.ftruncate(self._fd, 0)
        os.write(self._fd, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the next process write."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):  # a full disk must not keep the lock
                os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def _lock(fd: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(fd, 0, os.SEEK_SET)
    else:
        import fcntl

        # flock belongs to the open file: a second store in this process is refused as well.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
