from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.zscore import ZKind
from quantdesk.model import pair as pair_module
from quantdesk.model.alerts import AlertModel
from quantdesk.model.building import LegCopy, build
from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import PairFrame, PairSettings
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.live_pair import MOST_NEW
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import EVALUATE, PairModel
from quantdesk.types import Instrument, Tick
from tests.model.conftest import START
from tests.model.live_acts import CARRIED, OTHERS, Acts
from tests.model.live_legs import ROWS, SECOND, Comparison, Counted, Legs, rest

SETTINGS = PairSettings("A", "B", "1s", window=20, correlation_window=24, formation_bars=40)


@pytest.fixture
def counted(qapp):
    runner = Counted()
    yield runner
    assert runner.close(20)


def reference(pair: PairModel, lines: HedgeLines, monkeypatch: pytest.MonkeyPatch) -> PairFrame:
    """Build in one batch what the frame on screen should be, from the bars it begins with."""
    with monkeypatch.context() as patch:
        patch.setattr(pair_module, "LIVE_ROWS", 10**9)
        order = pair.order()
    start = int(pair.frame.times[0])
    legs = [leg if not len(leg.bars) else _from(leg, start) for leg in (order.y, order.x)]
    return build(replace(order, y=legs[0], x=legs[1], lines=lines, refit_now=False)).frame


def _from(leg: LegCopy, start: int) -> LegCopy:
    row = int(np.searchsorted(leg.bars.open_time, start))
    return replace(leg, bars=leg.bars[row:], closes=leg.closes[row:], quality=leg.quality[row:])


def follow(pair: PairModel, legs: Legs, acts, monkeypatch) -> list[tuple[str, int]]:
    """Do one act after the other and compare each frame with the batch; return each with the batches it took."""
    taken, lines = [], pair._lines.now
    for name, act in acts:
        before = pair.jobs.batches
        act()
        rest(pair)
        if pair.jobs.batches != before:
            lines = pair._lines.now
        taken.append((name, pair.jobs.batches - before))
        Comparison(pair.frame, reference(pair, lines, monkeypatch), legs.move / 10).run()
    return taken


def started(counted, legs: Legs, settings: PairSettings, kinds=()) -> PairModel:
    pair = PairModel(counted)
    pair.watch_kinds(kinds)
    pair.set_source(legs, settings)
    rest(pair)
    assert pair.frame.formation_settled and counted.batches == 1
    return pair


@pytest.mark.parametrize("kind", CARRIED)
@pytest.mark.parametrize("hedge", [HedgeMethod.OLS, HedgeMethod.TLS, HedgeMethod.ROLLING, HedgeMethod.KALMAN])
@pytest.mark.parametrize("log", [False, True])
def test_closed_bars_carry_every_column_on_as_the_batch_would(counted, monkeypatch, kind, hedge, log):
    legs = Legs(3, 1e5, 1.0)
    chosen = replace(SETTINGS, z_kind=kind, hedge=hedge, log=log)
    pair = started(counted, legs, chosen, [other for other in OTHERS if other is not kind])
    follow(pair, legs, [("both", legs.both)] * 30, monkeypatch)
    assert counted.batches == 1 and len(pair.frame) == ROWS + 30
    assert all(
        np.isfinite(column[-1]) for column in (pair.frame.z, pair.frame.correlation, *pair.frame.other_z.values())
    )


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_to_the_legs_the_frame_is_that_of_the_batch(counted, monkeypatch, seed):
    rng = random.Random(seed)
    legs = Legs(seed, *rng.choice([(1e5, 1.0), (1e5, 20.0), (1.0, 1e-4), (3_000.0, 2.0)]))
    settings = replace(SETTINGS, log=rng.random() < 0.3, z_kind=rng.choice(CARRIED))
    pair = started(counted, legs, settings, rng.sample(OTHERS, 3))
    taken = follow(pair, legs, Acts(pair, legs, rng).some(40), monkeypatch)
    needed = {"partial", "revision", "swap", "refit", "kinds"}
    if not pair.settings.refit_every:
        assert sum(batches for name, batches in taken if name not in needed) < len(taken)


def test_bars_that_close_while_a_job_builds_are_carried_on_to_its_frame(counted, monkeypatch):
    legs = Legs(5, 1e5, 1.0)
    pair = started(counted, legs, SETTINGS)
    pair.set_settings(replace(SETTINGS, window=33))
    while not counted.busy(EVALUATE):
        QCoreApplication.processEvents()
    taken = follow(pair, legs, [("many", lambda: [legs.both() for _ in range(3)])], monkeypatch)
    assert (len(pair.frame), pair.frame.settings.window, counted.batches, taken) == (ROWS + 3, 33, 2, [("many", 0)])


def test_a_frame_that_was_shown_stays_as_it_was_when_rows_are_added_or_filled(counted):
    legs = Legs(6, 1e5, 1.0)
    pair = started(counted, legs, replace(SETTINGS, hedge=HedgeMethod.ROLLING), OTHERS)
    legs.walk()
    legs.bar("B", legs.row, legs.close["B"])
    rest(pair)
    frame = pair.frame
    held = {name: getattr(frame, name).copy() for name in ("times", "z", "spread", "beta_path", "quality_y")}
    held_y, beta = frame.y.close.copy(), frame.joined.beta.copy()
    legs.bar("A", legs.row, legs.close["A"])
    for _ in range(8):
        for _ in range(50):  # more than there was room for
            legs.both()
        rest(pair)
    assert counted.batches == 1 and np.isnan(held_y[-1]) and np.isfinite(pair.frame.y.close).all()
    for name, column in held.items():
        np.testing.assert_array_equal(getattr(frame, name), column, name)
    np.testing.assert_array_equal(frame.y.close, held_y)
    np.testing.assert_array_equal(frame.joined.beta, beta)


