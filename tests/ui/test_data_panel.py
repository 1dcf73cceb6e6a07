"""The Data panel looks at the feed only while it is seen, and says all of it in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from quantdesk.types import (
    BadFrameSeen,
    ConnectionReport,
    Coverage,
    Cut,
    FeedReport,
    Gap,
    GapState,
    Latency,
    Light,
    Queues,
    RestReport,
    StoreStatus,
    SymbolReport,
)
from quantdesk.ui.feed_facts import escaped, latency_text

from .conftest import MINUTE, START, Desk

GAPS = tuple(
    Gap("BTCUSDT", 100 + 20 * n, 105 + 20 * n, START + n * MINUTE, START + n * MINUTE + 9_000, 0, state, n)
    for n, state in enumerate(GapState, 1)
)
REPORT = FeedReport(
    at_ms=START + 10 * MINUTE,
    symbols=(
        SymbolReport("BTCUSDT", (Coverage(1, 99, START, START + MINUTE),), GAPS, 1_234, 5, 0, 12, 6, 6, 6, 15),
        SymbolReport("ETHUSDT", (Coverage(1, 99, START, START + 9 * MINUTE),), (), 99, 0, 0, 0, 0, 0, 0, 0),
    ),
    connections=(
        ConnectionReport(
            "market", 2, 63.0, "", "", 1, (Cut(START, "reset by peer", 12.0, True),), 21.0, (), 3, 4_096, 2.0, 0, 0
        ),
        ConnectionReport("public", 1, None, "refused", "Check the proxy", 0, (), 0.0, (), 0, 4_096, None, 0, 0),
    ),
    latency=Latency(8.24, 15.0, 19.0, 500),
    queues=Queues((3, 8_192), (0, 9), (1, 9), (2, 9), 12, (0, 9), (1, 100)),
    rest=RestReport(120, 2_400, 1_200, 0.0, 17, ""),
    quarantined=1,
    quarantine=(BadFrameSeen(START / 1_000, "not JSON", b'{"e":\x00\xff\\<b>'),),
    offset_ms=-4.0,
    offset_error_ms=1.0,
)


@pytest.fixture
def open_desk(desk: Desk, qtbot: QtBot) -> Desk:
    desk.window.resize(1500, 950)
    desk.window.show()
    desk.window.registry["view.data"].trigger()
    return desk


def test_it_is_hidden_at_first_and_looks_twice_a_second_only_while_seen(desk: Desk, qtbot: QtBot) -> None:
    panel, asked = desk.window.data.panel, []
    panel.report = lambda: asked.append(1)  # type: ignore[func-returns-value]
    desk.window.show()
    assert desk.window.layouts.docks["data"].isHidden() and not panel.is_looking and not asked
    desk.window.registry["view.data"].trigger()
    assert panel.is_looking
    qtbot.waitUntil(lambda: len(asked) >= 3)
    desk.window.registry["view.data"].trigger()
    assert not panel.is_looking


def test_without_a_feed_it_says_so(open_desk: Desk) -> None:
    panel = open_desk.window.data.panel
    assert panel.empty.isVisible() and "no feed" in panel.empty.text() and not panel.tabs.isVisible()


def test_gaps_symbols_cuts_and_numbers_are_shown(open_desk: Desk) -> None:
    panel = open_desk.window.data.panel
    panel.report = lambda: REPORT
    open_desk.market.set_store_status(StoreStatus(Light.RED, "no space", 7, spilled=1_500))
    panel.refresh()
    assert panel.tabs.isVisible()
    assert panel.symbols.rows()[0] == ("BTCUSDT", "1,234", "5", "0", "12", "6", "6", "6", "15")
    words = ["deleted", "missing at the exchange", "expired", "filled", "filling", "open"]
    assert [row[1] for row in panel.gaps.rows()] == words
    assert panel.gaps.rows()[-1][4:] == ("6", "1", "120 – 125")
    assert [row[1:] for row in panel.cuts.rows()] == [("market", "12 s", "reset by peer")]
    assert "market: up for 63 s, 1 reconnects, 21 frames/s" in panel.connections.text()
    assert "public: refused" in panel.connections.text() and "Check the proxy" in panel.connections.text()
    assert panel.fact("Exchange to receipt, p50 / p95 / p99") == "8.2 / 15.0 / 19.0 ms"
    assert panel.fact("Receipt to paint, p50 / p95 / p99") == "–"
    assert panel.fact("REST weight this minute") == "120 / 2,400, own share 1,200"
    assert panel.fact("Socket queue") == "3 / 8,192"
    assert (panel.fact("Store queue"), panel.fact("In the spill file")) == ("7", "1,500")
    assert panel.fact("Exchange's clock minus ours") == "−4 ms ± 1"


def test_bad_frames_are_listed_escaped_and_clipped(open_desk: Desk) -> None:
    panel = open_desk.window.data.panel
    panel.report = lambda: REPORT
    panel.tabs.setCurrentIndex(2)
    panel.refresh()
    assert panel.frames.isVisible()
    assert panel.frames.rows()[0][1:] == ("not JSON", "11", '{"e":\\x00\\xff\\x5c<b>')
    assert len(escaped(b"x" * 10_000)) < 200
    panel.report = lambda: replace(REPORT, quarantine=())
    panel.refresh()
    assert not panel.frames.isVisible()


def test_the_strip_paints_gaps_over_what_is_held_and_knows_them(open_desk: Desk, qtbot: QtBot) -> None:
    panel, tokens = open_desk.window.data.panel, open_desk.theme.tokens
    panel.report = lambda: REPORT
    panel.refresh()
    strip = panel.strip
    qtbot.waitUntil(lambda: strip.height() >= strip.sizeHint().height())
    assert strip.span() == (START, START + 9 * MINUTE)
    image = strip.grab().toImage()
    track = strip.width() - 102
    held = image.pixelColor(round(92 + track * 8.5 / 9), 22 + 22 + 11)
    assert held.name() == tokens.ok
    gap = strip.gap_at(92 + track * (1 + 4 / 60) / 9, 22 + 11)
    assert gap == GAPS[0] and strip.gap_at(92 + track / 18, 22 + 11) is None
    assert strip.gap_at(10, 500) is None
    assert "BTCUSDT: 12 trades open" in strip.accessibleName()


def test_the_keyboard_reaches_the_tabs_and_the_tables(open_desk: Desk, qtbot: QtBot) -> None:
    panel = open_desk.window.data.panel
    panel.report = lambda: REPORT
    panel.refresh()
    bar = panel.tabs.tabBar()
    bar.setFocus()
    qtbot.keyClick(bar, Qt.Key.Key_Right)
    assert panel.tabs.currentIndex() == 1
    assert panel.cuts.focusPolicy() & Qt.FocusPolicy.TabFocus
    for table in (panel.symbols, panel.gaps, panel.cuts, panel.frames):
        assert table.accessibleName()


def test_latency_without_a_sample_is_a_dash() -> None:
    assert latency_text(Latency()) == "–"
    assert latency_text(Latency(1.0, 40.0, 90.4, 9)) == "1 / 40 / 90 ms"
