"""Copy a store into another, tell what a store holds, keep a server's password: ``quantdesk store``."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantdesk.commands.shared import (
    HelpFormatter,
    Saying,
    UsageError,
    add_data_dir,
    add_store_arguments,
    paths_of,
    store_address,
)
from quantdesk.commands.showing import STOPPED, Shown, stoppable
from quantdesk.config import ConfigError
from quantdesk.store.address import StoreAddress, file_address, has_password, parse_address

if TYPE_CHECKING:
    from quantdesk.store.base import StoreFacts
    from quantdesk.store.holdings import Holding, Holdings

_STORE = "FILE, sqlite:///FILE or postgresql://USER@HOST:PORT/DATABASE"


_EPILOG = """each ACT has its own --help
exit codes: 0 done, 1 failed or something differs, 2 wrong use, 130 stopped"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``quantdesk store`` with its own sub-commands."""
    parser = subparsers.add_parser(
        "store",
        help="copy a store, tell what it holds, keep a server's password",
        description="Work with a whole store: copy it, tell what it holds, keep the password of its server.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    copy = acts.add_parser(
        "copy",
        help="copy all of a store into another",
        description="Copy trades, bars and the ledger, then compare all of it. What the target holds already stays. "
        "A copy that was stopped goes on where it was when it is run again.",
        epilog="example: quantdesk store copy quantdesk.sqlite postgresql://quantdesk@127.0.0.1:55432/quantdesk",
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    copy.add_argument("source", metavar="FROM_URL", help=f"store to read: {_STORE}")
    copy.add_argument("target", metavar="TO_URL", help="store to write, named likewise; a new file is made")
    info = acts.add_parser(
        "info",
        help="tell kind, rows, sizes and health of a store",
        description="Tell kind, rows, sizes and health of a store.",
        epilog="example: quantdesk store info --json",
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    info.add_argument("url", nargs="?", metavar="URL", help=f"{_STORE} (default: the desk's own store)")
    info.add_argument("--json", action="store_true", help="print one JSON object (default: a text to read)")
    password = acts.add_parser(
        "password",
        help="keep the password of a server in the keyring",
        description="Ask for the password, or read it as one line from standard input, and keep it in the keyring.",
        epilog="example: quantdesk store password postgresql://quantdesk@127.0.0.1:55432/quantdesk",
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    password.add_argument("url", metavar="URL", help="the server: postgresql://USER@HOST:PORT/DATABASE")
    password.add_argument(
        "--forget", action="store_true", help="remove the password from the keyring (default: ask for it and keep it)"
    )
    add_store_arguments(info)
    for act in (copy, password):
        add_data_dir(act)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; return the exit code."""
    acts = {"copy": _copy, "info": _info, "password": _password}
    return acts[args.act](args)


def _address(text: str, args: argparse.Namespace) -> StoreAddress:
    """Return the store that a word of the command line names; raise UsageError."""
    if has_password(text):
        raise UsageError(
            "a password on the command line can be read by every user of this machine: keep it with "
            "quantdesk store password, in ~/.pgpass, or give the URL as QUANTDESK_DATABASE_URL"
        )
    if not text.strip():
        raise UsageError(f"a store is {_STORE}")
    if "://" not in text:
        return file_address(Path(text))
    try:
        return parse_address(text, paths_of(args).data)
    except ConfigError as error:
        raise UsageError(str(error)) from error


def _copy(args: argparse.Namespace) -> int:
    from quantdesk.store.files import Cancelled
    from quantdesk.store.moving import copy_store
    from quantdesk.store.opening import open_reader, open_store

    source_address, target_address = _address(args.source, args), _address(args.target, args)
    if _place(source_address) == _place(target_address):
        raise UsageError("FROM_URL and TO_URL name the same store")
    source = open_reader(source_address)
    try:
        _warn_of_spill(source_address)
        if target_address.path is not None:
            target_address.path.parent.mkdir(parents=True, exist_ok=True)
        target = open_store(target_address, said=Saying())
        shown = Shown()
        try:
            with stoppable() as stopped:
                report = copy_store(
                    source, target, progress=lambda state: shown.show(state.done, state.words), cancelled=stopped.is_set
                )
        except Cancelled as error:
            shown.end()
            print(f"quantdesk: {error}", file=sys.stderr)
            return STOPPED
        finally:
            shown.end()
            target.close()
    finally:
        source.close()
    for line in report.lines:
        print(line)
    if not report.lines:
        print(f"{source_address.words} holds nothing to copy")
    if not report.verified:
        print("quantdesk: not all of it is the same in both: see the lines above", file=sys.stderr)
    return 0 if report.verified else 1


def _place(address: StoreAddress) -> object:
    if address.path is not None:
        return address.path.resolve()
    return address.host.lower(), address.port, address.database


def _warn_of_spill(source: StoreAddress) -> None:
    from quantdesk.store.spill import waiting_trades
    from quantdesk.store.spill_places import spills

    files = spills(source.spill) if source.spill is not None else []
    waiting = {str(file): count for file in files if (count := waiting_trades(file))}
    if waiting:
        print(
            f"quantdesk: {sum(waiting.values()):,} trades wait in {', '.join(waiting)} and are not copied: "
            "start the desk on this store once, so that they reach it, and copy again",
            file=sys.stderr,
        )


def _info(args: argparse.Namespace) -> int:
    from quantdesk.store.opening import try_address

    if args.url is not None and args.database is not None:
        raise UsageError("name the store once: as URL or with --database")
    address = _address(args.url, args) if args.url is not None else store_address(args)
    facts = try_address(address)
    if args.json:
        print(json.dumps({**dataclasses.asdict(facts), "holdings": _held_json(address)}, indent=2))
    else:
        print("\n".join([*_lines(facts, address.is_server), *_held_lines(address)]))
    return 0


def _lines(facts: StoreFacts, server: bool) -> Iterator[str]:
    """Yield what is known, a line each; how long a file keeps its trades is the desk's own setting."""
    yield f"{facts.place}: {facts.kind}, bars in {facts.bar_mode}"
    for table in dict.fromkeys([*facts.rows, *facts.sizes]):
        parts = [f"{facts.rows[table]:,} rows" if table in facts.rows else ""]
        parts.append(_bytes(facts.sizes[table]) if table in facts.sizes else "")
        yield f"  {table}: {', '.join(part for part in parts if part)}"
    if facts.size_bytes is not None:
        yield f"size: {_bytes(facts.size_bytes)}"
    if facts.compressed_bytes is not None and facts.uncompressed_bytes is not None:
        yield f"compressed: {_bytes(facts.compressed_bytes)} instead of {_bytes(facts.uncompressed_bytes)}"
    if server:
        kept = facts.retention
        age = f"{kept.keep_days} days" if kept.keep_days else "for ever"
        yield f"trades are kept: {age}{f', at most {_bytes(kept.keep_bytes)}' if kept.keep_bytes else ''}"
    if facts.refresh_lag is not None:
        yield f"bars wait for a refresh: {facts.refresh_lag:.1f} s"
    for symbol, holder in facts.leases:
        yield f"{symbol} is written by {holder}"
    yield from (said for said in (facts.trouble, *facts.jobs, *facts.notes) if said)


def _held(address: StoreAddress) -> Holdings:
    """Return what is held of each instrument and interval; nothing where there is no store yet."""
    from quantdesk.store.base import StoreError
    from quantdesk.store.holdings import Holdings, read_holdings
    from quantdesk.store.opening import open_reader

    try:
        reader = open_reader(address)
    except StoreError:
        return Holdings((), "")
    try:
        return read_holdings(reader)
    finally:
        reader.close()


def _held_json(address: StoreAddress) -> list[dict[str, Any]]:
    names = ("rows", "first_ts", "last_ts", "coverage", "size_bytes", "note")
    return [
        {
            "venue": row.instrument.venue,
            "symbol": row.instrument.symbol,
            "what": row.title,
            **{name: getattr(row, name) for name in names},
        }
        for row in _held(address).rows
    ]


def _held_lines(address: StoreAddress) -> Iterator[str]:
    """Yield the same as an aligned table."""
    found = _held(address)
    if not found.rows:
        return
    heads = ("symbol", "venue", "what", "rows", "first (UTC)", "last (UTC)", "coverage", "size", "remarks")
    rows = [heads, *(_held_cells(row) for row in found.rows)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(heads))]
    right = (3, 6, 7)
    yield f"{len(found.rows)} kinds of data ({found.basis}):"
    for row in rows:
        cells = (c.rjust(w) if at in right else c.ljust(w) for at, (c, w) in enumerate(zip(row, widths, strict=True)))
        yield f"  {'  '.join(cells)}".rstrip()


def _held_cells(row: Holding) -> tuple[str, ...]:
    moments = (
        "-" if ms is None else f"{datetime.fromtimestamp(ms / 1_000, UTC):%Y-%m-%d %H:%M:%S}"
        for ms in (row.first_ts, row.last_ts)
    )
    part = row.coverage  # what lacks anything never rounds up to all of it
    coverage = "-" if part is None else "100%" if part >= 1 else f"{min(part, 0.9999):.2%}"
    name = (row.instrument.symbol, row.instrument.venue, row.title)
    return (*name, f"{row.rows:,}", *moments, coverage, _bytes(row.size_bytes), row.note)


def _bytes(size: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"


def _password(args: argparse.Namespace) -> int:
    from quantdesk.store.passwords import forget_password, keep_password

    address = _address(args.url, args)
    if not address.is_server:
        raise UsageError("a file has no password: name a server, postgresql://USER@HOST:PORT/DATABASE")
    if args.forget:
        forget_password(address)
        print(f"the keyring has no password of {address.words} any more")
        return 0
    password = _asked(address)
    if not password:
        raise UsageError("no password was given: type it, or give it as one line on standard input")
    keep_password(address, password)
    print(f"the password of {address.words} is kept in the keyring")
    return 0


def _asked(address: StoreAddress) -> str:
    if sys.stdin is not None and not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return getpass.getpass(f"Password of {address.words}: ")
    except EOFError:
        return ""
