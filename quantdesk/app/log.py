"""Write the log: one file that rotates, below the log folder."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_NAME = "quantdesk.log"


def start_log(folder: Path) -> Path | None:
    """Log warnings and more to a rotating file; return its path, or None where none can be written."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target = RotatingFileHandler(folder / FILE_NAME, maxBytes=1_000_000, backupCount=4, encoding="utf-8")
    except OSError:
        return None  # a full or read-only disk must not keep the desk from opening
    target.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(target)
    for noisy in ("websockets", "qasync", "asyncio", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return folder / FILE_NAME


def stop_log() -> None:
    """Close the log's files."""
    root = logging.getLogger()
    for target in [h for h in root.handlers if isinstance(h, RotatingFileHandler)]:
        root.removeHandler(target)
        target.close()
