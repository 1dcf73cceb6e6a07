from __future__ import annotations

import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QFontMetricsF

from quantdesk.analytics.base_rate import base_rate
from quantdesk.analytics.pairs import PairSnapshot
from quantdesk.analytics.pairs import test as gather
from quantdesk.analytics.stationarity import combined_p
from quantdesk.analytics.zscore import ZKind
from quantdesk.model.frame import LastValues
from quantdesk.model.market import LegQuote
from quantdesk.ui.metrics import NAMES, MetricStrip, duration
from quantdesk.ui.theme_tokens import DARK, LIGHT
from tests.ui.charts import frames
from tests.ui.charts.acts import count


class Quotes:
    """Answer as the market model does."""

    def __init__(self, **last: float) -> None:
        self.last = last

    def quote(self, symbol: str) -> LegQuote:
        price = self.last.get(symbol)
        return LegQuote(symbol, last=price, last_quantity=None if price is None else 0.25)


@pytest.fixture
def strip(qtbot, qtlog):
    pair = frames.Pair()
    source = SimpleNamespace(now=None)
    widget = MetricStrip(pair, lambda: source.now, DARK)
    pair.changed.connect(widget.refresh)  # in a window the clock does
    qtbot.addWidget(widget)
    widget.resize(1_400, widget.heightForWidth(1_400))
    with qtbot.waitExposed(widget):
        widget.show()
    yield widget, pair, source
    assert not [r.message for r in qtlog.records if not r.ignored]


def full():
    frame = frames.build(300)
    last = LastValues(
        close_y=64_000.0, close_x=3_400.0, volume_y=5.0, volume_x=6.0, spread=1_210.0, z=-0.5, correlation=0.81
    )
    fit = replace(frame.fit, mean=1_200.0, sigma=20.0, r_squared=0.98, stderr_beta=0.01)
    return replace(frame, last=last, fit=fit)


def test_without_data_every_box_shows_a_dash_and_says_why(strip):
    widget, _, _ = strip
    for name in NAMES:
        box = widget.box(name)
        assert box.shown.value == "—"
        assert box.toolTip()
        assert box.shown.words
        assert box.accessibleName().endswith("—")


def test_a_frame_fills_prices_spread_z_hedge_and_correlation(strip):
    widget, pair, _ = strip
    pair.show(full())
    shown = {name: widget.box(name).shown for name in NAMES}
    assert shown["price_y"].value == "64,000.0"
    assert shown["price_x"].value == "3,400.00"
    assert shown["spread"].value == "1,210.00"
    assert shown["spread"].detail == "1,200.00 ± 40.00 (2σ)"
    assert shown["z"].value == "−0.50"
    assert shown["hedge"].value == "18.500"
    assert "1 BTCUSDT is hedged by β ETHUSDT" in shown["hedge"].tip
    assert "2024" in shown["hedge"].tip
    assert shown["correlation"].value == "0.810"


def test_a_frame_alone_writes_nothing_until_the_clock_ticks(strip):
    widget, pair, _ = strip
    pair.changed.disconnect(widget.refresh)
    pair.show(full())
    assert widget.box("spread").shown.value == "—"
    widget.refresh()
    assert widget.box("spread").shown.value == "1,210.00"


def test_ticks_show_the_first_values_at_once_and_the_last_ones_a_moment_later(strip, qtbot):
    widget, pair, _ = strip
    pair.changed.disconnect(widget.refresh)
    pair.show(full())
    widget.follow()
    qtbot.waitUntil(lambda: widget.box("spread").shown.value == "1,210.00")
    pair.show(None)
    widget.follow()
    assert widget.box("spread").shown.value == "1,210.00", "nobody reads as fast"
    qtbot.waitUntil(lambda: widget.box("spread").shown.value == "—")


def test_a_quote_moves_the_price_and_says_up_or_down_in_signs_too(strip):
    widget, pair, source = strip
    pair.show(full())
    source.now = Quotes(BTCUSDT=64_640.0, ETHUSDT=3_366.0)
    widget.refresh()
    assert widget.box("price_y").shown.value == "64,000.0", "the pair's bars come from elsewhere"
    pair.source = source.now
    widget.refresh()
    up, down = widget.box("price_y").shown, widget.box("price_x").shown
    assert (up.value, up.tone) == ("64,640.0", "up")
    assert up.detail.startswith("▲ +1.00%")
    assert "0.25" in up.detail
    assert down.tone == "down"
    assert down.detail.startswith("▼ −1.00%")


def test_a_z_beyond_the_level_is_coloured_and_worded(strip):
    widget, pair, _ = strip
    frame = full()
    pair.show(replace(frame, last=replace(frame.last, z=2.4)))
    assert widget.box("z").shown.tone == "level"
    assert widget.box("z").shown.note == "beyond ±2"
    widget.alert_level(3.0)
    assert widget.box("z").shown.tone == ""
    assert "within ±3" in widget.box("z").shown.tip


