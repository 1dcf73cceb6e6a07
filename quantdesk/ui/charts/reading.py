"""Read the values of one bar from every panel."""

from __future__ import annotations

from collections.abc import Mapping

from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.panels import CorrelationPanel, ZPanel
from quantdesk.ui.charts.price import PricePanel
from quantdesk.ui.charts.pyramid import at
from quantdesk.ui.charts.spread import SpreadPanel
from quantdesk.ui.charts.state import ChartState, Reading


def read(state: ChartState, panels: Mapping[str, Panel]) -> Reading:
    """Return what the crosshair reads, or the newest bar."""
    row = state.row
    price, spread, zed, correlation = (panels[name] for name in ("price", "spread", "z", "correlation"))
    assert isinstance(price, PricePanel) and isinstance(spread, SpreadPanel)
    assert isinstance(zed, ZPanel) and isinstance(correlation, CorrelationPanel)
    names = ("open", "high", "low", "close", "volume")
    values = {name: at(price.candles.pyramid.column(name), row) for name in names}
    values["change_percent"] = price.change(row)[1]
    values["spread"] = at(spread.line.pyramid.column("value"), row)
    values["z"] = at(zed.line.pyramid.column("value"), row)
    values["correlation"] = correlation.value(row)
    return Reading(row, int(state.line.at(row)) if len(state.line) else 0, state.cursor_row is not None, values)
