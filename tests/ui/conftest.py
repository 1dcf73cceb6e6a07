"""Build the real window on the real models, fed with a seeded pair, without network or store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantdesk.analytics.alerts.machine import Firing, Kind
from quantdesk.analytics.alerts.metric import Metric, MetricSample
from quantdesk.analytics.alerts.outcome import begin
from quantdesk.analytics.alerts.record import AlertContext, AlertRecord
from quantdesk.analytics.alerts.rule import Rule, z_rule
from quantdesk.bars.arrays import BarArrays
from quantdesk.model.alerts import AlertEvent, AlertModel
from quantdesk.model.clock import FrameClock
from quantdesk.model.jobs import JobRunner
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel, PairSettings
from quantdesk.types import Instrument, Origin
from quantdesk.ui.main_window import MainWindow
from quantdesk.ui.settings_store import SettingsStore
from quantdesk.ui.theme import Theme

MINUTE = 60_000
START = 1_721_304_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


@dataclass
class Desk:
    """Hold a window and what it shows."""

    window: MainWindow
    market: MarketModel
    pair: PairModel
    alerts: AlertModel
    jobs: JobRunner
    store: SettingsStore
    theme: Theme


def bars_of(closes: np.ndarray) -> BarArrays:
    times = START + MINUTE * np.arange(len(closes), dtype=np.int64)
    volume = np.ones(len(closes))
    return BarArrays(times, closes, closes + 1, closes - 1, closes.copy(), volume, closes * 1, np.full(len(closes), 3))


def fill(market: MarketModel, rows: int = 320) -> None:
    rng = np.random.default_rng(7)
    walk = np.cumsum(rng.normal(0, 1, rows))
    for place, symbol in enumerate(SYMBOLS):
        instrument = Instrument("binance-um", symbol, Decimal("0.1"), Decimal("0.001"))
        market.on_instrument(instrument)
        closes = np.round(1_000 * (place + 1) + walk * (place + 1) + rng.normal(0, 0.5, rows), 1)
        market.on_source_bars(instrument, "1m", bars_of(closes), "kline")
    market.on_time(START + MINUTE * (rows + 1))


@pytest.fixture
def make_desk(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(*, data: bool = False, folder: Path | None = None, theme: str = "dark") -> Desk:
        store = SettingsStore(folder or tmp_path)
        jobs, market, clock = JobRunner(), MarketModel(), FrameClock()
        pair, alerts, look = (
            PairModel(jobs),
            AlertModel(store.settings.rules(), muted=store.settings.muted),
            Theme(qapp, theme),
        )
        if data:
            fill(market)
        pair.set_source(market, PairSettings("BTCUSDT", "ETHUSDT"))
        window = MainWindow(pair, market, alerts, clock, look, store, tmp_path)
        desk = Desk(window, market, pair, alerts, jobs, store, look)
        made.append(desk)
        if data:
            qtbot.waitUntil(lambda: pair.frame is not None and len(pair.frame) > 0, timeout=10_000)
        return desk

    yield make
    for desk in made:
        desk.window.clock.stop()
        qtbot.waitUntil(lambda desk=desk: not desk.jobs.busy(), timeout=20_000)
        assert desk.jobs.close(20)
        desk.window.close_for_good()
        qapp.styleHints().colorSchemeChanged.disconnect(desk.theme._on_platform_changed)
        desk.theme.deleteLater()
        desk.window.deleteLater()
        qtbot.wait(1)


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()


def alert(
    z: float = 2.13,
    *,
    origin: Origin = Origin.LIVE,
    popup: bool = True,
    minute: int = 300,
    rule: Rule | None = None,
    kind: Kind = Kind.CROSS,
) -> AlertEvent:
    rule, time_ms = rule or z_rule(), START + MINUTE * minute
    sample = MetricSample(time_ms, {Metric.Z: z, rule.metric: z, Metric.BETA: 0.0523})
    context = AlertContext("binance-um", "BTCUSDT", "ETHUSDT", "1m", origin, "window 60, log no")
    firing = Firing(rule, sample, kind, z, rule.side_of(z))
    outcome = begin(firing) if kind is Kind.CROSS else None
    return AlertEvent(AlertRecord(firing, context, time_ms + MINUTE, outcome), popup)
