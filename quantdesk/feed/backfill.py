"""Fill the gaps of every symbol from REST: in passes, the lowest id first, a page closes all within it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quantdesk.config import FeedLimits
from quantdesk.feed.gaps import Gaps, Hole
from quantdesk.feed.rest import PAGE, RestClient, RestError, RestLimitedError, RestRefusedError, RestRejectedError
from quantdesk.types import GapState, Tick

#: So many answers must lack an id inside a page, and behind the last page, before it counts as missing.
LACKS_INSIDE, LACKS_BEHIND = 2, 8
CONFIRM = 2.0
LONGEST_PAUSE = 30.0
HOUR_MS = 3_600_000
#: REST's own idea of its reach may differ by this (ms).
MARGIN_MS = 60_000
SLICE = 200


@dataclass(frozen=True, slots=True)
class Account:
    """Name what one symbol lacks, where its trades go, and whether the store can take any."""

    symbol: str
    gaps: Gaps
    deliver: Callable[[Sequence[Tick]], None]
    is_blocked: Callable[[], bool]


class Backfill:
    """Ask for what is missing, symbol by symbol in turn; ``trouble`` says in words why it cannot."""

    def __init__(
        self,
        rest: RestClient,
        limits: FeedLimits,
        accounts: Callable[[], Sequence[Account]],
        exchange_now: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rest, self._limits = rest, limits
        self._accounts, self._exchange_now, self._clock = accounts, exchange_now, clock
        self._pause_until = 0.0
        self._failures = 0
        self._turn = 0
        self.preferred: frozenset[str] = frozenset()  #: symbols that somebody looks at: filled first
        self.trouble = ""
        self.calls = 0

    async def run(self) -> None:
        """Fill for ever: collect for a second, then make passes until nothing is due."""
        while True:
            await asyncio.sleep(self._limits.gap_collect)
            while await self.step():
                continue

    async def drain(self, seconds: float) -> None:
        """Fill what is open now until nothing is, or the time is over."""
        deadline = self._clock() + seconds
        while (left := deadline - self._clock()) > 0 and any(account.gaps for account in self._accounts()):
            try:
                async with asyncio.timeout(left):
                    if not await self.step():
                        await asyncio.sleep(0.1)
            except TimeoutError:
                return

    async def step(self) -> bool:
        """Ask for one page where one is due; return whether it was."""
        now = self._clock()
        if now < self._pause_until:
            return False
        self._expire()
        found = self._next(now)
        if found is None:
            return False
        account, hole = found
        account.gaps.asked(hole)
        self.calls += 1
        asked, last = hole.first, hole.last
        try:
            page = await self._rest.agg_trades(account.symbol, from_id=asked, limit=PAGE)
        except RestRejectedError as error:
            self.trouble = str(error)
            if hole.start_ts < self._horizon() + HOUR_MS:
                await self._split(account, hole)
            else:
                account.gaps.put_off(asked, self._clock() + LONGEST_PAUSE)
            return True
        except RestError as error:
            self._failed(error)
            return True
        self._failures, self.trouble = 0, ""
        if not page and hole.start_ts < self._horizon():
            await self._split(account, hole)
            return True
        await self._deliver(account, page)
        self._judge(account.gaps, asked, last, page)
        return True

    async def _deliver(self, account: Account, page: Sequence[Tick]) -> None:
        for start in range(0, len(page), SLICE):
            account.deliver(page[start : start + SLICE])
            await asyncio.sleep(0)  # a whole page at once would be felt on the screen

    async def _split(self, account: Account, hole: Hole) -> None:
        """Give up the part of a hole that REST no longer has; find by time where the reachable part begins."""
        first, last = hole.first, hole.last
        start = max(self._horizon() + MARGIN_MS, hole.start_ts)
        while start < hole.end_ts:
            end = min(start + HOUR_MS - 1, hole.end_ts)
            self.calls += 1
            try:
                page = await self._rest.agg_trades(account.symbol, start=start, end=end, limit=PAGE)
            except RestRejectedError:
                break
            except RestError as error:
                self._failed(error)
                return
            if page:
                # What is delivered tightens the bounds of what is given up, so that only its bars are partial.
                await self._deliver(account, page)
                if page[0].agg_id > first:
                    account.gaps.end(first, min(last, page[0].agg_id - 1), GapState.EXPIRED)
                account.gaps.put_off(max(first, page[-1].agg_id + 1), self._clock() + 1.0)
                return
            start = end + 1
        account.gaps.end(first, last, GapState.EXPIRED)

    def _horizon(self) -> int:
        return self._exchange_now() - self._limits.rest_reach_ms

    def _next(self, now: float) -> tuple[Account, Hole] | None:
        """Return what to ask for: symbols that are looked at come first, else they take turns."""
        accounts = [account for account in self._accounts() if not account.is_blocked()]
        urgent = self._horizon() + HOUR_MS
        for looked_at in (True, False):
            for i in range(len(accounts)):
                account = accounts[(self._turn + i) % len(accounts)]
                if (account.symbol in self.preferred) is not looked_at:
                    continue
                hole = account.gaps.newest_window(now, urgent)
                if hole is not None:
                    self._turn = (self._turn + i + 1) % len(accounts)
                    return account, hole
        return None

    def _judge(self, gaps: Gaps, asked: int, last: int, page: Sequence[Tick]) -> None:
        """Decide about ids that the answer lacked: ask again, or they are missing there or too old."""
        now, horizon = self._clock(), self._horizon()
        upper = page[-1].agg_id if page else asked - 1
        for hole in gaps.lacked(asked, upper, now + CONFIRM):
            if hole.start_ts < horizon or hole.lacks >= LACKS_INSIDE:
                state = GapState.EXPIRED if hole.start_ts < horizon else GapState.MISSING
                gaps.end(max(asked, hole.first), min(upper, hole.last), state)
        if len(page) < PAGE and upper < last:
            # Not there yet: REST may lag behind the stream.
            for hole in gaps.lacked(upper + 1, last, now):
                hole.due = now + min(LONGEST_PAUSE, float(1 << min(hole.lacks - 1, 5)))
                if hole.lacks >= LACKS_BEHIND:
                    gaps.end(max(upper + 1, hole.first), min(last, hole.last), GapState.MISSING)

    def _expire(self) -> None:
        horizon = self._horizon()
        for account in self._accounts():
            while (hole := account.gaps.oldest()) is not None and hole.end_ts < horizon:
                account.gaps.end(hole.first, hole.last, GapState.EXPIRED)

    def _failed(self, error: RestError) -> None:
        self.trouble = str(error)
        self._failures += 1
        pause = min(LONGEST_PAUSE, float(1 << min(self._failures - 1, 5))) * (0.75 + 0.25 * random.random())  # noqa: S311  # jitter, no secret
        if isinstance(error, RestLimitedError):
            pause = error.wait
        elif isinstance(error, RestRefusedError):
            pause = self._limits.refused_pause
        self._pause_until = self._clock() + pause
