"""Say in a window why a bar of its charts is complete or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from quantdesk.bars.quality import BarQuality
from quantdesk.model.market import MarketModel
from quantdesk.ui.alert_rows import clock_text
from quantdesk.ui.bar_words import quality_text, why_text
from quantdesk.ui.chart_choices import zone_of
from quantdesk.ui.toasts import Toast

if TYPE_CHECKING:
    from quantdesk.ui.chart_window import ChartWindow


class BarAnswers(QObject):
    """Answer the question about a bar that a window's charts or its View menu ask."""

    def __init__(self, window: ChartWindow) -> None:
        super().__init__(window)
        self._window = window
        self._told: Toast | None = None
        window.charts.why_wanted.connect(self.explain)
        window.registry["view.explain"].triggered.connect(window.charts.explain_bar)

    @Slot(str, object)
    def explain(self, leg: str, open_time: int) -> None:
        """Say in a message why a bar is complete or not."""
        frame, source = self._window.pair.frame, self._window.pair.source
        if frame is None:
            return
        symbol = frame.settings.y if leg == "y" else frame.settings.x
        quality = self._quality(leg, open_time)
        interval = frame.settings.interval
        gaps = source.gaps_behind(symbol, interval, open_time) if isinstance(source, MarketModel) else ()
        name = quality_text(quality) if quality is not None else self.tr("Bar")
        zone = zone_of(self._window.choices.time_zone).of_bars(frame.interval_ms)
        time = f"{clock_text(open_time, interval, zone)} {zone.name(open_time)}"
        title = self.tr("{0}: {1}, {2} bar of {3}").format(name, symbol, interval, time)
        level = "info" if quality is None or quality.is_whole else "warning"
        toasts = self._window.toasts
        if self._told is not None and self._told in toasts.toasts:
            self._told.leave()  # one answer at a time
        self._told = toasts.show_toast(title, why_text(quality, gaps, zone), level, None)

    def _quality(self, leg: str, open_time: int) -> BarQuality | None:
        frame = self._window.pair.frame
        if frame is None:
            return None
        codes = frame.quality_y if leg == "y" else frame.quality_x
        row = int(frame.times.searchsorted(open_time))
        if codes is None or row >= len(codes) or frame.times[row] != open_time or codes[row] < 0:
            return None
        return BarQuality(int(codes[row]))
