"""Read recorded websocket frames: one ``<local_ns> <frame>`` a line, plain or gzipped."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from quantdesk.config import ConfigError

#: A longer line is no frame: it is skipped in slices, so that memory stays bounded.
MAX_LINE_BYTES = 4 << 20

_LINE = re.compile(rb"(?:(\d{1,10})\.(\d{1,9})\d*:?|(\d{1,19}))[ \t]+(\S.*)")
_GZIP_MAGIC = b"\x1f\x8b"


class RecordingError(ConfigError):
    """Say in one line why a recording cannot be read."""


class Recording:
    """Iterate over (local time in ns, frame) of a recorded file, streaming; each iteration starts anew.

    Also reads the form ``<seconds with fraction>: <frame>``. A line of another form, or longer than
    ``MAX_LINE_BYTES``, is skipped and counted in ``skipped``. A file whose compressed data end early
    or are damaged yields what can be read and says so in ``damage``.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            what = "is a folder: name a file" if path.is_dir() else "there is no such file"
            raise RecordingError(f"{path}: {what}")
        self.path = path
        self.skipped = 0
        self.damage = ""

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        self.skipped, self.damage = 0, ""
        try:
            with self._open() as lines:
                for line in self._lines(lines):
                    stamped = _stamped(line)
                    if stamped is None:
                        self.skipped += bool(line)
                        continue
                    yield stamped
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.damage = f"{self.path.name}: the compressed data are damaged: {error}"
        except OSError as error:
            raise RecordingError(f"{self.path}: {error.strerror or error}") from error

    def _open(self) -> IO[bytes]:
        with self.path.open("rb") as file:
            magic = file.read(len(_GZIP_MAGIC))
        return gzip.open(self.path) if magic == _GZIP_MAGIC else self.path.open("rb")  # type: ignore[return-value]  # a GzipFile reads like any binary file

    def _lines(self, file: IO[bytes]) -> Iterator[bytes]:
        too_long = False
        while line := file.readline(MAX_LINE_BYTES):
            ends = line.endswith(b"\n")
            if too_long or (not ends and len(line) == MAX_LINE_BYTES):
                self.skipped += not too_long
                too_long = not ends
                continue
            yield line.rstrip()


def frame_of(line: bytes) -> bytes:
    """Return the frame of one recorded line; raises ValueError where it holds none."""
    stamped = _stamped(line.rstrip())
    if stamped is None:
        raise ValueError("no recorded frame")
    return stamped[1]


def _stamped(line: bytes) -> tuple[int, bytes] | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    seconds, fraction, local_ns, frame = match.groups()
    return int(local_ns or seconds + fraction.ljust(9, b"0")), frame


def read_frames(path: Path) -> Recording:
    """Return the recorded frames of ``path``, an iterable of (local_ns, frame) that counts skipped lines."""
    return Recording(path)
