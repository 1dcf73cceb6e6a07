"""Judge the streams of one connection: asked for, acknowledged, alive, silent. Pure: time is passed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quantdesk.config import FeedLimits
from quantdesk.feed.binance import is_heartbeat

#: A stream that stays quiet is renewed ever more seldom, up to this many times its patience.
MAX_PATIENCE = 16
#: Streams named in one control message.
PARAMS = 100
#: So long (s) after a change the exchange is asked what it takes us to be subscribed to.
VERIFY_SOON = 1.0
LIST = "LIST_SUBSCRIPTIONS"


@dataclass(slots=True)
class _Stream:
    asked_at: float | None = None  # when the subscription went out; None: it is yet to go
    first_at: float | None = None
    last_at: float = 0.0
    renewals: int = 0
    repeats: int = 0
    renewing: bool = False


@dataclass(slots=True)
class _Pending:
    streams: tuple[str, ...]
    method: str
    sent_at: float
    tries: int


@dataclass(frozen=True, slots=True)
class Control:
    """Ask for one control message to be sent."""

    method: str
    streams: tuple[str, ...]
    id: int


class Liveness:
    """Keep the wanted set of one connection against what is subscribed and what really comes."""

    def __init__(self, limits: FeedLimits, opened_at: float, patience: int = 1) -> None:
        self._limits = limits
        self._patience = patience  # times the usual: grows where a quiet market looks like a dead line
        self._streams: dict[str, _Stream] = {}
        self._leaving: list[str] = []
        self._pending: dict[int, _Pending] = {}
        self._next_id = 1
        self._asked_all_at: float | None = None
        self._last_frame = opened_at
        self._not_before = 0.0
        self._verify_at = float("inf")
        self.first_frame_at: float | None = None
        self.refusal = ""
        self.verified_at: float | None = None  #: when the exchange's list last agreed with what is wanted
        self.lost = 0  #: subscriptions that the exchange had lost, asked for again

    def restart(self, now: float) -> None:
        """Count silence from now on: the connection has just opened."""
        self._last_frame = now

    def want(self, streams: Iterable[str]) -> None:
        """Set the streams that shall come; what is new will be asked for, what is not wanted given up."""
        wanted = set(streams)
        for name in sorted(wanted - self._streams.keys()):
            self._streams[name] = _Stream()
            if name in self._leaving:
                self._leaving.remove(name)
        for name in sorted(self._streams.keys() - wanted):
            if self._streams.pop(name).asked_at is not None:
                self._leaving.append(name)

    def on_frame(self, name: str | None, now: float) -> None:
        """Note a data frame."""
        self._last_frame = now
        stream = self._streams.get(name) if name is not None else None
        if stream is None:
            return
        if self.first_frame_at is None:
            self.first_frame_at = now
        if stream.first_at is None:
            stream.first_at = now
        stream.last_at, stream.renewals, stream.repeats = now, 0, 0

    def on_ack(self, ident: int | None, listed: Iterable[str] | None = None, now: float = 0.0) -> None:
        """Note that a control message was acknowledged; ``listed``: the exchange's list of subscriptions."""
        pending = self._pending.pop(ident, None) if ident is not None else None
        if pending is None:
            return
        if pending.method == LIST:
            if listed is not None:
                self._compare(frozenset(listed), pending.sent_at, now)
            return
        self.refusal = ""
        self._verify_at = min(self._verify_at, now + VERIFY_SOON)

    def _compare(self, listed: frozenset[str], sent_at: float, now: float) -> None:
        """Ask again for what the exchange has lost, give up what it has too much."""
        lost = [
            name
            for name, stream in self._streams.items()
            if name not in listed
            and stream.asked_at is not None
            and stream.asked_at < sent_at
            # Data say more than a list.
            and (stream.first_at is None or stream.last_at < sent_at)
            and not stream.renewing
        ]
        for name in lost:
            self._streams[name].asked_at = None
        surplus = sorted(listed - self._streams.keys() - set(self._leaving))
        self._leaving += surplus
        self.lost += len(lost)
        if not lost and not surplus:
            self.verified_at = now

    def on_error(self, ident: int | None, words: str, now: float) -> None:
        """Note that a control message was refused: its streams are asked for again a little later."""
        pending = self._pending.pop(ident, None) if ident is not None else None
        if pending is None and self._pending:
            pending = self._pending.pop(min(self._pending))
        if pending is None or pending.method == LIST:
            return  # an exchange that does not tell its list is believed by its data
        self.refusal = words
        self._not_before = now + min(30.0, self._limits.ack_timeout * pending.tries)
        self._ask_again(pending)

    def next_control(self, now: float) -> Control | None:
        """Return the next control message to send, if one is due."""
        for ident, pending in list(self._pending.items()):
            if now - pending.sent_at >= self._limits.ack_timeout:
                del self._pending[ident]
                if not self._all_alive(pending):  # data say more than an acknowledgement that got lost
                    self._ask_again(pending)
        if now < self._not_before:
            return None
        if self._leaving:
            names, self._leaving = tuple(self._leaving[:PARAMS]), self._leaving[PARAMS:]
            return self._send("UNSUBSCRIBE", names, now, 1)
        names = tuple(n for n, s in self._streams.items() if s.asked_at is None and not s.renewing)[:PARAMS]
        if names:
            return self._send("SUBSCRIBE", names, now, self._tries(names))
        names = tuple(n for n, s in self._streams.items() if s.renewing)[:PARAMS]
        if names:
            for name in names:
                self._streams[name].renewing = False
                self._streams[name].asked_at = None
            return self._send("UNSUBSCRIBE", names, now, 1)
        if now >= self._verify_at and not self._pending:
            self._verify_at = now + self._limits.verify_every
            return self._send(LIST, (), now, 1)
        return None

    def check(self, now: float) -> str | None:
        """Mark silent streams for renewal; return why the whole connection must be renewed, if it must."""
        if not self._streams or self._asked_all_at is None:
            return None
        limits, quiet = self._limits, now - self._last_frame
        if self.first_frame_at is None:
            waited = now - self._asked_all_at
            if waited > 2 * limits.first_frame_timeout:
                return "subscribed, no data"
            if waited > limits.first_frame_timeout:
                self._renew(self._streams)
            return None
        patience = self._line_patience()
        if quiet > patience:
            return f"no data for {quiet:.0f} s"
        if quiet <= patience / 2:  # otherwise the line itself may be dead: nothing tells one stream from the others
            self._renew([n for n, s in self._streams.items() if self._is_silent(n, s, now)])
        return None

    def _line_patience(self) -> float:
        """Return how long (s) nothing at all may come; a heartbeat yet to begin has its time to do so."""
        beats = [stream.first_at for name, stream in self._streams.items() if is_heartbeat(name)]
        if not beats:
            return self._limits.public_silence * self._patience
        begun = any(first is not None for first in beats)
        return self._limits.market_silence if begun else self._limits.first_frame_timeout

    @property
    def is_alive(self) -> bool:
        """Tell whether every wanted stream that speaks regularly has delivered."""
        beats = [s for n, s in self._streams.items() if is_heartbeat(n)]
        if beats:
            return all(s.first_at is not None for s in beats)
        return any(s.first_at is not None for s in self._streams.values())

    def complaint(self, now: float) -> str:
        """Return in words what is wanted but does not come, empty when all is well."""
        if self.refusal:
            return f"the exchange refuses a subscription: {self.refusal}"
        if self._asked_all_at is None:
            return ""
        if self.first_frame_at is None:
            return "subscribed, no data" if now - self._asked_all_at > self._limits.first_frame_timeout else ""
        mute = [n for n, s in self._streams.items() if s.first_at is None and s.renewals > 0]
        silent = [n for n, s in self._streams.items() if is_heartbeat(n) and s.renewals > 0 and s.first_at is not None]
        return f"subscribed, no data: {', '.join(sorted(mute + silent)[:3])}" if mute or silent else ""

    def silences(self, now: float) -> dict[str, float | None]:
        """Return for each wanted stream the seconds since its last frame, None where none has come."""
        return {n: None if s.first_at is None else max(0.0, now - s.last_at) for n, s in self._streams.items()}

    def forgive(self, seconds: float) -> None:
        """Do not count a time in which this program itself was busy or asleep."""
        self._last_frame += seconds
        for stream in self._streams.values():
            stream.last_at += seconds
            if stream.asked_at is not None:
                stream.asked_at += seconds
        for pending in self._pending.values():
            pending.sent_at += seconds
        if self._asked_all_at is not None:
            self._asked_all_at += seconds

    def _is_silent(self, name: str, stream: _Stream, now: float) -> bool:
        if stream.asked_at is None or stream.renewing:
            return False
        patience = self._limits.market_silence if is_heartbeat(name) else self._limits.public_silence
        if stream.first_at is None:
            patience = self._limits.first_frame_timeout
        return now - max(stream.last_at, stream.asked_at) > patience * min(MAX_PATIENCE, 1 << stream.renewals)

    def _renew(self, names: Iterable[str]) -> None:
        for name in names:
            stream = self._streams[name]
            if stream.asked_at is None or stream.renewing:
                continue
            if self.first_frame_at is not None or stream.renewals == 0:
                stream.renewing = True
                stream.renewals += 1

    def _send(self, method: str, names: tuple[str, ...], now: float, tries: int) -> Control:
        ident, self._next_id = self._next_id, self._next_id + 1
        self._pending[ident] = _Pending(names, method, now, tries)
        if method == "SUBSCRIBE":
            for name in names:
                self._streams[name].asked_at = now
            if self._asked_all_at is None:
                self._asked_all_at = now
        return Control(method, names, ident)

    def _tries(self, names: tuple[str, ...]) -> int:
        return 1 + max((self._streams[name].repeats for name in names), default=0)

    def _all_alive(self, pending: _Pending) -> bool:
        streams = [self._streams[n] for n in pending.streams if n in self._streams]
        return pending.method == "SUBSCRIBE" and all(
            s.first_at is not None and s.last_at >= pending.sent_at for s in streams
        )

    def _ask_again(self, pending: _Pending) -> None:
        if pending.method != "SUBSCRIBE":
            return  # frames that nobody wants do no harm, and a renewal subscribes again anyway
        for name in pending.streams:
            if name in self._streams:
                self._streams[name].asked_at = None
                self._streams[name].repeats += 1