def test_the_oldest_rows_leave_in_one_go_and_the_rest_is_that_of_the_batch(counted, monkeypatch):
    monkeypatch.setattr(pair_module, "LIVE_ROWS", 100)
    legs = Legs(7, 1e5, 1.0)
    pair = started(counted, legs, replace(SETTINGS, z_kind=ZKind.EXPANDING), (ZKind.EWM,))
    sizes = []

    def both() -> None:
        legs.both()
        rest(pair)
        sizes.append(len(pair.frame))

    follow(pair, legs, [("both", both)] * 20, monkeypatch)
    assert 100 < max(sizes) <= 105 and sizes.count(100) == counted.batches - 1 >= 3
    assert pair.frame.times[-1] == START + (ROWS + 19) * SECOND


def test_a_full_sample_is_built_anew_at_each_bar_for_every_value_changes(counted, monkeypatch):
    legs = Legs(8, 1e5, 1.0)
    pair = started(counted, legs, replace(SETTINGS, z_kind=ZKind.FULL_SAMPLE))
    assert follow(pair, legs, [("both", legs.both)] * 3, monkeypatch) == [("both", 1)] * 3


def test_one_leg_alone_is_carried_on_and_another_one_builds_anew(counted, monkeypatch):
    legs = Legs(9, 1e5, 1.0)
    other = legs.held.pop("B")
    pair = PairModel(counted)
    pair.set_source(legs, SETTINGS)
    rest(pair)

    def alone() -> None:
        legs.walk()
        legs.bar("A", legs.row, legs.close["A"])

    follow(pair, legs, [("alone", alone)] * 3, monkeypatch)
    assert counted.batches == 1 and len(pair.frame) == ROWS + 3 and pair.frame.observations == 0
    legs.held["B"] = other
    pair.refresh()
    rest(pair)
    assert counted.batches == 2 and pair.frame.observations == ROWS


def test_a_leg_that_is_silent_for_long_is_left_to_the_batch(counted, monkeypatch):
    legs = Legs(10, 1e5, 1.0)
    pair = started(counted, legs, SETTINGS)
    for _ in range(MOST_NEW + 2):
        legs.walk()
        legs.bar("A", legs.row, legs.close["A"])
        if legs.row % 50 == 0:
            rest(pair)
    taken = follow(pair, legs, [("both", legs.both)] * 2, monkeypatch)
    assert len(pair.frame) == ROWS + MOST_NEW + 4 and taken[-1] == ("both", 0)


def test_a_partial_bar_that_waits_for_the_other_leg_is_left_out_once_it_came(counted, monkeypatch):
    legs = Legs(12, 1e5, 1.0)
    pair = started(counted, legs, SETTINGS)
    acts = Acts(pair, legs, random.Random(1))

    def partial() -> None:
        legs.walk()
        legs.partial["A"] = [START + (legs.row - 1) * SECOND]
        acts.close("A")

    taken = follow(pair, legs, [("A", partial), ("B", lambda: acts.close("B")), ("both", legs.both)], monkeypatch)
    assert pair.frame.left_out.tolist() == legs.partial["A"] and pair.frame.observations == ROWS + 1
    assert taken == [("A", 1), ("B", 1), ("both", 0)]


def test_alerts_fire_at_the_same_bars_whoever_made_the_frames(counted):
    legs, live, told = Legs(11, 1e5, 1.0), AlertModel(), [[], []]
    pair = started(counted, legs, SETTINGS)
    batch = AlertModel()
    for _ in range(150):
        legs.both()
        rest(pair)
        for model, frame, found in zip((live, batch), (pair.frame, build(pair.order()).frame), told, strict=True):
            found += [(event.time_ms, event.kind) for event in model.judge(frame)]
    assert told[0] == told[1] != [] and counted.batches == 1


def test_trades_carry_the_frame_on_whichever_leg_closes_first_and_a_late_one_builds_it_anew(counted, qapp):
    market, ids, pair = MarketModel(), dict.fromkeys("AB", 0), PairModel(counted)

    def trade(symbol: str, at: int, price: float) -> None:
        ids[symbol] += 1
        market.on_tick(Tick(symbol, ids[symbol], price, 1.0, at, False, 1))

    def second(number: int) -> None:
        at, move = START + number * SECOND, float(np.sin(number) + 0.3 * np.sin(7 * number))
        trade("B", at + 100, round(100 + move, 2))
        rest(pair)
        trade("A", at + 200, round(50 + move / 2 + 0.1 * np.cos(5 * number), 2))
        market.on_time(at + 300)
        rest(pair)

    for symbol in "AB":
        market.on_instrument(Instrument("test", symbol, Decimal("0.01"), Decimal("0.001")))
    market.on_time(START)
    pair.set_source(market, SETTINGS)
    for number in range(100):
        second(number)
    before, rows = counted.batches, len(pair.frame)
    for number in range(100, 140):
        second(number)
    assert counted.batches == before and len(pair.frame) == rows + 40 and np.isfinite(pair.frame.last.z)
    np.testing.assert_allclose(pair.frame.z, build(pair.order()).frame.z, rtol=1e-9, atol=1e-9)
    trade("A", START + 130 * SECOND + 900, 51.0)
    market.on_time(START + 140 * SECOND)
    rest(pair)
    assert counted.batches == before + 1 and pair.frame.y.close[130] == 51.0
