"""Run one connection of a route: open it, read it, say how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from quantdesk.config import FeedLimits
from quantdesk.feed.binance import Ack, BadFrame, ControlError, control, is_trade_stream, parse, stream_of
from quantdesk.feed.failures import Remedy
from quantdesk.feed.liveness import Liveness
from quantdesk.feed.socket import ClosedError, OpenError, Socket, open_socket
from quantdesk.trades import RawTrade
from quantdesk.types import MarketEvent, ServerShutdown, Tick

#: So many frames are read before others get their turn on the loop.
BURST = 64


@dataclass(frozen=True, slots=True)
class End:
    """Tell how a connection or an attempt ended."""

    words: str
    opened: bool
    remedy: Remedy = Remedy.RETRY
    answered: bool = False
    wait: float = 0.0


class Connection:
    """Hold one generation of a route's connection; ``run`` never raises but for cancellation."""

    def __init__(
        self,
        url: str,
        limits: FeedLimits,
        streams: Iterable[str],
        on_event: Callable[[MarketEvent], None],
        on_bad: Callable[[bytes, str], None],
        clock: Callable[[], float],
        *,
        patience: int = 1,
        number: int = 0,
    ) -> None:
        self._url, self._limits, self._clock = url, limits, clock
        self._on_event, self._on_bad = on_event, on_bad
        self._socket: Socket | None = None
        self._cut_because = ""
        self._last_control = float("-inf")
        self.started_at = clock()
        self.opened_at: float | None = None
        self.ended: End | None = None
        self.liveness = Liveness(limits, self.started_at, patience)
        self.liveness.want(streams)
        self.frames = 0  #: of market data
        self.number = number  #: the generation
        self.is_leaving = False
        self.trade_first: dict[str, int] = {}
        self.trade_last: dict[str, int] = {}

    @property
    def is_open(self) -> bool:
        """Tell whether the handshake is done and the connection has not ended."""
        return self.opened_at is not None and self.ended is None

    @property
    def waiting(self) -> int:
        """Return how many frames wait in the socket's queue."""
        return self._socket.waiting if self._socket is not None and self.is_open else 0

    async def run(self) -> None:
        """Open and read until the end, which ``ended`` tells."""
        try:
            self._socket = await open_socket(self._url, self._limits, self._limits.open_timeout)
        except OpenError as error:
            self.ended = End(error.words, opened=False, remedy=error.remedy, answered=error.answered, wait=error.wait)
            return
        self.opened_at = self._clock()
        self.liveness.restart(self.opened_at)
        try:
            await self.control(self.opened_at)
            while True:
                for _ in range(BURST):
                    self._take(await self._socket.receive())
                await asyncio.sleep(0)
        except ClosedError as error:
            self.ended = End(self._cut_because or error.words, opened=True, answered=True)
        finally:
            if self.ended is None:
                self._socket.abort()
                self.ended = End("stopped", opened=True, answered=True)

    async def control(self, now: float) -> None:
        """Send the control message that is due, at the pace the exchange allows."""
        if self._socket is None or now - self._last_control < 1 / self._limits.control_per_second:
            return
        message = self.liveness.next_control(now)
        if message is not None:
            self._last_control = now
            with suppress(ClosedError):  # the reader learns of it, too
                await self._socket.send(control(message.method, message.streams, message.id))

    def cut(self, reason: str) -> None:
        """End the connection at once."""
        self._cut_because = self._cut_because or reason
        if self._socket is not None:
            self._socket.abort()

    async def close(self) -> None:
        """End the connection politely."""
        self._cut_because = self._cut_because or "closed"
        if self._socket is not None and self.ended is None:
            await self._socket.close()

    def covers(self, older: Connection, now: float) -> bool:
        """Tell whether this connection carries on where ``older`` stands, without a gap between them."""
        if not self.is_open or self.opened_at is None or not self.liveness.is_alive:
            return False
        joined = all(
            stream in self.trade_first and self.trade_first[stream] <= last + 1
            for stream, last in older.trade_last.items()
        )
        # A stream that has nothing to say joins nothing; its sequencer would see a gap.
        return joined or now - self.opened_at > 2 * self._limits.public_silence

    def _take(self, frame: bytes) -> None:
        now = self._clock()
        try:
            event = parse(frame, self._limits.max_frame_bytes)
        except BadFrame as error:
            self._on_bad(frame, str(error))
            return
        if isinstance(event, Ack):
            self.liveness.on_ack(event.id, event.result, now)
        elif isinstance(event, ControlError):
            self.liveness.on_error(event.id, event.message, now)
        elif isinstance(event, ServerShutdown):
            self.is_leaving = True
            self._on_event(event)
        elif event is not None and not isinstance(event, RawTrade):
            self.frames += 1
            name = stream_of(event)
            self.liveness.on_frame(name, now)
            if isinstance(event, Tick) and name is not None and is_trade_stream(name):
                self.trade_first.setdefault(name, event.agg_id)
                self.trade_last[name] = event.agg_id
            self._on_event(event)
