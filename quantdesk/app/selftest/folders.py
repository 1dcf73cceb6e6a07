"""Check the folders the program writes to and their disk; nothing is left in them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from quantdesk.app.selftest.findings import Finding, Ground, failed, ok, warning
from quantdesk.config import StoreLimits

_TEXT = b"quantdesk self-test\n"


def check_data(ground: Ground) -> Finding:
    """Write below the data folder."""
    return _written(ground.paths.data)


def check_settings(ground: Ground) -> Finding:
    """Write below the settings folder, and read the settings."""
    found = _written(ground.paths.config)
    path = ground.paths.config / "settings.json"
    if not path.is_file():
        return found
    try:
        if not isinstance(json.loads(path.read_text(encoding="utf-8")), dict):
            raise ValueError("no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        return warning(f"{path} cannot be read ({error}): the desk would start as new and set the file aside")
    return found


def check_logs(ground: Ground) -> Finding:
    """Write below the log folder."""
    return _written(ground.paths.logs)


def check_disk(ground: Ground) -> Finding:
    """Compare what is free where trades are kept with what recording needs."""
    limits = StoreLimits()
    place = next(folder for folder in (ground.paths.data, *ground.paths.data.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    words = f"{free / 1e9:.1f} GB are free where trades are kept"
    if free < limits.low_disk_stop:
        return failed(f"{words}: nothing is recorded below {limits.low_disk_stop / 1e9:.1f} GB, make room")
    if free < limits.low_disk_warning:
        return warning(f"{words}: recording stops below {limits.low_disk_stop / 1e9:.1f} GB")
    return ok(words)


def _written(folder: Path) -> Finding:
    """Make the folder, write and read a file in it, and remove what was made."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    made: list[Path] = []
    try:
        for place in reversed(missing):
            place.mkdir(exist_ok=True)
            made.append(place)
        number, name = tempfile.mkstemp(prefix=".selftest-", dir=folder)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(_TEXT)
                file.flush()
                os.fsync(file.fileno())
            same = Path(name).read_bytes() == _TEXT
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        return failed(f"{folder} cannot be written: {error.strerror or error}")
    finally:
        for place in reversed(made):
            with suppress(OSError):  # the desk may have put something there meanwhile
                place.rmdir()
    if not same:
        return failed(f"{folder} returns something else than was written")
    return ok(f"{folder} can be written{' (it is not there yet)' if missing else ''}")
