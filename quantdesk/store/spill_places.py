"""Give each program of this computer a spill file of its own beside a server that all of them write to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quantdesk.store.base import StoreBusyError, StoreError
from quantdesk.store.lock import WriterLock

#: So many programs of one computer and folder have a place.
PLACES = 16


@dataclass(frozen=True, slots=True)
class SpillPlace:
    """Hold a spill file that no other program uses, until the lock is released."""

    path: Path
    lock: WriterLock


def claim(first: Path) -> SpillPlace | None:
    """Take a place that no living program has, one with trades of a dead program before an empty one.

    None where every place is taken. Raises StoreError where the folder takes no file.
    """
    try:
        first.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{first.parent} cannot keep a spill file: {error.strerror}") from error
    for path in sorted(_places(first), key=lambda path: not path.exists()):
        try:
            return SpillPlace(path, WriterLock(path))
        except StoreBusyError:
            continue
    return None


def spills(first: Path) -> list[Path]:
    """Return the spill files that there are now."""
    return [path for path in _places(first) if path.exists()]


def _places(first: Path) -> list[Path]:
    return [first, *(first.with_name(f"{first.stem}-{number}{first.suffix}") for number in range(2, PLACES + 1))]
