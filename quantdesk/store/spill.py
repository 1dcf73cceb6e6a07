"""Keep what a store does not take in an append-only file beside it: checked, synced, bounded."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from quantdesk.store.base import DiskLowError, StoreError
from quantdesk.store.spill_records import (
    HEAD,
    MAX_RECORD,
    Kept,
    RecordError,
    checksum,
    decode,
    encode,
    framed,
    ticks_of,
)

VERSION = 1
_log = logging.getLogger(__name__)

_MAGIC = b"qdspill\n"
#: Magic, version, seed of the records' checksums, checksum of these.
_HEADER = len(_MAGIC) + 12
_COPY = 1 << 20


class Spill:
    """Hold records in order between ``append`` at the end and ``read`` at the front; used by one thread.

    The file exists only while something waits in it. What is read stays in the file until
    ``clear``: whoever is killed meanwhile replays all of it, and the store ignores what it has.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.damaged_bytes = 0  #: set aside because they could not be read
        self.waiting = 0  #: trades not replayed yet
        self._max_bytes = max_bytes
        self._file: BinaryIO | None = None
        self._seed = 0
        self._end = self._at = self._next = 0
        self._next_ticks = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing waits."""
        return self._end <= _HEADER

    @property
    def is_replayed(self) -> bool:
        """Tell whether all that the file holds has been taken."""
        return self._at >= self._end

    @property
    def aside(self) -> Path:
        """Name the file that damaged records are moved to."""
        return self.path.with_name(self.path.name + ".damaged")

    def open(self) -> None:
        """Take over what an earlier session left: the longest valid prefix; the rest is set aside.

        Raises StoreError where the file cannot be read or is of a newer version; it is not touched then.
        """
        try:
            file = self.path.open("r+b", buffering=0)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"the spill file {self.path} cannot be opened: {error.strerror}") from error
        try:
            with in_words(self.path):
                self._look(file)
        except BaseException:
            self._file = None
            file.close()
            raise

    def append(self, works: Sequence[Kept]) -> None:
        """Put works at the end and on disk, all of them or none.

        Raises StoreError in words when the bound is hit or the disk takes no more, OverflowError for
        numbers that no record can hold.
        """
        payloads = [payload for work in works for payload in encode(work)]
        if not payloads:
            return
        with in_words(self.path):
            if self._file is None:
                self._create()
            records = b"".join(framed(payload, self._seed) for payload in payloads)
            if self._end + len(records) > self._max_bytes:
                raise DiskLowError(f"the spill file {self.path} has reached its bound of {self._max_bytes / 1e9:g} GB")
            self._put(records)
        self.waiting += sum(map(ticks_of, payloads))

    def read(self, rows: int) -> list[Kept]:
        """Return the next works, at least one and about ``rows`` trades; the same ones until ``advance``.

        A record that was whole and no longer is ends the file: it is set aside with what follows.
        """
        works: list[Kept] = []
        self._next, self._next_ticks = self._at, 0
        with in_words(self.path):
            while self._next < self._end and self._next_ticks < rows:
                payload = self._record(self._next)
                work = None if payload is None else _sensible(payload)
                if payload is None or work is None:
                    self._cut(self._next)
                    self.waiting = self._next_ticks
                    break
                works.append(work)
                self._next += HEAD + len(payload)
                self._next_ticks += ticks_of(payload)
        return works

    def advance(self) -> None:
        """Go on behind what was read last: it is in the store."""
        self._at = self._next
        self.waiting -= self._next_ticks
        self._next_ticks = 0

    def clear(self) -> None:
        """Remove the file: all of it is in the store. Raises StoreError where it cannot be emptied."""
        if self._file is None:
            return
        with in_words(self.path):
            self._file.truncate(0)
            os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        self._end = self._at = self._next = self.waiting = 0
        with contextlib.suppress(OSError):  # an empty file is as good as none
            self.path.unlink()

    def close(self) -> None:
        """Let go of the file; what waits in it stays."""
        if self._file is not None and self.is_empty:
            with contextlib.suppress(StoreError):
                self.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _look(self, file: BinaryIO) -> None:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        header = file.read(_HEADER)
        whole = len(header) == _HEADER and header.startswith(_MAGIC) and zlib.crc32(header[:-4]) == _int(header[-4:])
        if whole and _int(header[8:12]) > VERSION:
            raise StoreError(f"the spill file {self.path} is of a newer version: use a newer quantdesk")
        self._file, self._seed, self._end = file, _int(header[12:16]), size
        if not whole:
            if size:
                self._set_aside(0, size)
            self.clear()
            return
        at = _HEADER
        while at < size and (payload := self._record(at)) is not None:
            at += HEAD + len(payload)
            self.waiting += ticks_of(payload)
        if at < size:
            self._cut(at)
        self._at = _HEADER
        if self._end == _HEADER:
            self.clear()

    def _create(self) -> None:
        file = self.path.open("w+b", buffering=0)
        try:
            self._seed = _int(os.urandom(4))
            header = _MAGIC + _bytes(VERSION) + _bytes(self._seed)
            _write(file, header + _bytes(zlib.crc32(header)))
            _sync_folder(self.path.parent)
        except OSError:
            file.close()
            with contextlib.suppress(OSError):
                self.path.unlink()
            raise
        self._file = file
        self._end = self._at = self._next = _HEADER

    def _put(self, records: bytes) -> None:
        assert self._file is not None
        try:
            self._file.seek(self._end)
            _write(self._file, records)
            os.fsync(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):  # what is left of it would not pass its checksum
                self._file.truncate(self._end)
            raise
        self._end += len(records)

    def _record(self, at: int) -> bytes | None:
        """Return the payload at an offset, or None where it is cut or damaged."""
        assert self._file is not None
        self._file.seek(at)
        head = self._file.read(HEAD)
        if len(head) < HEAD or not 0 < (length := _int(head[:4])) <= MAX_RECORD or at + HEAD + length > self._end:
            return None
        payload = self._file.read(length)
        if len(payload) < length or checksum(head[:4], payload, self._seed) != _int(head[4:]):
            return None
        return payload

    def _cut(self, at: int) -> None:
        """End the file at an offset; what lies behind is set aside."""
        assert self._file is not None
        self._set_aside(at, self._end)
        self._file.truncate(at)
        os.fsync(self._file.fileno())
        self._end = at

    def _set_aside(self, start: int, end: int) -> None:
        assert self._file is not None
        self.damaged_bytes += end - start
        _log.warning("%d bytes of %s cannot be read: see %s", end - start, self.path, self.aside)
        try:
            with self.aside.open("wb") as kept:
                self._file.seek(start)
                while start < end and (block := self._file.read(min(_COPY, end - start))):
                    kept.write(block)
                    start += len(block)
        except OSError as error:
            _log.warning("they are not kept: %s", error)


@contextlib.contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn the system's errors into StoreError with one line."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"the spill file {path} cannot be used: {error.strerror or error}") from error


def waiting_trades(path: Path) -> int:
    """Return how many trades wait in a spill file, without touching it; what is damaged does not count."""
    found = Spill(path, 0)
    try:
        found._file = path.open("rb", buffering=0)
        size = found._file.seek(0, os.SEEK_END)
        found._file.seek(0)
        header = found._file.read(_HEADER)
        found._seed, found._end, at, count = _int(header[12:16]), size, _HEADER, 0
        while at < size and header.startswith(_MAGIC) and (payload := found._record(at)) is not None:
            at += HEAD + len(payload)
            count += ticks_of(payload)
        return count
    except OSError:
        return 0
    finally:
        if found._file is not None:
            found._file.close()


def _sensible(payload: bytes) -> Kept | None:
    try:
        return decode(payload)
    except RecordError as error:
        _log.warning("a record of the spill file makes no sense: %s", error)
        return None


def _write(file: BinaryIO, data: bytes) -> None:
    """Write all of it: a full disk may take a part without an error."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # folders cannot be synced there
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _int(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _bytes(number: int) -> bytes:
    return number.to_bytes(4, "little")
