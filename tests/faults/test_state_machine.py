"""Sequencer, ledger and bars as one machine, against a model of what the exchange has and what was lost."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from quantdesk.bars.builder import Bar, BarBuilder
from quantdesk.feed.sequencer import Sequencer, Verdict
from quantdesk.types import Gap, GapState, Instrument, Tick
from tests.faults.reference import Made, reference

BTC = Instrument(VENUE := "simulator", "BTCUSDT", Decimal("0.1"), Decimal("0.001"))
START = 1_795_392_450_000
SETTLE = 2.0
ACTIVE = (GapState.OPEN, GapState.FILLING)
SIZES = {"wait": st.integers(0, 45_000), "price": st.integers(1, 10**7), "quantity": st.integers(1, 10**6)}


class Feeding(RuleBasedStateMachine):
    """Publish trades, lose some, bring them late, again or by pages; the exchange may lack some, too."""

    def __init__(self) -> None:
        super().__init__()
        self.sequencer = Sequencer(BTC.symbol, settle=SETTLE)
        self.builder = BarBuilder(BTC)
        self.now = 100.0
        self.made: list[Tick] = []
        self.shown: dict[int, Tick] = {}
        self.stored: set[int] = set()
        self.refused: set[int] = set()
        self.given_up: dict[int, GapState] = {}
        self.closed: dict[tuple[str, int], Bar] = {}
        self.ledger: dict[int, Gap] = {}
        self.duplicates = 0

    @initialize(first=st.integers(1, 10**9))
    def begin(self, first: int) -> None:
        self.next_id, self.clock = first, START
        self.publish(50, 640_000, 500)
        self.receive(self.made[0])

    def publish(self, wait: int, price: int, quantity: int) -> Tick:
        self.clock += wait
        tick = Tick(
            BTC.symbol, self.next_id, price / 10, quantity / 1_000, self.clock, bool(price % 2), 1 + quantity % 3,
            self.clock + 40,
        )  # fmt: skip
        self.next_id += 1
        self.made.append(tick)
        return tick

    def receive(self, tick: Tick) -> Verdict:
        verdict = self.sequencer.on_tick(tick, self.now)
        assert (verdict.is_news) == (tick.agg_id not in self.shown and tick.agg_id not in self.given_up)
        if verdict is Verdict.DUPLICATE:
            self.duplicates += 1
        elif verdict is Verdict.REFILL:
            assert tick.agg_id in self.refused
        if verdict.is_news:
            self.shown[tick.agg_id] = tick
            self.keep(self.builder.on_tick(tick)[0])
        if verdict is not Verdict.DUPLICATE:
            self.stored.add(tick.agg_id)
            self.refused.discard(tick.agg_id)
        return verdict

    def keep(self, bars: list[Bar]) -> None:
        self.closed.update({(bar.interval.value, bar.open_time): bar for bar in bars})

    @property
    def lacking(self) -> list[Tick]:
        have = self.stored | self.given_up.keys()
        return [t for t in self.made if t.agg_id not in have and t.agg_id < (self.sequencer.expected or 0)]

    @property
    def owned(self) -> set[int]:
        """Return the ids that the stored ledger says are to be fetched."""
        active = [row for row in self.ledger.values() if row.state in ACTIVE]
        return {i for row in active for i in range(row.first_id, row.last_id + 1)}

    @rule(**SIZES)
    def a_trade_comes(self, wait: int, price: int, quantity: int) -> None:
        assert self.receive(self.publish(wait, price, quantity)) is Verdict.NEW

    @rule(lost=st.integers(1, 12), **SIZES)
    def trades_are_lost_and_the_next_one_comes(self, lost: int, wait: int, price: int, quantity: int) -> None:
        for _ in range(lost):
            self.publish(wait // 10, price, quantity)
        assert self.receive(self.publish(wait, price, quantity)) is Verdict.NEW

    @precondition(lambda self: self.lacking)
    @rule(data=st.data())
    def an_overtaken_trade_comes(self, data: st.DataObject) -> None:
        tick = data.draw(st.sampled_from(self.lacking))
        expected = Verdict.REFILL if tick.agg_id in self.refused else Verdict.LATE
        assert self.receive(tick) is expected

    @precondition(lambda self: self.stored & self.shown.keys())
    @rule(data=st.data())
    def a_known_trade_comes_again(self, data: st.DataObject) -> None:
        ident = data.draw(st.sampled_from(sorted(self.stored & self.shown.keys())))
        assert self.receive(self.shown[ident]) is Verdict.DUPLICATE

    @precondition(lambda self: len(self.sequencer.gaps) > 0)
    @rule(size=st.integers(1, 20), lacks=st.booleans())
    def a_page_fills_from_the_lowest_hole(self, size: int, lacks: bool) -> None:
        hole = self.sequencer.gaps.lowest(float("inf"))
        assert hole is not None
        self.sequencer.gaps.asked(hole)
        low = hole.first
        page = [t for t in self.made if t.agg_id >= low and t.agg_id not in self.given_up][:size]
        if lacks:  # the exchange does not have the first one of them
            page = page[1:]
            missing = {low}
            assert self.sequencer.gaps.end(low, low, GapState.MISSING) == 1
            self.given_up.update(dict.fromkeys(missing - self.shown.keys(), GapState.MISSING))
            self.refused -= missing
            self.stored |= missing & self.shown.keys()
        for tick in page:
            if tick.agg_id < (self.sequencer.expected or 0) or tick.agg_id == self.sequencer.expected:
                self.receive(tick)

    @precondition(lambda self: self.stored & self.shown.keys() - self.given_up.keys())
    @rule(data=st.data(), length=st.integers(1, 5))
    def the_store_refuses_what_was_shown(self, data: st.DataObject, length: int) -> None:
        self.the_ledger_is_stored()  # as a flush does, before and after it offers trades
        ids = sorted(self.stored & self.shown.keys() - self.given_up.keys())
        start = data.draw(st.integers(0, len(ids) - 1))
        run = [i for i in range(ids[start], ids[start] + length) if i in ids]
        run = run[: next((n for n, i in enumerate(run) if i != run[0] + n), len(run))]
        stamps = [self.shown[i].ts for i in run]
        self.sequencer.gaps.open(run[0], run[-1], min(stamps), max(stamps), self.clock, seen=True)
        self.stored -= set(run)
        self.refused |= set(run)
        self.the_ledger_is_stored()

    @rule(expired=st.integers(1, 30))
    def the_oldest_expires(self, expired: int) -> None:
        hole = self.sequencer.gaps.oldest()
        if hole is not None:
            first, last = hole.first, min(hole.last, hole.first + expired - 1)
            assert self.sequencer.gaps.end(first, last, GapState.EXPIRED) == last - first + 1
            gone = set(range(first, last + 1))
            self.given_up.update(dict.fromkeys(gone - self.shown.keys(), GapState.EXPIRED))
            self.stored |= gone & self.refused
            self.refused -= gone

    @rule(seconds=st.floats(0, 5), passed=st.integers(0, 90_000))
    def time_passes(self, seconds: float, passed: int) -> None:
        self.now += seconds
        self.clock += passed
        self.keep(self.builder.on_time(self.clock))

    @rule()
    def the_ledger_is_stored(self) -> None:
        before, after = self.sequencer.gaps.drain(self.now)
        for row in [*before, *after]:
            self.ledger[row.first_id] = row
        assert not self.sequencer.gaps.has_news
        settled = {i for gap in self.sequencer.gaps.active(self.now) for i in range(gap.first_id, gap.last_id + 1)}
        assert settled <= self.owned, "the stored ledger forgets what is lacking"
        assert self.owned <= {t.agg_id for t in self.lacking}, "the stored ledger asks for what is there"

    @rule()
    def a_new_session_reads_the_ledger_back(self) -> None:
        """End as a session does: everything settles, is stored, and is loaded anew."""
        self.sequencer.gaps.settle()
        self.the_ledger_is_stored()
        assert self.owned == {t.agg_id for t in self.lacking}
        rows = sorted(self.ledger.values(), key=lambda row: row.first_id)
        expected, ts = self.sequencer.expected, self.sequencer.last_ts
        assert expected is not None
        self.sequencer = Sequencer(BTC.symbol, expected, ts, settle=SETTLE)
        self.sequencer.gaps.load(rows, expected - 1)
        # A session that starts anew has shown nothing: what only the store lacked is a plain gap now.
        for ident in self.refused:
            del self.shown[ident]
        self.refused.clear()
        self.builder = BarBuilder(BTC)
        self.closed.clear()
        for ident in sorted(self.shown):
            self.keep(self.builder.on_tick(self.shown[ident])[0])

    @invariant()
    def the_ledger_names_exactly_what_is_lacking(self) -> None:
        gaps = self.sequencer.gaps.active()
        named = [i for gap in gaps for i in range(gap.first_id, gap.last_id + 1)]
        assert len(named) == len(set(named))
        assert named == sorted(t.agg_id for t in self.lacking)
        assert self.sequencer.gaps.ids == len(named)
        stamps = {t.agg_id: t.ts for t in self.made}
        for gap in gaps:
            assert gap.state in ACTIVE
            for ident in range(gap.first_id, gap.last_id + 1):
                assert gap.start_ts <= stamps[ident] <= gap.end_ts, "the bounds of a gap hold its trades"

    @invariant()
    def closed_bars_are_exact(self) -> None:
        trades = [
            Made(t.agg_id, t.ts, t.event_ts, Decimal(repr(t.price)), Decimal(repr(t.quantity)), t.trades)
            for _, t in sorted(self.shown.items())
        ]
        for interval in ("1s", "1m", "5m"):
            wanted = reference(trades, interval)
            for (name, start), bar in self.closed.items():
                if name == interval:
                    numbers = (bar.open, bar.high, bar.low, bar.close, bar.volume)
                    assert (*(Decimal(repr(x)) for x in numbers), bar.trades) == wanted[start]


Feeding.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestFeeding = Feeding.TestCase
