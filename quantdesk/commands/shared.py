"""Share what several sub-commands need: the store's arguments and opening it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from quantdesk.config import ConfigError, Paths, StoreLimits

if TYPE_CHECKING:
    from quantdesk.store.base import Reader
    from quantdesk.store.writer import StoreWriter


#: Exit code: done, but trades are missing.
HOLES_REMAIN = 3


class UsageError(ConfigError):
    """Say that the command line itself is wrong: exit code 2."""


def add_store_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data-dir and --database."""
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder for the store, settings and logs")
    parser.add_argument("--database", metavar="URL", help="store to use instead: sqlite:///FILE")


def paths_of(args: argparse.Namespace) -> Paths:
    """Return the folders that the arguments name."""
    return Paths.under(args.data_dir.expanduser().absolute()) if args.data_dir else Paths()


def store_file(args: argparse.Namespace) -> Path:
    """Return the embedded store's file, or raise UsageError for a database that is not SQLite."""
    url: str | None = args.database or os.environ.get("QUANTDESK_DATABASE_URL")
    if not url:
        return paths_of(args).store_file
    prefix = "sqlite:///"
    if not url.startswith(prefix) or len(url) == len(prefix):
        raise UsageError("--database takes sqlite:///FILE only: a server store is not available in this version")
    return Path(url[len(prefix) :]).expanduser().absolute()


def open_writer(args: argparse.Namespace, limits: StoreLimits | None = None) -> StoreWriter:
    """Start the writer on the store that the arguments name."""
    from quantdesk.store.embedded import open_embedded
    from quantdesk.store.writer import StoreWriter

    path, bounds = store_file(args), limits or StoreLimits()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.parent} cannot be the folder of the store: {error.strerror or error}") from error
    writer = StoreWriter(lambda: open_embedded(path, bounds), bounds)
    writer.start()
    return writer


def open_reader(args: argparse.Namespace) -> Reader:
    """Open the store that the arguments name for reading; it must exist."""
    from quantdesk.store.embedded import open_embedded

    path = store_file(args)
    if not path.exists():
        raise ConfigError(f"there is no store at {path}: record or import something first, or name --data-dir")
    return open_embedded(path, read_only=True)
