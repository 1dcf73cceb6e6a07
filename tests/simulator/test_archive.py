"""The archive serves whole past days with their checksums, and its trades agree with the klines."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from datetime import UTC, datetime, timedelta

import aiohttp
import numpy as np
import pytest

from quantdesk.simulator import market
from quantdesk.simulator.clock import VirtualClock
from quantdesk.simulator.exchange import Exchange
from quantdesk.simulator.faults import ArchiveFault, Faults
from quantdesk.simulator.market import TradeColumns, agreeing, minute_row
from quantdesk.simulator.server import SimulatorServer
from quantdesk.simulator.synthetic import SyntheticSource

from .conftest import START

TODAY = datetime.fromtimestamp(START / 1_000, UTC).date()
PAST = TODAY - timedelta(days=1)


async def got(server: SimulatorServer, path: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(f"{server.rest_url}/data/futures/um/{path}") as answer:
        return answer.status, await answer.read()


def rows_of(body: bytes) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        (name,) = archive.namelist()
        return list(csv.reader(io.StringIO(archive.read(name).decode())))


async def test_klines_of_a_day_and_of_a_month_come_with_their_checksum(server: SimulatorServer) -> None:
    path = f"daily/klines/BTCUSDT/1h/BTCUSDT-1h-{PAST}.zip"
    status, body = await got(server, path)
    told = (await got(server, f"{path}.CHECKSUM"))[1].decode().split()
    assert status == 200 and told == [hashlib.sha256(body).hexdigest(), f"BTCUSDT-1h-{PAST}.zip"]
    rows = rows_of(body)
    assert rows[0][0] == "open_time" and len(rows) == 25 and len(rows[1]) == 12
    month = f"{TODAY.replace(day=1) - timedelta(days=1):%Y-%m}"
    _, body = await got(server, f"monthly/klines/BTCUSDT/1d/BTCUSDT-1d-{month}.zip")
    assert len(rows_of(body)) in (29, 30, 31, 32)


@pytest.mark.parametrize(
    "path",
    [
        f"daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-{TODAY}.zip",
        f"daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-{TODAY - timedelta(days=400)}.zip",
        f"daily/aggTrades/NONE/NONE-aggTrades-{PAST}.zip",
        f"daily/klines/BTCUSDT/7m/BTCUSDT-7m-{PAST}.zip",
        f"daily/klines/BTCUSDT/1m/ETHUSDT-1m-{PAST}.zip",
        "daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-13-45.zip",
        f"monthly/klines/BTCUSDT/1m/BTCUSDT-1m-{TODAY:%Y-%m}.zip",
    ],
)
async def test_what_is_not_there_is_404(server: SimulatorServer, path: str) -> None:
    assert (await got(server, path))[0] == 404


async def test_a_fault_hides_every_file(server: SimulatorServer) -> None:
    server.faults = Faults(archive_fault=ArchiveFault.ABSENT)
    assert (await got(server, f"daily/klines/BTCUSDT/1h/BTCUSDT-1h-{PAST}.zip"))[0] == 404


def test_old_trades_fold_into_the_klines_that_are_told_of_them() -> None:
    exchange = Exchange(SyntheticSource(7, 1.0), VirtualClock(START), history_minutes=5)
    day = START // 86_400_000 - 1
    bars = exchange.bars("BTCUSDT", "1m", day * 86_400_000, day * 86_400_000 + 86_399_999)
    compared = [market.OPEN, market.HIGH, market.LOW, market.CLOSE, market.VOLUME, market.TRADES]
    last = -1
    for minute, trades in zip(range(40), exchange.archived("BTCUSDT", day), strict=False):
        row = minute_row(trades, day * 1_440 + minute)
        assert row[compared].tolist() == bars[minute][compared].tolist()
        assert last in (-1, int(trades.ids[0]) - 1)
        last = int(trades.ids[-1])


def test_a_minute_without_trades_stays_as_it_is() -> None:
    nothing = np.empty(0, np.int64)
    empty = TradeColumns(*(nothing,) * 7, nothing.astype(bool))
    assert len(agreeing(empty, np.zeros(12, np.int64))) == 0
