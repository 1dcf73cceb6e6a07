"""Write the log: one file that rotates, below the log folder, shared by the desk and ``record``."""

from __future__ import annotations

import logging
import os
import re
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

FILE_NAME = "quantdesk.log"
MOST_BYTES = 1_000_000
#: Full files that stay beside the one that is written.
KEPT = 4
#: Lines that wait while the disk takes none; beyond, the oldest go.
_MOST_WAITING = 1_000
#: Where the file cannot be rotated it may grow to so many times its size, then it begins anew.
_SWOLLEN = 5


class SharedLogFile(logging.Handler):
    """Append to a file that other programs append to as well; no one holds it open between two lines.

    So any of them may rotate it (Windows renames no open file), and what one writes while another
    rotates is in the one file or in the other. A disk that takes nothing keeps lines waiting, and
    nothing is ever said on stderr about it.
    """

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES, kept: int = KEPT) -> None:
        """Open and close the file once; raise OSError where it cannot be written."""
        super().__init__()
        self._path, self._most, self._kept = path, most_bytes, kept
        self._waiting: deque[str] = deque(maxlen=_MOST_WAITING)
        with path.open("ab"):
            pass

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, and those that had to wait."""
        try:
            self._waiting.append(self.format(record) + "\n")
        except Exception:  # noqa: BLE001  # a message that does not fit its arguments is a bug, told as always
            self.handleError(record)
            return
        try:
            size = self._path.stat().st_size if self._path.exists() else 0
            swollen = size >= self._most and not self._rotate() and size >= _SWOLLEN * self._most
            text = "".join(self._waiting).encode("utf-8", "backslashreplace")
            with self._path.open("wb" if swollen else "ab") as file:
                file.write(text)
        except OSError:
            return  # they wait for the next one
        self._waiting.clear()

    def _rotate(self) -> bool:
        """Put the full file aside and remove the oldest of those; return whether the file is now another one."""
        # A name of its own: two programs that are at it at once replace nothing of one another.
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        try:
            if self._path.stat().st_size >= self._most:  # else another program was faster
                self._path.rename(self._path.with_name(f"{self._path.name}.{stamp}-{os.getpid()}"))
        except FileNotFoundError:
            return True
        except OSError:  # it is being written this moment, or may not be renamed
            return False
        named = re.compile(re.escape(self._path.name) + r"\.\d{8}-\d{6}-\d{6}-\d+")
        full = sorted(each for each in self._path.parent.iterdir() if named.fullmatch(each.name))
        for oldest in full[: -self._kept]:
            with suppress(OSError):  # the other program's, by now
                oldest.unlink()
        return True


def start_log(folder: Path, *, terminal: bool = False) -> Path | None:
    """Log to a rotating file; return its path, or None where none can be written.

    With ``terminal`` warnings go on being written to stderr as well.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for noisy in ("websockets", "qasync", "asyncio", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target = SharedLogFile(folder / FILE_NAME)
    except OSError:
        return None  # a full or read-only disk must keep nothing from starting
    target.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s"))
    root.addHandler(target)
    if terminal and logging.lastResort is not None:
        root.addHandler(logging.lastResort)
    return folder / FILE_NAME


def stop_log() -> None:
    """Write to the file no longer."""
    root = logging.getLogger()
    for target in [each for each in root.handlers if isinstance(each, SharedLogFile) or each is logging.lastResort]:
        root.removeHandler(target)
        if isinstance(target, SharedLogFile):
            target.close()
