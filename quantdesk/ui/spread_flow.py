"""Bring the candles of the spread to the window: what it is made of, how it is drawn, where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QCursor

from quantdesk.model.spread_bars import SpreadBarsModel
from quantdesk.ui.charts.synthetic import FORMULA_LINK

if TYPE_CHECKING:
    from quantdesk.ui.chart_window import ChartWindow

CANDLES, LINE = "candles", "line"
HEDGED, RATIO = "hedged", "ratio"


class SpreadFlow(QObject):
    """Own the model of the spread's candles and keep its choices between starts."""

    def __init__(self, window: ChartWindow) -> None:
        super().__init__(window)
        self._window = window
        self.bars = SpreadBarsModel(window.pair, self)
        on = window.registry
        for style in (CANDLES, LINE):
            on[f"view.spread_{style}"].triggered.connect(lambda _=False, s=style: self._draw(s))
        on["view.spread_difference"].triggered.connect(lambda: self._make(HEDGED, log=False))
        on["view.spread_log"].triggered.connect(lambda: self._make(HEDGED, log=True))
        on["view.spread_ratio"].triggered.connect(lambda: self._make(RATIO))
        window.charts.follow_spread(self.bars)
        window.charts.panel("spread").linked.connect(self._on_linked)
        window.pair.settings_changed.connect(self._show)
        self.restore()

    def restore(self) -> None:
        """Draw the spread as is kept."""
        choices = self._window.choices
        self._window.charts.set_spread_candles(choices.spread_style == CANDLES)
        self.bars.set_ratio(choices.spread_formula == RATIO)
        self._window.registry[f"view.spread_{choices.spread_style}"].setChecked(True)
        self._show()

    @Slot()
    def _show(self) -> None:
        """Tick the formula in use; the log of the prices belongs to the pair."""
        log = self._window.pair.settings.log
        name = "ratio" if self.bars.is_ratio else "log" if log else "difference"
        self._window.registry[f"view.spread_{name}"].setChecked(True)
        self._window.registry["pair.leg_spread"].setIconText("Y/X" if name == "ratio" else "Y−βX")

    def _draw(self, style: str) -> None:
        self._window.charts.set_spread_candles(style == CANDLES)
        self._window.choices.spread_style = style
        self._window.save_settings()

    def _make(self, formula: str, *, log: bool | None = None) -> None:
        self.bars.set_ratio(formula == RATIO)
        if log is not None:
            self._window.control.change(log=log)  # a hedge ratio of logs fits no other formula
        self._window.choices.spread_formula = formula
        self._window.save_settings()
        self._show()

    @Slot(str)
    def _on_linked(self, link: str) -> None:
        if link == FORMULA_LINK:
            self._window.menus.spread.popup(QCursor.pos())
