"""Download history into the store: ``quantdesk download``."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from quantdesk.commands.exchange import reached
from quantdesk.commands.shared import HOLES_REMAIN, HelpFormatter, UsageError, add_store_arguments, open_writer
from quantdesk.commands.showing import STOPPED, Shown, stoppable
from quantdesk.config import ConfigError, Endpoints, FeedLimits
from quantdesk.ingest.download_order import INTERVALS, TRADES, DownloadOrder, Source
from quantdesk.store.base import StoreBusyError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantdesk.ingest.download_order import DownloadProgress, DownloadReport
    from quantdesk.store.writer import StoreWriter

_STORE_SECONDS = 60.0

_EPILOG = """examples:
  quantdesk download --symbols BTCUSDT,ETHUSDT --interval aggtrades --from 2026-11-20 --to 2026-11-22
  quantdesk download --symbols BTCUSDT --interval 1m --from 2026-01-01
  quantdesk download --symbols BTCUSDT --interval 5m --from 2026-11-01 --source rest

exit codes: 0 every day came, 1 failed or a day was refused, 2 wrong use, 3 some days are not there, 130 stopped"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``download`` to the command line."""
    parser = subparsers.add_parser(
        "download",
        help="fetch history into the store",
        description="Fetch whole days of trades or bars from the exchange's archive, or bars by REST, into the store. "
        "Files are proven by their SHA-256 first; days that are held are skipped, so that the same command goes on "
        "where it was stopped. The exchange and the proxy are those of the environment, else those chosen in the desk.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--symbols", required=True, type=_symbols, metavar="S,S", help="symbols, separated by commas")
    parser.add_argument(
        "--interval",
        required=True,
        choices=(TRADES, *INTERVALS),
        metavar="I",
        help=f"{TRADES} (aggregate trades, with their bars), or bars of {', '.join(INTERVALS)}",
    )
    parser.add_argument(
        "--from", dest="first", required=True, type=_day, metavar="DAY", help="first day, UTC, like 2026-11-20"
    )
    parser.add_argument("--to", dest="last", type=_day, metavar="DAY", help="last day, included (default: yesterday)")
    parser.add_argument(
        "--source",
        choices=tuple(source.value for source in Source),
        default=Source.ARCHIVE.value,
        help="the exchange's archive of files, or its REST interface (bars only) (default: archive)",
    )
    add_store_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Download what the arguments name; return the exit code."""
    from quantdesk.feed.archive import ArchiveError
    from quantdesk.feed.rest import RestError
    from quantdesk.store.files import Cancelled

    today = datetime.fromtimestamp(time.time(), UTC).date()
    last = args.last if args.last is not None else today - timedelta(days=1)
    order = DownloadOrder(args.symbols, args.interval, args.first, last, Source(args.source))
    try:
        order.check(today)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    exchange = reached(args)
    try:
        writer = open_writer(args)
    except StoreBusyError as error:
        raise StoreBusyError(f"the desk (or another quantdesk) holds the writer: download there: {error}") from error
    print(f"quantdesk: {exchange.words}", file=sys.stderr, flush=True)
    shown = Shown()
    try:
        with stoppable() as stopped:
            report = asyncio.run(_download(order, exchange.endpoints, writer, shown, stopped.is_set))
    except Cancelled as error:
        shown.end()
        print(f"quantdesk: {error}", file=sys.stderr)
        return STOPPED
    except (ArchiveError, RestError) as error:
        raise ConfigError(f"{error}: run the same again, it goes on from here") from error
    finally:
        shown.end()
        done = writer.stop(_STORE_SECONDS)
    print("\n".join(report.lines()))
    if not done:
        raise StoreError("not everything could be written: run the same again")
    return 1 if report.failed else HOLES_REMAIN if report.absent else 0


async def _download(
    order: DownloadOrder, endpoints: Endpoints, writer: StoreWriter, shown: Shown, stopped: Callable[[], bool]
) -> DownloadReport:
    from quantdesk.feed.archive import ArchiveClient
    from quantdesk.feed.rest import RestClient
    from quantdesk.ingest.download import Download

    def told(state: DownloadProgress) -> None:
        shown.show(state.done, state.line())

    archive = ArchiveClient(endpoints.archive_url) if order.source is Source.ARCHIVE else None
    rest = RestClient(endpoints, FeedLimits())
    try:
        made = Download(order, writer, endpoints.venue, archive=archive, rest=rest, told=told, cancelled=stopped)
        return await made.run()
    finally:
        for client in (archive, rest):
            if client is not None:
                await client.close()


def _symbols(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip().upper() for name in text.split(",") if name.strip()))
    if not names:
        raise argparse.ArgumentTypeError("name symbols like BTCUSDT,ETHUSDT")
    return names


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it like 2026-11-20") from None
