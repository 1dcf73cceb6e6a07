"""Keep the alerts that no store took before the program ended in a small checked file, for the next start."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from quantdesk.store.base import Store, StoreError
from quantdesk.types import AlertRow, Origin

_log = logging.getLogger(__name__)

_HEADER = "quantdesk alerts 1"
#: A file beyond this is none of ours: 5,000 firings take less than a third of it.
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class LeftOutcome:
    """Hold what became of a firing (its key): the outcome as JSON, and when (ms)."""

    key: str
    outcome: str
    at: int


@dataclass(frozen=True, slots=True)
class LeftAlert:
    """Hold one thing to write, a firing or an outcome, and in words the store it belongs to."""

    place: str
    work: AlertRow | LeftOutcome

    @property
    def words(self) -> str:
        """Name it for the log."""
        return f"alert {self.work.id}" if isinstance(self.work, AlertRow) else f"outcome of {self.work.key}"

    def put(self, store: Store) -> bool:
        """Write it; what the store has already it keeps."""
        if isinstance(self.work, AlertRow):
            return store.save_firing(self.work)
        return store.save_outcome(self.work.key, self.work.outcome, self.work.at)


def keep(path: Path, left: Sequence[LeftAlert]) -> None:
    """Write the file anew, whole or not at all; remove it where nothing is left. Raises StoreError in words."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        if not left:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8", newline="\n") as out:
            out.write("\n".join([_HEADER, *(_line(one) for one in left), ""]))
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error


def left_of(path: Path) -> list[LeftAlert]:
    """Return what an earlier session left, in its order; a damaged line is set aside with the file, the others count.

    Raises StoreError where the file cannot be read.
    """
    try:
        if not path.exists():
            return []
        if path.stat().st_size > _MOST_BYTES:
            raise OSError(None, "it is far too large")
        raw = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror or error}") from error
    lines = raw.split(b"\n")
    ours = lines[0] == _HEADER.encode()
    found = [_read(line) for line in lines[1:] if line] if ours else [None]
    whole = [one for one in found if one is not None]
    if len(whole) < len(found) or lines[-1]:
        aside = path.with_name(path.name + ".damaged")
        _log.warning("a part of %s cannot be read: it is kept as %s", path, aside.name)
        with contextlib.suppress(OSError):
            aside.write_bytes(raw)
    return whole


def _line(left: LeftAlert) -> str:
    kind = "firing" if isinstance(left.work, AlertRow) else "outcome"
    text = json.dumps({"place": left.place, kind: asdict(left.work)}, ensure_ascii=True)
    return f"{zlib.crc32(text.encode()):08x} {text}"


def _read(line: bytes) -> LeftAlert | None:
    """Return what a line says, or None where it is cut, damaged or of another version."""
    sum_, _, text = line.partition(b" ")
    try:
        if int(sum_, 16) != zlib.crc32(text):
            return None
        plain = json.loads(text)
        if "firing" in plain:
            row = plain["firing"]
            return LeftAlert(plain["place"], AlertRow(**{**row, "origin": Origin(row["origin"])}))
        return LeftAlert(plain["place"], LeftOutcome(**plain["outcome"]))
    except (ValueError, TypeError, KeyError):
        return None