def test_the_forming_bar_shows_in_spread_and_z_beside_the_closed_one(strip):
    widget, pair, _ = strip
    whole = frames.build(301)
    tail = replace(frames.tail_of(whole, slice(300, 301)), z=np.array([1.75]), spread=np.array([1_250.0]))
    pair.show(full(), tail)
    assert widget.box("z").shown.value == "1.75"
    assert widget.box("z").shown.note == "closed −0.50"
    assert widget.box("spread").shown.value == "1,250.00"


def test_the_base_rate_stands_beneath_the_live_z(strip, qtbot):
    widget, pair, _ = strip
    frame = full()
    pair.show(frame)
    qtbot.waitUntil(lambda: "random walk" in widget.box("z").shown.detail, timeout=10_000)
    rate = base_rate(ZKind.WALK_FORWARD, 60, 2.0, frame.z)
    shown = widget.box("z").shown
    assert shown.detail == f"|z| ≥ 2: {rate.random_walk:.1%} on a random walk, {rate.history:.1%} here".replace(
        "%", " %"
    )
    assert shown.short == f"chance {rate.random_walk:.0%}, here {rate.history:.0%}".replace("%,", ",")
    assert f"own {rate.bars:,} bars" in shown.tip
    widget.alert_level(1.0)
    qtbot.waitUntil(lambda: widget.box("z").shown.detail.startswith("|z| ≥ 1: "), timeout=10_000)
    qtbot.waitUntil(lambda: "random walk" in widget.box("z").shown.detail, timeout=10_000)
    assert f"{base_rate(ZKind.WALK_FORWARD, 60, 1.0, frame.z).history:.1%}"[:-1] in widget.box("z").shown.detail


def test_a_history_without_a_z_has_a_dash_and_says_why(strip, qtbot):
    widget, pair, _ = strip
    whole = frames.build(301)
    tail = replace(frames.tail_of(whole, slice(300, 301)), z=np.array([1.75]))
    pair.show(replace(full(), z=np.full(300, np.nan)), tail)
    qtbot.waitUntil(lambda: "random walk" in widget.box("z").shown.detail, timeout=10_000)
    assert widget.box("z").shown.detail.endswith("on a random walk, — here")
    assert "no bar of this pair has a z yet" in widget.box("z").shown.tip


def test_a_z_that_looks_ahead_is_loud_and_tells_what_alerts_judge(strip):
    widget, pair, _ = strip
    frame = full()
    quiet = widget.box("z").grab().toImage()
    settings = replace(frame.settings, z_kind=ZKind.FULL_SAMPLE)
    pair.show(replace(frame, settings=settings, walk_z=np.full(300, 0.25)))
    shown = widget.box("z").shown
    assert (shown.title, shown.tone) == ("z · LOOK-AHEAD", "ahead")
    assert "Alerts judge the walk-forward z of closed bars only: 0.250." in shown.tip
    loud = widget.box("z").grab().toImage()
    assert count(loud, DARK.error) > 200 > count(quiet, DARK.error)


def test_evidence_shows_p_with_lag_and_method_and_the_half_life_in_time(strip):
    widget, pair, _ = strip
    frame = full()
    snapshot = PairSnapshot(frame.times, frame.y.close, frame.times, frame.x.close)
    pair.evidence = gather(snapshot)
    pair.show(frame)
    box = widget.box("cointegration").shown
    assert box.value == "< 0.001" or 0 < float(box.value) < 1
    assert box.detail.startswith("lag ")
    assert box.detail.endswith("Engle-Granger both ways")
    ways = (pair.evidence.engle_granger, pair.evidence.engle_granger_reverse)
    assert all(test.label in box.tip and f"p {test.p_value:.4f}" in box.tip for test in ways)
    assert "(BIC)" in box.detail or "(AIC)" in box.detail
    life = widget.box("half_life").shown
    assert life.value.endswith(" bars")
    assert "min" in life.detail


def test_the_cointegration_p_is_that_of_both_directions(strip):
    widget, pair, _ = strip
    frame = full()
    found = gather(PairSnapshot(frame.times, frame.y.close, frame.times, frame.x.close))
    parts = {"engle_granger": 0.4, "engle_granger_reverse": 0.1}
    tests = {name: replace(getattr(found, name), p_value=p) for name, p in parts.items()}
    pair.evidence = replace(found, **tests, combined_p=combined_p(*tests.values()))
    pair.show(frame)
    assert widget.box("cointegration").shown.value == "0.200"


