"""Keep one route connected: reconnect, hand over before the daily cut, renew what is silent."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable

from quantdesk.config import FeedLimits
from quantdesk.feed.binance import Route, stream_url, streams_of
from quantdesk.feed.connection import Connection, End
from quantdesk.feed.failures import Remedy, error_words
from quantdesk.feed.pace import Backoff, ConnectBudget
from quantdesk.feed.pauses import Pause, PauseWatch
from quantdesk.types import ConnectionReport, Cut, MarketEvent, StreamReport

_log = logging.getLogger(__name__)

TICK = 0.25
#: A tick that comes so much too late tells that this program, not the line, was silent.
LATE = 1.0
#: After a pause of this kind the line must prove within the second number that it still lives.
PAUSE, PROOF = 5.0, 2.0
#: Attempts under way at the same time while the exchange does not answer.
ATTEMPTS = 5
#: A connection with so many frames is no quiet market.
BUSY_FRAMES = 50
KEPT_CUTS = 20


class StreamClient:
    """Deliver the events of one route, whatever happens to its connections, until ``run`` is cancelled.

    ``on_event`` gets every event of every generation (duplicates included), ``on_bad`` the frames
    that cannot be used, ``on_back`` a call whenever data flow again after a loss. None of them may raise.
    """

    def __init__(
        self,
        base: str,
        route: Route,
        limits: FeedLimits,
        connects: ConnectBudget,
        on_event: Callable[[MarketEvent], None],
        on_bad: Callable[[bytes, str], None],
        on_back: Callable[[], None] = lambda: None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.route = route
        self._url, self._limits, self._connects = stream_url(base, route), limits, connects
        self._on_event, self._on_bad, self._on_back = on_event, on_bad, on_back
        self._clock, self._wall = clock, wall
        self._backoff = Backoff(limits)
        self._streams: tuple[str, ...] = ()
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._next_attempt = 0.0
        self._patience = 1
        self._proof: tuple[float, dict[Connection, int]] | None = None
        self._was_live = False
        self._pauses = PauseWatch(clock, wall)
        self._frames_before = 0  # of connections that are gone
        self._rate = (clock(), 0, 0.0)  # when, frames until then, frames a second
        self.reconnects = self.generations = self.sleeps = 0
        self.reasons: Counter[str] = Counter()
        self.cuts: deque[Cut] = deque(maxlen=KEPT_CUTS)
        self.remedy = Remedy.RETRY  #: what helps against ``trouble``
        self.trouble = ""  #: why there is no connection, in words

    def want(self, symbols: Iterable[str]) -> None:
        """Set the symbols whose streams shall come."""
        self._streams = tuple(s for symbol in symbols for s in streams_of(symbol, self.route))
        for connection in self._connections:
            connection.liveness.want(self._streams)
        self._wake.set()

    @property
    def is_live(self) -> bool:
        """Tell whether data flow now."""
        return any(c.is_open and c.liveness.is_alive for c in self._connections)

    def words(self) -> str:
        """Return in plain words what is wrong, empty when data flow."""
        now = self._clock()
        current = self._current()
        if current is not None:
            return current.liveness.complaint(now)
        if not self._streams:
            return ""
        if not self.trouble:
            return "connecting"
        wait = self._next_attempt - now
        when = f", retrying in {wait:.0f} s" if wait >= 0.5 else ", retrying"
        return f"no connection to the exchange: {self.trouble}{when}"

    @property
    def queued(self) -> int:
        """Return how many frames wait in the sockets' queues."""
        return sum(c.waiting for c in self._connections)

    def report(self) -> ConnectionReport:
        """Return how the route is, for a person to look at."""
        now, current = self._clock(), self._current()
        opened = None if current is None or current.opened_at is None else now - current.opened_at
        silences = {} if current is None else current.liveness.silences(now)
        verified = None if current is None else current.liveness.verified_at
        return ConnectionReport(
            route=self.route.value,
            generation=self.generations if current is None else current.number,
            connected_seconds=opened,
            words=self.words(),
            remedy=self.remedy.value if self.trouble else "",
            reconnects=self.reconnects,
            cuts=tuple(self.cuts),
            frames_per_second=self._frames_per_second(now),
            streams=tuple(StreamReport(name, silence) for name, silence in sorted(silences.items())),
            queued=self.queued,
            queue_limit=self._limits.max_queue,
            verified_seconds_ago=None if verified is None else now - verified,
            lost_subscriptions=0 if current is None else current.liveness.lost,
            sleeps=self.sleeps,
        )

    def _frames_per_second(self, now: float) -> float:
        then, before, rate = self._rate
        total = self._frames_before + sum(c.frames for c in self._connections)
        if now - then < 0.5:
            return rate
        self._rate = now, total, (total - before) / (now - then)
        return self._rate[2]

    def reconnect(self, reason: str) -> None:
        """Cut and connect anew at once."""
        self._next_attempt = 0.0
        for connection in self._connections:
            connection.cut(reason)
        self._wake.set()

    async def run(self) -> None:
        """Keep the route connected until cancelled."""
        try:
            while True:
                now = self._clock()
                self._notice_pause(now, self._pauses.look())
                self._bury(now)
                self._check(now)
                self._connect(now)
                for connection in [c for c in self._connections if c.is_open]:
                    await connection.control(now)
                self._wake.clear()
                try:
                    async with asyncio.timeout(self._nap(self._clock())):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            await self._leave()

    def _current(self) -> Connection | None:
        return next((c for c in self._connections if c.is_open), None)

    def _nap(self, now: float) -> float:
        """Return how long nothing needs to be done."""
        nap = min(TICK, 1 / self._limits.control_per_second)
        return min(nap, max(0.01, self._next_attempt - now)) if self._current() is None else nap

    def _notice_pause(self, now: float, pause: Pause) -> None:
        if pause.passed > LATE:
            for connection in self._connections:
                connection.liveness.forgive(pause.passed)
        if pause.is_sleep:
            # The line is most likely dead: the next generation starts at once, beside it. Where only the
            # wall clock was set, the line lives and hands over without a gap.
            self.sleeps += 1
            self._next_attempt = 0.0
            for connection in self._connections:
                connection.is_leaving = connection.is_open
        if (pause.is_sleep or pause.passed > PAUSE) and self._proof is None:
            self._proof = now + PROOF, {c: c.frames for c in self._connections if c.is_open}
        elif self._proof is not None and now >= self._proof[0]:
            for connection, frames in self._proof[1].items():
                if connection.is_open and connection.frames == frames:
                    connection.cut("no data after a pause of this computer")
            self._proof = None

    def _bury(self, now: float) -> None:
        for connection in [c for c, task in self._connections.items() if task.done()]:
            task = self._connections.pop(connection)
            error = None if task.cancelled() else task.exception()
            end = connection.ended or End("stopped" if error is None else error_words(error), opened=False)
            if error is not None:
                _log.error("a connection ended by a fault of the program", exc_info=error)
            if end.answered:
                self._connects.count(now)
            self._frames_before += connection.frames
            if end.opened:
                self._note_cut(connection, end, now)
            if not any(c.is_open for c in self._connections):
                self._lost(connection, end, now)
            elif end.opened:
                self._on_back()  # the other generation may have begun later than this one ended
            else:
                self._next_attempt = max(self._next_attempt, now + end.wait)

    def _lost(self, connection: Connection, end: End, now: float) -> None:
        self.trouble, self.remedy = end.words, end.remedy
        if end.opened:
            quiet = self.route is Route.PUBLIC and end.words.startswith("no data for")
            self._patience = min(16, self._patience * 2) if quiet and connection.frames < BUSY_FRAMES else 1
        refused = end.remedy is not Remedy.RETRY
        self._next_attempt = now + self._backoff.delay(refused=refused, answered=end.answered, asked_for=end.wait)

    def _note_cut(self, connection: Connection, end: End, now: float) -> None:
        delivered = connection.liveness.first_frame_at is not None
        self.reconnects += delivered
        self.reasons[end.words if len(self.reasons) < 50 else "other"] += 1
        lasted = now - (connection.opened_at or now)
        self.cuts.append(Cut(int(self._wall() * 1_000), end.words, lasted, delivered))

    def _check(self, now: float) -> None:
        for connection in [c for c in self._connections if c.is_open]:
            first = connection.liveness.first_frame_at
            if first is not None:
                self._backoff.on_delivered()
                if now - first >= self._limits.stable_after:
                    self._backoff.on_stable()
            reason = connection.liveness.check(now)
            if reason is not None:
                connection.cut(reason)
        live = self.is_live
        if live and not self._was_live:
            self.trouble, self.remedy = "", Remedy.RETRY
            self._on_back()
        self._was_live = live
        self._hand_over(now)

    def _hand_over(self, now: float) -> None:
        """Close the older of two open connections once the newer carries on where it stands."""
        opened = [c for c in self._connections if c.is_open]
        if len(opened) > 1 and opened[-1].covers(opened[0], now):
            self._retire(opened[0])

    def _retire(self, connection: Connection) -> None:
        task = self._connections.pop(connection)
        self._frames_before += connection.frames
        self._connects.count(self._clock())
        closing = asyncio.create_task(self._close(connection, task), name=f"close {self.route}")
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _close(self, connection: Connection, task: asyncio.Task[None]) -> None:
        try:
            await connection.close()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _connect(self, now: float) -> None:
        current = self._current()
        opening = [c for c in self._connections if not c.is_open and c.ended is None]
        if not self._streams:
            for connection in list(self._connections):
                self._retire(connection)
            return
        if current is not None:
            opened = [c for c in self._connections if c.is_open]
            if len(opened) > 1 or now < self._next_attempt:
                return
            due = current.is_leaving or now - (current.opened_at or now) > self._limits.lifetime
            if not due:
                for connection in opening:  # another attempt was faster
                    self._retire(connection)
            elif not opening and self._connects.wait(now) <= 0:
                self._next_attempt = now + self._limits.stable_after
                self._start()
            return
        stalled = all(now - c.started_at > self._limits.reconnect_cap for c in opening) and len(opening) < ATTEMPTS
        if now >= self._next_attempt and stalled and self._connects.wait(now) <= 0:
            self._start()

    def _start(self) -> None:
        connection = Connection(
            self._url,
            self._limits,
            self._streams,
            self._on_event,
            self._on_bad,
            self._clock,
            patience=self._patience,
            number=self.generations + 1,
        )
        task = asyncio.create_task(connection.run(), name=f"connection {self.route}")
        self.generations += 1
        task.add_done_callback(lambda _: self._wake.set())
        self._connections[connection] = task

    async def _leave(self) -> None:
        """Close what is open, within the close time-out."""
        for connection in list(self._connections):
            self._retire(connection)
        if self._closing:
            await asyncio.wait(self._closing, timeout=self._limits.close_timeout + 1)
            for task in self._closing:
                task.cancel()
