"""Prove what is stored complete, or name the holes: ``quantdesk ledger``."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from quantdesk.commands.export import choose
from quantdesk.commands.shared import (
    HOLES_REMAIN,
    HelpFormatter,
    UsageError,
    add_store_arguments,
    open_reader,
    store_address,
)
from quantdesk.config import ConfigError, Endpoints

if TYPE_CHECKING:
    from quantdesk.store.base import Reader
    from quantdesk.types import Instrument


_EPILOG = """examples:
  quantdesk ledger
  quantdesk ledger --symbol btcusdt --json

exit codes: 0 complete, 1 failed, 2 wrong use, 3 holes remain (open, filling or expired)"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "ledger",
        help="account for every trade id, name the holes",
        description="Account for every aggregate trade id of a venue between the first and the last stored one, and "
        "name the holes with their state.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--symbol", metavar="S", help="one symbol, in capital or small letters (default: all of the venue)"
    )
    parser.add_argument("--venue", metavar="V", help="venue, where the store holds several")
    parser.add_argument("--json", action="store_true", help="print one JSON object (default: a table to read)")
    add_store_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the account; return 0 where it is complete and 3 where holes remain."""
    from quantdesk.store.ledger_report import account_of, table
    from quantdesk.store.spill import waiting_trades
    from quantdesk.store.spill_places import spills

    reader = open_reader(args)
    try:
        accounts = [account_of(reader, instrument) for instrument in _chosen(reader, args.symbol, args.venue)]
    finally:
        reader.close()
    complete = all(account.complete for account in accounts)
    if args.json:
        symbols = {account.instrument.symbol: account.as_json() for account in accounts}
        print(json.dumps({"symbols": symbols, "complete": complete}, indent=2))
    else:
        print("\n".join([*table(accounts), "complete" if complete else "holes remain"]))
    spill = store_address(args).spill
    waiting = sum(map(waiting_trades, spills(spill))) if spill is not None else 0
    if waiting:
        print(f"{waiting:,} trades wait in the spill file and are not counted yet", file=sys.stderr)
    return 0 if complete else HOLES_REMAIN


def _chosen(reader: Reader, symbol: str | None, venue: str | None) -> list[Instrument]:
    """Return the instruments meant: of the venue named, of the configured one, or of the only one."""
    if symbol is not None:
        if not symbol.strip():
            raise UsageError("--symbol is empty")
        return [choose(reader, symbol.strip(), venue)]
    kept = [held.instrument for held in reader.instruments() if held.ticks or reader.load_gaps(held.instrument)]
    venues = sorted({instrument.venue for instrument in kept})
    wanted = venue if venue is not None else Endpoints.from_environment().venue
    if wanted not in venues and venue is None and len(venues) == 1:
        wanted = venues[0]
    if wanted not in venues and venues:
        said = f"venue {venue} has no trades" if venue is not None else "several venues have trades"
        raise ConfigError(f"{said}: name one with --venue: {', '.join(venues)}")
    return [instrument for instrument in kept if instrument.venue == wanted]