def test_what_evidence_lacks_is_explained_in_its_words(strip):
    widget, pair, _ = strip
    pair.evidence = SimpleNamespace(
        combined_p=None, adf=None, half_life=None, observations=300,
        reasons={"combined_p": "the legs are collinear", "half_life": "the spread does not revert"},
    )  # fmt: skip
    pair.show(full())
    assert widget.box("cointegration").toolTip() == "the legs are collinear"
    assert widget.box("half_life").toolTip() == "the spread does not revert"
    assert widget.box("half_life").shown.value == "—"


def test_a_narrow_strip_wraps_into_equal_rows(strip, qtbot):
    widget, _, _ = strip
    one = widget.heightForWidth(1_400)
    assert widget.heightForWidth(700) > one
    widget.resize(700, widget.heightForWidth(700))
    boxes = [widget.box(name).geometry() for name in NAMES]
    assert all(box.right() < 700 and box.bottom() < widget.height() for box in boxes)
    assert len({box.top() for box in boxes}) == 2
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_the_boxes_are_really_painted_dark_and_light(strip):
    widget, pair, _ = strip
    pair.show(full())
    for tokens in (DARK, LIGHT):
        widget.set_tokens(tokens)
        image = widget.grab().toImage()
        colors = {image.pixelColor(x, y).name() for x in range(0, 1_400, 3) for y in range(0, image.height(), 2)}
        assert {tokens.panel, tokens.text} <= colors


@pytest.mark.parametrize(
    ("ms", "text"),
    [(400, "0 s"), (52_000, "52 s"), (60_000, "1 min"), (852_000, "14 min 12 s"), (5_040_000, "1 h 24 min"),
     (86_400_000 * 3, "3 d")],
)  # fmt: skip
def test_a_duration_names_its_two_largest_units(ms, text):
    assert duration(ms) == text
    assert math.isfinite(ms)


def test_words_that_do_not_fit_a_narrow_box_are_shortened_not_cut(strip):
    widget, pair, _ = strip
    pair.show(full())
    for width, words in ((2_400, "ETHUSDT per BTCUSDT   150 bars"), (8 * 138 + 6, "prices   150 bars")):
        widget.resize(width, widget.heightForWidth(width))
        assert widget.box("hedge").detail() == words
    assert widget.box("spread").detail() == "1,200.00 ± 40.00"
    chance = re.sub(r"\d+", "N", widget.box("z").detail())
    assert chance in ("|z| ≥ N: —", "chance N, here N%")
    for name in NAMES:
        box = widget.box(name)
        room = box.width() - 18
        assert QFontMetricsF(box._font(11, QFont.Weight.Normal)).horizontalAdvance(box.detail()) <= room, name


def test_a_reason_for_no_number_wraps_within_its_box(strip):
    widget, _, _ = strip
    widget.resize(8 * 138 + 6, 80)
    for name in NAMES:
        box = widget.box(name)
        room = QRect(0, 0, box.width() - 18, 1_000)
        flags = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap)
        words = f"— {box.shown.words}"
        assert QFontMetrics(box._font(11, QFont.Weight.Normal)).boundingRect(room, flags, words).height() <= 41, words


def test_the_hedge_ratio_says_its_unit_and_its_window(strip):
    widget, pair, _ = strip
    frame = full()
    pair.show(frame)
    assert "in the price of BTCUSDT" in widget.box("spread").shown.tip
    assert "Formation window: " in widget.box("spread").shown.tip
    pair.show(replace(frame, settings=replace(frame.settings, log=True)))
    assert widget.box("hedge").shown.detail.startswith("log: value per value")
    assert "in logarithms" in widget.box("spread").shown.tip


def test_without_a_forming_bar_the_change_is_that_of_the_last_bar(strip):
    widget, pair, _ = strip
    frame = full()
    closes = frame.y.close
    pair.show(replace(frame, last=replace(frame.last, close_y=float(closes[-1]))))
    change = (closes[-1] / closes[-2] - 1) * 100
    assert f"{abs(change):.2f}%" in widget.box("price_y").shown.detail


def test_bars_left_out_are_counted_where_a_number_rests_on_the_span(strip):
    widget, pair, _ = strip
    frame = full()
    start = frame.fit.start_ms
    left_out = np.array([start + 60_000, start + 120_000, int(frame.times[-5])])
    pair.show(replace(frame, left_out=left_out))
    widget.refresh()
    assert "bars, 2 partial left out" in widget.box("hedge").shown.detail
    assert "60 bars, 1 partial left out" in widget.box("correlation").shown.tip
    assert "60 bars, 1 partial left out" in widget.box("z").shown.tip
    pair.show(frame)
    widget.refresh()
    assert "left out" not in widget.box("hedge").shown.detail + widget.box("z").shown.tip
