"""Hold every choice that belongs to one window of the desk: its place, layout, charts, pair and link."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from quantdesk.analytics.zscore import ZKind
from quantdesk.config import DEFAULT_SYMBOLS
from quantdesk.model.frame import PairSettings
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.ui.charts.scale import PriceScale

#: The groups in which windows move together; "" = on its own.
LINK_GROUPS = ("", "A", "B", "C", "D")


@dataclass(slots=True)
class WindowSettings:
    """Hold the choices of one window; changed in place while it is open."""

    time_zone: str = "utc"  # of times in the window
    both_legs: bool = False
    price_scale: str = PriceScale.LINEAR.value
    spread_style: str = "candles"
    spread_formula: str = "hedged"
    geometry: str = ""  # base64 of QWidget.saveGeometry
    layout: str = ""  # base64 of QMainWindow.saveState
    layout_version: int = 0
    charts: dict[str, Any] = field(default_factory=dict)
    metrics_shown: bool = True
    y: str = DEFAULT_SYMBOLS[0]
    x: str = DEFAULT_SYMBOLS[1]
    interval: str = "1m"
    window: int = 60
    correlation_window: int = 60
    log: bool = False
    formation_bars: int = 240
    refit_every: int = 0
    z_kind: str = ZKind.WALK_FORWARD.value
    hedge: str = HedgeMethod.OLS.value
    formation_end: int = 0  # ms; 0 = by the formation window
    kalman_delta: float = 0.0  # 0 = by likelihood
    link_group: str = ""
    link_pair: bool = True
    link_interval: bool = True
    link_crosshair: bool = True

    def pair(self) -> PairSettings:
        """Return the pair that was shown last."""
        return PairSettings(**{name: getattr(self, name) for name in _PAIR})

    def take_pair(self, pair: PairSettings) -> None:
        """Keep the pair that is shown."""
        for name in _PAIR:
            value = getattr(pair, name)
            setattr(self, name, value.value if isinstance(value, Enum) else value)

    def window_part(self) -> WindowSettings:
        """Return a copy of what belongs to the window, without the desk's other settings."""
        return WindowSettings(**{name: getattr(self, name) for name in WINDOW_FIELDS})

    def take_window(self, other: WindowSettings) -> None:
        """Take every choice of a window from another place."""
        for name in WINDOW_FIELDS:
            setattr(self, name, getattr(other, name))


_PAIR = tuple(f.name for f in fields(PairSettings))
WINDOW_FIELDS = tuple(f.name for f in fields(WindowSettings))
