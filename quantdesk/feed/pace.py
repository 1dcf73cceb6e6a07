"""Pace what goes to the exchange: request weight, connection attempts, delays. Pure: time is passed in."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

from quantdesk.config import FeedLimits

WINDOW = 60.0
#: While others use more than our share, one request in so many seconds still goes out.
TRICKLE = 5.0
#: So many answered attempts after a loss are made in haste.
PROMPT = 40
#: Beyond this share of the whole limit nothing goes out, whoever used it.
CEILING = 0.9


class WeightBudget:
    """Keep our requests within a share of the announced limit, and off a limit that others use up."""

    def __init__(self, limits: FeedLimits) -> None:
        self._share = limits.weight_share
        self.limit = limits.weight_per_minute
        self._spent: deque[tuple[float, int]] = deque()
        self._reported = 0
        self._reported_until = 0.0
        self._since_report = 0

    def report(self, used: int, now: float, valid_for: float = WINDOW) -> None:
        """Take in what the exchange says is used this minute, by us and by others behind our address."""
        self._reported, self._reported_until, self._since_report = used, now + valid_for, 0

    def used(self, now: float) -> int:
        """Return the weight used in the running minute as far as known."""
        self._expire(now)
        own = sum(weight for _, weight in self._spent)
        return max(own, self._reported + self._since_report)

    def wait(self, weight: int, now: float) -> float:
        """Return for how many seconds a request of this weight must wait, 0 if it may go."""
        self._expire(now)
        share = max(weight, int(self.limit * self._share))
        own = sum(spent for _, spent in self._spent)
        if own + weight > share:
            return self._until_free(own + weight - share, now)
        total = self._reported + self._since_report + weight
        if total <= share:
            return 0.0
        if total > self.limit * CEILING:
            return max(0.05, self._reported_until - now)
        last = self._spent[-1][0] if self._spent else now - TRICKLE
        return max(0.0, min(last + TRICKLE, self._reported_until) - now)

    def spend(self, weight: int, now: float) -> None:
        """Book a request that goes out now."""
        self._spent.append((now, weight))
        self._since_report += weight

    def _until_free(self, excess: int, now: float) -> float:
        for moment, weight in self._spent:
            excess -= weight
            if excess <= 0:
                return max(0.01, moment + WINDOW - now)
        return WINDOW

    def _expire(self, now: float) -> None:
        while self._spent and self._spent[0][0] <= now - WINDOW:
            self._spent.popleft()
        if now >= self._reported_until:
            self._reported = self._since_report = 0


class ConnectBudget:
    """Count the handshakes that the exchange answered: at most so many in five minutes."""

    def __init__(self, limits: FeedLimits) -> None:
        self._most = limits.connects_per_5min
        self._answered: deque[float] = deque()

    def count(self, now: float) -> None:
        """Book an answered handshake."""
        self._answered.append(now)

    def wait(self, now: float) -> float:
        """Return for how many seconds the next attempt must wait."""
        while self._answered and self._answered[0] <= now - 300.0:
            self._answered.popleft()
        return 0.0 if len(self._answered) < self._most else self._answered[0] + 300.0 - now


class Backoff:
    """Tell how long to wait before the next attempt.

    After a connection that had delivered: at once, then from ``first_backoff`` doubling up to
    ``reconnect_cap``. While nothing was ever delivered, or the exchange refuses: up to ``handshake_cap``.
    """

    def __init__(self, limits: FeedLimits, jitter: Callable[[], float] = random.random) -> None:
        self._limits = limits
        self._jitter = jitter
        self._failures = 0
        self._delivered = False
        self._at_once = False

    def on_delivered(self) -> None:
        """Note that a connection has brought data: the exchange was reachable a moment ago."""
        self._delivered = True

    def on_stable(self) -> None:
        """Note that a connection has brought data for a while: its loss is answered at once."""
        self._failures = 0
        self._at_once = True

    def delay(self, *, refused: bool = False, answered: bool = False, asked_for: float = 0.0) -> float:
        """Return the seconds to wait now; ``asked_for`` is the exchange's own Retry-After.

        ``refused``: trying soon again is useless. ``answered``: the attempt counts against the exchange's
        limit, so that after ``PROMPT`` of them it is left in peace.
        """
        if self._at_once and not refused:
            self._at_once = False
            return 0.0
        prompt = self._delivered and not refused and not (answered and self._failures >= PROMPT)
        cap = self._limits.reconnect_cap if prompt else self._limits.handshake_cap
        step = min(cap, self._limits.first_backoff * float(1 << min(self._failures, 16)))
        self._failures += 1
        return max(asked_for, step * (0.75 + 0.25 * self._jitter()))
