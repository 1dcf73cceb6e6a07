"""Steer a replay: play, pause, step, seek, at a chosen speed; without Qt and without a clock of its own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

#: As fast as what follows the replay can follow.
FASTEST = math.inf
SPEEDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 100.0, 300.0, 1_000.0, FASTEST)


class TransportState(StrEnum):
    """Say what a replay does: SEEKING also while it steps."""

    PLAYING = "playing"
    PAUSED = "paused"
    SEEKING = "seeking"
    ENDED = "ended"


class _Goal(Enum):
    NONE = "none"
    TIME = "time"
    BAR = "bar"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class News:
    """Tell what has followed from what was played: a bar of what is shown closed, an alert fired."""

    closed: bool = False
    alerted: bool = False


class Follower(Protocol):
    """Follow a replay on the loop's thread; it waits at every mark until all is known that follows from it."""

    def begin(self) -> None:
        """Forget what was played: it begins anew."""

    async def settle(self) -> News:
        """Return once everything that follows from what was played so far is known."""


class Transport:
    """Hold what the user wants of a replay and where it stands; ``Replay`` obeys it.

    ``position`` is the exchange time (ms) up to which everything was played, None before the first
    mark; ``span`` is (first, last) in exchange ms, None while that is not known. ``changed`` is called
    when state, speed or span change.
    """

    def __init__(self, speed: float = 1.0, *, playing: bool = True) -> None:
        self.speed = speed if speed > 0 else FASTEST
        self.position: int | None = None
        self.span: tuple[int, int] | None = None
        self.changed: Callable[[], None] = lambda: None
        self._playing, self._ended = playing, False
        self._goal, self._target, self._from = _Goal.NONE, 0, 0
        self._restart = False
        self._woken = asyncio.Event()

    @property
    def state(self) -> TransportState:
        """Return what the replay does now."""
        if self._goal is not _Goal.NONE or self._restart:
            return TransportState.SEEKING
        if self._ended:
            return TransportState.ENDED
        return TransportState.PLAYING if self._playing else TransportState.PAUSED

    @property
    def scrubs(self) -> bool:
        """Tell whether it is on its way to a time: what comes between is not to be shown."""
        return self._goal is _Goal.TIME or self._restart

    @property
    def searches(self) -> bool:
        """Tell whether it is on its way to a time or to an alert, which may last."""
        return self.scrubs or self._goal is _Goal.ALERT

    @property
    def progress(self) -> float | None:
        """Return how far a seek has come (0 to 1); None where its end is not known or nothing is sought."""
        if self._goal is not _Goal.TIME:
            return None
        start = self.span[0] if self._restart and self.span else self._from
        done = (self.position or start) - start
        return 0.0 if self._restart else max(0.0, min(1.0, done / max(1, self._target - start)))

    def play(self) -> None:
        """Go on playing; from the start where it has ended."""
        self._playing = True
        if self._ended:
            self._restart = True
        self._wake()

    def pause(self) -> None:
        """Stop at the next mark, a quarter of a second of the exchange away at most; a seek is given up."""
        self._playing, self._goal = False, _Goal.NONE
        self._wake()

    def toggle(self) -> None:
        """Pause what plays, play what does not."""
        self.pause() if self.state in (TransportState.PLAYING, TransportState.SEEKING) else self.play()

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as recorded; ``FASTEST`` waits for the follower alone."""
        self.speed = speed if speed > 0 else FASTEST
        self._wake()

    def step(self) -> None:
        """Go on to the next closed bar of what is shown and rest there."""
        self._seek_until(_Goal.BAR)

    def next_alert(self) -> None:
        """Go on to the next alert and rest there; without one, to the end."""
        self._seek_until(_Goal.ALERT)

    def seek(self, ms: int) -> None:
        """Go to an exchange time: forwards by playing fast, backwards by beginning anew and playing fast."""
        position = self.position
        self._restart = self._restart or (position is not None and ms < position)
        if self._ended and not self._restart:
            return
        self._goal, self._target = _Goal.TIME, ms
        self._from = position or 0 if not self._restart else (self.span or (0, 0))[0]
        self._wake()

    # -- what the replay calls -----------------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Tell whether it is to rest at the next mark."""
        return not self._playing and self._goal is _Goal.NONE and not self._restart

    @property
    def is_fast(self) -> bool:
        """Tell whether nothing but the follower is waited for."""
        return self._goal is not _Goal.NONE or self.speed == FASTEST or self.waits

    def wants_restart(self) -> bool:
        """Tell whether it is to begin anew."""
        return self._restart

    def begin(self) -> None:
        """Stand before the first record."""
        self._restart = self._ended = False
        self.position = None
        self.changed()

    def know_span(self, span: tuple[int, int] | None) -> None:
        """Learn where the data begin and end."""
        self.span = span
        self.changed()

    def reach(self, ms: int, news: News) -> None:
        """Stand at a mark; a goal that is reached is dropped."""
        self.position = ms
        reached = {
            _Goal.NONE: False,
            _Goal.TIME: ms >= self._target,
            _Goal.BAR: news.closed,
            _Goal.ALERT: news.alerted,
        }[self._goal]
        if reached and not self._restart:
            self._playing = self._playing and self._goal is _Goal.TIME
            self._goal = _Goal.NONE
            self.changed()

    def end(self) -> None:
        """Stand behind the last record."""
        self._ended, self._playing, self._goal = True, False, _Goal.NONE
        self.changed()

    async def wake(self, seconds: float | None) -> None:
        """Return after so many seconds (None: never by itself), or as soon as anything else is wanted."""
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    def _seek_until(self, goal: _Goal) -> None:
        if self._ended:
            return
        self._playing, self._goal = False, goal
        self._wake()

    def _wake(self) -> None:
        self._woken.set()
        self.changed()
