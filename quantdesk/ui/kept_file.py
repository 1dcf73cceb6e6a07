"""Write a small file whole or not at all, and put one aside that cannot be read."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Put a text in the place of a file, atomically. Raises OSError and leaves the old file."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def put_aside(path: Path, why: str, *, copy: bool = False) -> Path:
    """Move a file, or copy it, to a name with the reason and the time beside it; return that. Raises OSError."""
    aside = path.with_name(f"{path.stem}.{why}-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}")
    if copy:
        shutil.copyfile(path, aside)
    else:
        path.replace(aside)
    return aside
