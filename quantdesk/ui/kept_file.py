"""Keep a small file: written whole or not at all, read within bounds, put aside where it cannot be read."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

MAX_FILE_BYTES = 4 << 20


def write_whole(path: Path, text: str) -> None:
    """Put a text in the place of a file, atomically. Raises OSError and leaves the old file."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of this system may be no text: JSON can say even that.
        with temporary.open("w", encoding="utf-8", errors="backslashreplace") as out:
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


class KeptFile:
    """Own a JSON file at a path; ``what`` names its content in words. Nothing here raises: see ``problem``."""

    def __init__(self, path: Path, what: str, instead: str) -> None:
        self.path = path
        self.problem = ""
        self._what, self._instead = what, instead
        self._saved = ""

    def read(self) -> dict[str, Any] | None:
        """Return what the file holds; None where there is none or it cannot be used: ``problem`` says why."""
        try:
            if not self.path.exists():
                return None
            if self.path.stat().st_size > MAX_FILE_BYTES:
                raise ValueError("it is far too large")
            read = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(read, dict):
                raise ValueError(f"it holds no {self._what}")
        except OSError as error:
            self.problem = (
                f"The {self._what} at {self.path} cannot be read: {error.strerror or error}. Using {self._instead}."
            )
            return None
        except (ValueError, RecursionError) as error:
            self.set_aside(str(error).splitlines()[0])
            return None
        return read

    def write(self, content: dict[str, Any]) -> bool:
        """Write the content if it changed; False and ``problem`` in words if the disk refuses."""
        text = json.dumps(content, indent=1, ensure_ascii=False)
        if text == self._saved:
            return True
        try:
            write_whole(self.path, text)
        except OSError as error:
            self.problem = f"The {self._what} cannot be saved to {self.path}: {error.strerror or error}"
            return False
        self._saved = text
        self.problem = ""
        return True

    def copy_aside(self, words: str, kind: str) -> None:
        """Keep a copy of the file of which a part cannot be read, and say so after ``words``."""
        try:
            kept = f"The {self._what} as they were are kept as {put_aside(self.path, kind, copy=True).name}."
        except OSError as error:
            kept = f"They cannot be copied aside: {error.strerror or error}."
        self.problem = f"{words} {kept}"

    def set_aside(self, why: str) -> None:
        """Rename a file that cannot be used, and say so."""
        try:
            aside = put_aside(self.path, "broken")
        except OSError:
            aside = self.path
        self.problem = (
            f"The {self._what} file was damaged ({why}). It is kept as {aside.name}; {self._instead} are used."
        )
