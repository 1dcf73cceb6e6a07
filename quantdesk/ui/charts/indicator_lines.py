"""Draw the chosen indicators over the candles, named in a second legend and at their ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from quantdesk.analytics.indicators import DAY_MS, IndicatorBars, IndicatorKind
from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.model.frame import LegColumns
from quantdesk.model.indicators import IndicatorModel
from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.indicator_words import ShownIndicator, short_name
from quantdesk.ui.charts.inks import ink
from quantdesk.ui.charts.items import BandItem, ChartItem, LineItem, extremes, shade
from quantdesk.ui.charts.layer import Grip
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.pyramid import LINE, Pyramid, at
from quantdesk.ui.charts.state import SPREAD, Span, Tag
from quantdesk.ui.charts.synthetic import shown_columns, shown_tail

#: What a click on the second legend asks for.
INDICATORS_LINK = "indicators"
#: Lines share the scale of the candles if it grows by no more than this.
_FLATTENING = 1.6
_LINE_HEIGHT = 20.0
#: The legends leave the candles the rest of the panel's height.
_MOST_OF_PANEL = 0.45
#: Bands lie behind the candles, their edges behind other lines: a middle is often another one's average.
_BAND_DEPTH, _BEHIND, _DEPTH = 0.5, 3.4, 3.5
_LEAST_APART = 12.0
_WEIGHTED = (IndicatorKind.VWAP, IndicatorKind.VWAP_DAY)


@dataclass(slots=True)
class _Plotted:
    """Hold what one indicator puts into the plot, and which of its values are there."""

    shown: ShownIndicator
    lines: list[LineItem]
    band: BandItem | None
    version: int = -2
    rows: int = 0
    items: list[ChartItem] = field(default_factory=list)


class IndicatorLines:
    """Own the items of the indicators; a layer for their names and values."""

    def __init__(self, panel: Panel, model: IndicatorModel) -> None:
        self._panel, self._model = panel, model
        self._room = panel.LEGEND_ROOM
        self._plotted: list[_Plotted] = []
        self._boxes: list[QRectF] = []
        panel.layers.append(self)
        model.changed.connect(self._on_computed)

    # -- what is shown ------------------------------------------------------------------------

    def show(self, shown: Sequence[ShownIndicator]) -> None:
        """Draw these indicators and no others."""
        for plotted in self._plotted:
            for item in plotted.items:
                self._panel.box.removeItem(item)
                self._panel.items_.remove(item)
        drawn = [one for one in shown if one.shown]
        self._model.choose([one.indicator for one in drawn])
        self._plotted = [self._plot(one) for one in drawn]
        self.restyle()
        self._on_computed()

    def _plot(self, shown: ShownIndicator) -> _Plotted:
        lines = [LineItem(fits=False) for _ in shown.indicator.names]
        band = BandItem(lines[1], lines[2]) if len(lines) == 3 else None
        plotted = _Plotted(shown, lines, band, items=[*lines, *([band] if band else [])])
        for item in plotted.items:
            item.log = any(other.log for other in self._panel.items_)
            self._panel.add(item, _BAND_DEPTH if item is band else _DEPTH if band is None else _BEHIND)
        return plotted

    def restyle(self) -> None:
        """Take the colours of the theme."""
        for plotted in self._plotted:
            color = self._color(plotted)
            for line in plotted.lines:
                line.color = QColor(color)
            if plotted.band is not None:
                plotted.lines[0].color = _dimmed(color, self._panel.state.tokens.panel)
                plotted.band.color = shade(color, 0.07)

    def _color(self, plotted: _Plotted) -> str:
        return ink(plotted.shown.ink, self._panel.state.tokens)

    def _on_computed(self) -> None:
        self._panel.stale = True
        self._panel.touched.emit()

    def load(self) -> None:
        """Take the closed bars: values that stand already are not written again."""
        state = self._panel.state
        leg = shown_columns(state)
        if state.frame is None or leg is None or not self._plotted:
            self._model.follow(None)
        else:
            self._model.follow(_bars(state.frame.times, leg))
        for plotted in self._plotted:
            indicator = plotted.shown.indicator
            values, version = self._model.lines(indicator), self._model.version(indicator)
            if values is None:
                values = tuple(np.empty(0) for _ in plotted.lines)
            first = plotted.rows if version == plotted.version and version >= 0 else self._take_pyramids(plotted)
            for line, column in zip(plotted.lines, values, strict=True):
                if first >= 0:
                    line.pyramid.write(first, {"value": column[first:]})
                else:
                    line.pyramid.sync({"value": column})
            plotted.version, plotted.rows = version, len(values[0])

    def _take_pyramids(self, plotted: _Plotted) -> int:
        """Draw from pyramids that were built in the pool, if they were; return the rows they have, -1 for none."""
        prepared = self._model.take_prepared(plotted.shown.indicator)
        for line, pyramid in zip(plotted.lines, prepared, strict=False):
            line.pyramid = pyramid
        return len(prepared[0]) if prepared else -1

    def load_tail(self) -> None:
        """Take the forming bars: what the lines would be if they closed now."""
        state = self._panel.state
        if state.tail is None:
            return
        bars = _bars(state.tail.times, shown_tail(state))
        for plotted in self._plotted:
            if plotted.rows == len(state.line.times) > 0:
                ahead = self._model.ahead(plotted.shown.indicator, bars)
                for line, values in zip(plotted.lines, ahead, strict=True):
                    line.pyramid.write(plotted.rows, {"value": values})

    def widened(self, found: tuple[float, float] | None) -> tuple[float, float] | None:
        """Return the visible range of the candles with that of each line that does not flatten them."""
        if found is None:
            return None
        low, high = found
        for line in (line for plotted in self._plotted for line in plotted.lines):
            seen = extremes(line.cut.columns["low"], line.cut.columns["high"]) if line.cut is not None else None
            if seen is None or (line.log and seen[0] <= 0):
                continue
            if max(high, seen[1]) - min(low, seen[0]) <= _FLATTENING * (found[1] - found[0]):
                low, high = min(low, seen[0]), max(high, seen[1])
        return low, high

    # -- the layer ----------------------------------------------------------------------------

    def paint(self, painter: QPainter, panel: Panel) -> None:
        """Write the second legend, and each name where its line ends."""
        self._boxes = []
        rows = self._fitting(panel, self._wrapped(panel))
        for place, spans in enumerate(rows):
            room = panel.plot.adjusted(0, (place + 1) * _LINE_HEIGHT, 0, 0)
            overlay.paint_legend(painter, panel.state, room, spans)
            self._boxes.append(QRectF(room.left() + overlay.LEGEND_LEFT, room.top() + 7, _width(panel, spans), 18))
        panel.LEGEND_ROOM = self._room + _LINE_HEIGHT * len(rows)
        self._name_ends(painter, panel)

    def tags(self, panel: Panel) -> Sequence[Tag]:
        """Mark nothing: the names stand at the lines."""
        return ()

    def grip_at(self, panel: Panel, at: QPointF) -> Grip | None:
        """Return what a click on the second legend answers to."""
        return _Link() if any(box.contains(at) for box in self._boxes) else None

    def spans(self, row: int) -> list[list[Span]]:
        """Return name and values of each indicator at a row."""
        return [self._spans(plotted, row) for plotted in self._plotted]

    def _spans(self, plotted: _Plotted, row: int) -> list[Span]:
        panel, color = self._panel, self._color(plotted)
        spans = [Span(short_name(plotted.shown.indicator), color, bold=True)]
        if plotted.version < 0:
            return [*spans, Span(panel.tr("computing…"), panel.state.tokens.text_dim, gap=6)]
        for line in plotted.lines:
            value = at(line.pyramid.column("value"), row)
            spans.append(Span(panel.value_text(value) if math.isfinite(value) else "–", color, gap=6))
        if panel.state.leg == SPREAD and plotted.shown.indicator.kind in _WEIGHTED:
            return [*spans, Span(panel.tr("a spread has no volume"), panel.state.tokens.text_dim, gap=6)]
        since = self._since(plotted, row)
        return [*spans, Span(since, panel.state.tokens.text_dim, gap=6)] if since else spans

    def _since(self, plotted: _Plotted, row: int) -> str:
        """Say from when on a VWAP of the day counts, where the bars of its morning are not loaded."""
        line = self._panel.state.line
        if plotted.shown.indicator.kind is not IndicatorKind.VWAP_DAY or not len(line):
            return ""
        first, now = int(line.at(0)), int(line.at(max(0, min(row, len(line) - 1))))
        if first // DAY_MS != now // DAY_MS or first % DAY_MS < line.step_ms:
            return ""
        zone = self._panel.state.zone
        minutes = zone.shift(first) % DAY_MS // 60_000
        return self._panel.tr("from {0} {1}").format(f"{minutes // 60:02}:{minutes % 60:02}", zone.name(first))

    def _wrapped(self, panel: Panel) -> list[list[Span]]:
        """Return the legend in lines that fit the plot."""
        rows: list[list[Span]] = []
        room, used = panel.plot.width() - 2 * overlay.LEGEND_LEFT - 8, 0.0
        for spans in self.spans(panel.state.row):
            wide = _width(panel, spans) + 14
            if rows and used + wide <= room:
                head = spans[0]
                rows[-1] += [Span(head.text, head.color, head.bold, 14), *spans[1:]]
                used += wide
            else:
                rows.append(list(spans))
                used = wide
        return rows

    def _fitting(self, panel: Panel, rows: list[list[Span]]) -> list[list[Span]]:
        """Return the lines that leave a low panel room for its candles, or how many indicators there are."""
        room = _MOST_OF_PANEL * panel.plot.height() - self._room
        if len(rows) * _LINE_HEIGHT <= room or not rows:
            return rows
        fitting = rows[: max(0, int(room / _LINE_HEIGHT) - 1)]
        hidden = len(self._plotted) - sum(span.bold for spans in fitting for span in spans)
        words = panel.tr("and {0} more") if fitting else panel.tr("{0} indicators")
        return [*fitting, [Span(words.format(hidden), panel.state.tokens.text_dim)]]

    def _name_ends(self, painter: QPainter, panel: Panel) -> None:
        state, plot = panel.state, panel.plot
        newest = len(state.line) - 1
        x = panel.x_of(newest) + 8
        if newest < 0 or x > plot.right():
            return
        ends = []
        for plotted in self._plotted:
            value = at(plotted.lines[0].pyramid.column("value"), newest)
            y = panel.y_of(value) if math.isfinite(value) else math.nan
            if plot.top() + 10 <= y <= plot.bottom() - 4:
                name = short_name(plotted.shown.indicator).partition(",")[0]
                ends.append((y, name, self._color(plotted)))
        bar = [panel.y_of(value) for value in panel.row_values(newest) if math.isfinite(value)]
        painter.setFont(state.small)
        below = -math.inf
        for y, name, color in sorted(ends):
            below = max(y, below + _LEAST_APART)
            wide = state.small_metrics.horizontalAdvance(name)
            left = min(x, plot.right() - wide - 4)
            if left < x and bar and min(bar) - _LEAST_APART < below < max(bar) + _LEAST_APART:
                continue  # it would cover the newest bar: the legend names it
            back = QColor(state.tokens.panel)
            back.setAlphaF(0.72)
            painter.fillRect(QRectF(left - 2, below - 6, wide + 4, 12), back)
            painter.setPen(QColor(color))
            painter.drawText(QPointF(left, below + state.small_metrics.capHeight() / 2), name)


class _Link:
    """Open the list of indicators by a click on their names."""

    shape = Qt.CursorShape.PointingHandCursor

    def drag(self, panel: Panel, at: QPointF) -> None:
        """Stay."""

    def drop(self, panel: Panel, at: QPointF) -> None:
        """Stay."""

    def click(self, panel: Panel, at: QPointF) -> None:
        """Ask for the list."""
        panel.linked.emit(INDICATORS_LINK)

    def cancel(self, panel: Panel) -> None:
        """Stay."""


def pyramid_of(line: FloatArray) -> Pyramid:
    """Return the pyramid that draws a line (n): for a million rows the pool builds it."""
    made = Pyramid(LINE)
    made.sync({"value": line})
    return made


def _bars(times: IntArray, leg: LegColumns) -> IndicatorBars:
    return IndicatorBars(times, leg.high, leg.low, leg.close, leg.volume)


def _dimmed(color: str, ground: str) -> QColor:
    """Return a colour halfway to the ground: opaque, for translucent columns cost ten times as much."""
    front, back = QColor(color), QColor(ground)
    parts = zip(front.getRgb()[:3], back.getRgb()[:3], strict=True)  # type: ignore[index]  # a tuple, whatever the stub
    return QColor(*((a * 6 + b * 4) // 10 for a, b in parts))


def _width(panel: Panel, spans: Sequence[Span]) -> float:
    state = panel.state
    return sum((state.bold_letters if s.bold else state.letters).advance(s.text) + s.gap for s in spans)
