"""Share what several sub-commands need: the store's arguments and opening it."""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantdesk.config import ConfigError, Paths, StoreLimits
from quantdesk.store.address import StoreAddress, file_address, has_password, parse_address

if TYPE_CHECKING:
    from quantdesk.store.base import Reader
    from quantdesk.store.writer import StoreWriter


#: Exit code: done, but trades are missing.
HOLES_REMAIN = 3


class HelpFormatter(argparse.HelpFormatter):
    """Wrap what is one line of text; leave an epilog of several lines, with its examples, as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


class UsageError(ConfigError):
    """Say that the command line itself is wrong: exit code 2."""


def add_store_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data-dir and --database."""
    add_data_dir(parser)
    parser.add_argument(
        "--database",
        metavar="URL",
        help="use this store: sqlite:///FILE or postgresql://USER@HOST:PORT/DATABASE "
        "(default: the one chosen in the desk, else a file in the data folder)",
    )


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Add --data-dir."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="keep store, settings and logs in this folder (default: the system's folders of the user)",
    )


def paths_of(args: argparse.Namespace) -> Paths:
    """Return the folders that the arguments name."""
    return Paths.under(args.data_dir.expanduser().absolute()) if args.data_dir else Paths()


def store_address(args: argparse.Namespace) -> StoreAddress:
    """Return the store meant: --database, else QUANTDESK_DATABASE_URL, else the desk's choice, else the file here.

    Raises UsageError for a URL that names no store or shows a password to every user of the machine.
    """
    paths = paths_of(args)
    given: str | None = args.database
    if given and has_password(given):
        raise UsageError(
            "a password on the command line can be read by every user of this machine: keep it with "
            "quantdesk store password, in ~/.pgpass, or give the URL as QUANTDESK_DATABASE_URL"
        )
    named = given or os.environ.get("QUANTDESK_DATABASE_URL")
    if named:
        try:
            return parse_address(named, paths.data)
        except ConfigError as error:
            raise UsageError(str(error)) from error
    chosen = saved_choices(paths.config).get("database")
    if isinstance(chosen, str) and chosen:
        try:
            return parse_address(chosen, paths.data)
        except ConfigError as error:  # the desk starts with such a setting, too
            print(f"quantdesk: the chosen database is left out, {error}", file=sys.stderr)
    return file_address(paths.store_file)


def store_limits(args: argparse.Namespace) -> StoreLimits:
    """Return how long the embedded store keeps trades, as chosen in the desk; a server has its own settings."""
    chosen, bounds = saved_choices(paths_of(args).config), StoreLimits()
    days, size = chosen.get("keep_ticks_days"), chosen.get("keep_ticks_gb")
    if isinstance(days, int) and days >= 0:
        bounds = replace(bounds, max_tick_age_days=days)
    if isinstance(size, int | float) and 0 <= size < math.inf:
        bounds = replace(bounds, max_tick_bytes=int(size * 1_000_000_000))
    return bounds


def saved_choices(folder: Path) -> dict[str, Any]:
    """Return the desk's settings as they stand in their file; empty where it cannot be read."""
    try:
        read = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def open_writer(args: argparse.Namespace, limits: StoreLimits | None = None) -> StoreWriter:
    """Start the writer on the store that the arguments name; told to stop meanwhile, leave no half of a backup."""
    from quantdesk.store.opening import open_store
    from quantdesk.store.writer import StoreWriter

    address, bounds = store_address(args), limits or store_limits(args)
    folder = address.path.parent if address.path is not None else paths_of(args).data
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be the folder of the store: {error.strerror or error}") from error
    given_up = threading.Event()
    writer = StoreWriter(lambda: open_store(address, bounds, said=Saying(), cancelled=given_up.is_set), bounds)
    try:
        with _ended_by_sigterm():
            writer.start()
    except (KeyboardInterrupt, SystemExit):
        given_up.set()
        writer.stop()
        raise
    return writer


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block by SystemExit, as Ctrl+C does by KeyboardInterrupt, in the main thread."""

    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Saying:
    """Say on stderr what keeps the opening of a store, each step once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, words: str) -> None:
        """Hear how far it is."""
        step = words.partition(":")[0]
        if step not in self._said:
            self._said.add(step)
            print(f"quantdesk: {step}", file=sys.stderr, flush=True)


def open_reader(args: argparse.Namespace) -> Reader:
    """Open the store that the arguments name for reading; it must exist."""
    from quantdesk.store import opening

    address = store_address(args)
    if address.path is not None and not address.path.exists():
        raise ConfigError(f"there is no store at {address.path}: record or import something first, or name --data-dir")
    return opening.open_reader(address)
