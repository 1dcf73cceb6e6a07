"""Run an exchange on loopback: a websocket server, a REST server and the tape that feeds them."""

from __future__ import annotations

import asyncio
import errno
import math
from pathlib import Path
from typing import TYPE_CHECKING

from quantdesk.config import ConfigError
from quantdesk.simulator.clock import Clock, WallClock
from quantdesk.simulator.exchange import REACH_MS, Exchange
from quantdesk.simulator.faults import Faults, Limits
from quantdesk.simulator.market import Source
from quantdesk.simulator.schedule import Player, Schedule
from quantdesk.simulator.streams import StreamServer
from quantdesk.simulator.tape import PACE, Tape
from quantdesk.simulator.truth_log import TruthLog

if TYPE_CHECKING:
    from quantdesk.simulator.rest import RestServer

SYNTHETIC = "synthetic"
#: A first start of a recording asks for up to ten minutes; more trades than this are not kept for it.
_LEAST_HISTORY, _MOST_HISTORY, _HISTORY_TRADES = 11, 60, 100_000


def make_exchange(
    source: str = SYNTHETIC, *, seed: int = 1, rate: float = 20.0, clock: Clock | None = None
) -> Exchange:
    """Return an exchange on the synthetic market or on a recorded file, with history as the rate allows.

    Raises ConfigError for a file that cannot be read or holds no trades.
    """
    clock = clock or WallClock()
    minutes = min(_MOST_HISTORY, max(_LEAST_HISTORY, math.floor(_HISTORY_TRADES / (rate * 60))))
    made: Source
    if source == SYNTHETIC:
        from quantdesk.simulator.synthetic import SyntheticSource

        made = SyntheticSource(seed, rate)
    else:
        from quantdesk.simulator.recorded import RecordedSource

        made = RecordedSource(Path(source), clock.now_ms())
        minutes = _MOST_HISTORY
    return Exchange(made, clock, history_minutes=minutes)


class SimulatorServer:
    """Serve an exchange on two loopback ports, within the loop that starts it.

    ``faults`` may be set at any time, or by a ``schedule`` that counts from the start. ``log`` names
    a file that every generated trade is appended to.
    """

    def __init__(
        self,
        exchange: Exchange | Source,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        rest_port: int = 0,
        faults: Faults | None = None,
        schedule: Schedule | None = None,
        limits: Limits | None = None,
        log: Path | None = None,
    ) -> None:
        self.exchange = exchange if isinstance(exchange, Exchange) else Exchange(exchange)
        self.limits = limits or Limits()
        self._host = host
        self._ports = (port, rest_port)
        self._log_path = log
        self._player = Player(schedule or Schedule())
        self._started_ms = 0
        self._log: TruthLog | None = None
        self.streams = StreamServer(self.exchange.clock, self.limits, faults or Faults())
        self.rest: RestServer | None = None
        self._task: asyncio.Task[None] | None = None
        self._tape: Tape | None = None
        self.exchange.reach_ms = self.faults.reach_ms or REACH_MS
        self.ws_url = ""
        self.rest_url = ""

    @property
    def faults(self) -> Faults:
        """Return the faults in force."""
        return self.streams.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.exchange.reach_ms = REACH_MS if faults.reach_ms is None else faults.reach_ms
        self.streams.set_faults(faults)

    async def start(self) -> None:
        """Listen on both ports and start the tape; raises ConfigError if that cannot be done."""
        from quantdesk.simulator.rest import RestServer

        self._log = TruthLog(self._log_path) if self._log_path else None
        self.rest = RestServer(self.exchange, self.limits, lambda: self.faults)
        wanted, rest_wanted = self._ports
        try:
            ws_port = await self.streams.start(self._host, wanted)
            wanted = rest_wanted
            rest_port = await self.rest.start(self._host, wanted)
        except (OSError, OverflowError) as error:
            await self.stop()
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            raise ConfigError(
                f"port {wanted} is in use: choose another one, or 0 for any free one"
                if taken
                else f"cannot listen on {self._host} port {wanted}: {error}"
            ) from error
        self.ws_url = f"ws://{self._host}:{ws_port}"
        self.rest_url = f"http://{self._host}:{rest_port}"
        self._started_ms = self.exchange.now_ms()
        self._tape = Tape(self.exchange, self.streams, self._log)
        self._task = asyncio.get_running_loop().create_task(self._run(self._tape), name="simulator tape")

    async def stop(self) -> None:
        """Close every connection, both ports and the log; raises what ended the tape early, if anything did."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        await self.streams.stop()
        if self.rest is not None:
            await self.rest.stop()
        if self._log is not None:
            if self._tape is not None:
                self._tape.finish()
            self._log.close()
            self._log = None
        if task is not None and not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def wait(self) -> None:
        """Wait until the server is stopped, or raise what ended it."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self, tape: Tape) -> None:
        while True:
            for faults in self._player.due((self.exchange.now_ms() - self._started_ms) / 1_000):
                self.faults = faults
            self.streams.check()
            tape.advance()
            await self.exchange.clock.sleep(PACE)
