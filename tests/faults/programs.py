"""Run the real ``quantdesk record`` against an exchange, with a clock or a crash of the test's choosing."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from quantdesk.commands.record import SEAM_TRADES
from quantdesk.config import Endpoints, venue_of
from quantdesk.store.address import StoreAddress
from tests.faults.harness import PAIR, Market, Place, assert_whole, held
from tests.faults.reference import made

ROOT = Path(__file__).resolve().parents[2]
FIVE_MINUTES = 300_000

#: Before and after the program itself; {before} may change its world.
_PROGRAM = """
import os, sys, threading, time
{before}
from quantdesk.cli import main
sys.exit(main(sys.argv[1:]))
"""

_CLOCK = """
_real, _begun = time.time, time.monotonic()
def _shifted():
    return _real() + ({shift}) + (({step}) if time.monotonic() - _begun > {after} else 0.0)
time.time = _shifted
"""

_ZONE = """
os.environ["TZ"] = "Pacific/Kiritimati"
time.tzset()
def _travel():
    os.environ["TZ"] = "America/St_Johns"
    time.tzset()
threading.Timer({after}, _travel).start()
"""

_CRASH = """
import importlib, signal
def _arm(module, name, nth, after):
    where = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        where = getattr(where, part)
    inner, calls = getattr(where, last), [0]
    def die(*args, **kwargs):
        calls[0] += 1
        if calls[0] == nth and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = inner(*args, **kwargs)
        if calls[0] == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(where, last, die)
_arm({module!r}, {name!r}, {nth}, {after})
"""


def shifted(shift: float = 0.0, step: float = 0.0, after: float = 4.0) -> str:
    """Return a world whose wall clock is off by ``shift`` seconds and steps by ``step`` after a while."""
    return _CLOCK.format(shift=shift, step=step, after=after)


def travelling(after: float = 4.0) -> str:
    """Return a world whose time zone changes while the program runs."""
    return _ZONE.format(after=after)


@dataclass(frozen=True, slots=True)
class Point:
    """Name where the program is killed: at the nth call of a function, before or after it."""

    module: str
    name: str
    nth: int = 1
    after: bool = False

    @property
    def world(self) -> str:
        """Return a world in which the program dies there."""
        return _CRASH.format(module=self.module, name=self.name, nth=self.nth, after=self.after)

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.name} {self.nth}"


async def start(
    where: Endpoints, data: Path, *arguments: str, world: str = "", database: StoreAddress | None = None
) -> Process:
    """Start a recording of the pair, into a server's database where one is given."""
    environ = {
        **os.environ,
        "QUANTDESK_WS_URL": where.ws_url,
        "QUANTDESK_REST_URL": where.rest_url,
        **({} if database is None else {"QUANTDESK_DATABASE_URL": secret_url(database)}),
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM.format(before=world), "record", "--data-dir", str(data), *arguments),
        stdout=PIPE,
        stderr=PIPE,
        env=environ,
        cwd=ROOT,
    )


def secret_url(address: StoreAddress) -> str:
    """Return a server's URL with its password, for the environment."""
    return address.url.replace("@", f":{quote(address.password or '', safe='')}@", 1)


async def said(process: Process, words: str, seconds: float = 60.0) -> list[str]:
    """Wait until the program says this; return its lines until then."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(seconds):
        while not lines or words not in lines[-1]:
            line = (await process.stdout.readline()).decode()
            assert line, f"the program has ended: {lines}"
            lines.append(line)
    return lines


async def ended(process: Process, seconds: float = 60.0) -> tuple[int, str, str]:
    """Wait for a program's end; return its code and what it said. Kill it after that long."""
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def record(where: Endpoints, data: Path, seconds: float, *, world: str = "") -> tuple[int, str, str]:
    """Record for some seconds; return the exit code and what was said."""
    return await ended(await start(where, data, "--seconds", str(seconds), world=world), seconds + 100)


async def live(process: Process) -> None:
    """Wait until the program says that it is live."""
    assert process.stdout is not None
    assert process.stderr is not None
    while b" live" not in (line := await process.stdout.readline()):
        assert line, f"the program has ended: {(await process.stderr.read()).decode()}"


def venue(where: Endpoints) -> str:
    """Return the venue under which the program stores an exchange's trades."""
    return venue_of(where.rest_url, where.ws_url)


def store(data: Path) -> Path:
    """Return the program's store."""
    return data / "quantdesk.sqlite"


def assert_recorded(at: Market, where: Place, through: int, *, since: int) -> None:
    """Hold a program's store against the oracle.

    It begins at a five minute boundary before ``since``, or with the most trades that are asked for.
    """
    name = venue(at.endpoints)
    for symbol in PAIR:
        generated = at.generated(symbol)
        first = min(held(where, symbol, name).ids)
        trades = made(at.listing(symbol), generated[generated.ids >= first])
        assert_whole(where, trades, symbol, through=through, venue=name)
        before = generated.ts[generated.ids == first - 1]
        assert trades[0].ts <= since
        boundary = trades[0].ts // FIVE_MINUTES * FIVE_MINUTES
        # The bound counts from the first live trade, which comes some seconds after the start.
        enough = sum(trade.ts <= since + 10_000 for trade in trades) >= SEAM_TRADES
        assert len(before) == 0 or before[0] < boundary or enough, "the history is too short"
