"""Make the charts of the pair's z-score and rolling correlation."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter
from PySide6.QtWidgets import QWidget

from quantdesk.analytics.zscore import ZKind
from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.items import LineItem, shade
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.pyramid import at, newest
from quantdesk.ui.charts.rule_marks import RuleMarkItem, mark_spans
from quantdesk.ui.charts.state import ChartState, Span, Tag
from quantdesk.ui.charts.ticks import ValueTicks, number
from quantdesk.ui.z_words import LOOK_AHEAD, kind_name, kind_title

#: What a click on the panel's title asks for.
KIND_LINK = "z-kind"


def joined_rows(state: ChartState) -> int:
    """Return how many closed bars both legs have."""
    if state.frame is None:
        return 0
    return int(np.count_nonzero(np.isfinite(state.frame.y.close) & np.isfinite(state.frame.x.close)))


def more_bars(panel: Panel, what: str, missing: int) -> str:
    """Say how many bars a series still needs."""
    if missing == 1:
        return panel.tr("{what} needs 1 more bar").format(what=what)
    if missing > 1:
        return panel.tr("{what} needs {count} more bars").format(what=what, count=missing)
    return panel.tr("{what} is being computed…").format(what=what)


class ZPanel(Panel):
    """Draw the z-score of the kind chosen between its alert levels; one that looks ahead under a badge."""

    def __init__(self, state: ChartState, parent: QWidget | None = None) -> None:
        super().__init__("z", state, parent)
        self.setAccessibleName(self.tr("Z-score chart"))
        self.line = LineItem()
        self.marks = RuleMarkItem("z", lambda _, rows: self.line.pyramid.column("value")[rows])
        self.add(self.line, 1)
        self.add(self.marks, 2)

    def restyle(self) -> None:
        """Colour line and marks."""
        tokens = self.state.tokens
        self.line.color, self.line.beyond_color = QColor(tokens.z), QColor(tokens.level)
        self.marks.restyle(tokens)

    def load(self) -> None:
        """Take the closed bars."""
        frame = self.state.frame
        self.line.pyramid.sync({"value": np.empty(0) if frame is None else frame.z})
        self.marks.load(self.state)

    def load_tail(self) -> None:
        """Take the forming bars."""
        if self.state.tail is not None:
            self.line.pyramid.write(len(self.state.line.times), {"value": self.state.tail.z})

    def limits(self) -> tuple[float, float] | None:
        """Keep all levels in sight."""
        self.line.level = self.state.level
        found = self.line.limits()
        edge = max(self.state.level, *map(abs, self.state.levels), 0.0) * 1.12
        return (min(found[0], -edge), max(found[1], edge)) if found else (-edge, edge)

    def value_ticks(self, pixels: float) -> ValueTicks:
        """Label zero, the levels and their multiples."""
        step = self.state.level
        while step * pixels / (self.high - self.low) < 18.0:
            step *= 2
        values = np.arange(np.ceil(self.low / step), np.floor(self.high / step) + 1) * step + 0.0
        return ValueTicks(values, step, 2)

    def value_text(self, value: float) -> str:
        """Write a z with two decimals."""
        return number(value, max(2, self._ticks.decimals))

    def row_value(self, row: int) -> float:
        """Return z at a row."""
        return at(self.line.pyramid.column("value"), row)

    def change_text(self, change: float) -> str:
        """Write a difference of z with two decimals."""
        return number(change, max(2, self._ticks.decimals), sign=True)

    def tags(self) -> list[Tag]:
        """Mark the newest z, coloured when it is beyond the level."""
        value, tokens = newest(self.line.pyramid.column("value")), self.state.tokens
        if not math.isfinite(value):
            return []
        return [Tag(value, self.value_text(value), tokens.level if abs(value) >= self.state.level else tokens.z)]

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        """Shade between the levels and draw levels and zero."""
        super().drawBackground(painter, rect)
        if self.empty_text():
            return
        plot, tokens = self.plot, self.state.tokens
        if self.looks_ahead:
            painter.fillRect(plot, shade(tokens.error, 0.06))
            painter.fillRect(plot, QBrush(shade(tokens.error, 0.16), Qt.BrushStyle.BDiagPattern))
        top, foot = self.y_of(self.state.level), self.y_of(-self.state.level)
        painter.fillRect(QRectF(0, top, plot.width(), foot - top), shade(tokens.z, 0.05))
        for value, color, pattern in (
            *((level, QColor(tokens.level), (4, 3)) for level in self.state.levels),
            (0.0, shade(tokens.text_dim, 0.6), (1, 3)),
        ):
            y = self.y_of(value)
            overlay.dotted(painter, color, plot.topLeft() + _down(y), plot.topRight() + _down(y), pattern)

    @property
    def looks_ahead(self) -> bool:
        """Return whether the z that is drawn knows later bars."""
        return self.state.frame is not None and self.state.frame.settings.z_kind.look_ahead

    def begins_at(self) -> float | None:
        """Return the row before which no z of the spread is drawn: the frozen ratio was fitted on bars up to there."""
        frame = self.state.frame
        if frame is None or frame.formation is None or frame.beta_path is not None:
            return None
        return self.state.line.x_of(frame.formation[1]) + 0.5 if frame.settings.z_kind.takes_ratio else None

    def _say_where_it_begins(self, painter: QPainter) -> None:
        row, plot, tokens = self.begins_at(), self.plot, self.state.tokens
        if row is None or self.empty_text() or self.x_of(row) <= 0:
            return
        x = min(self.x_of(row), plot.right())
        painter.fillRect(QRectF(0, 0, x, plot.height()), shade(tokens.text_dim, 0.07))
        if self.x_of(row) < plot.right():
            overlay.dotted(painter, shade(tokens.text_dim, 0.8), QPointF(x, 0), QPointF(x, plot.height()), (3, 3))
        words = self.tr("no z before the hedge ratio was frozen")
        left = x - self.state.small_metrics.horizontalAdvance(words) - 6
        if left > 0:
            overlay.paint_note(painter, self.state, QPointF(left, plot.bottom() - 6), words, tokens.text_dim)

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        """Put the badge over everything else: pictures are painted by the same code."""
        self._say_where_it_begins(painter)
        super().drawForeground(painter, rect)
        if self.looks_ahead:
            words = self.tr("knows later bars, no signal")
            overlay.paint_badge(painter, self.state, self.plot, LOOK_AHEAD, words, self.state.tokens.error)

    def legend(self, row: int) -> list[Span]:
        """Write kind and window, z, and in words whether it is beyond the level."""
        state, tokens = self.state, self.state.tokens
        spans = [Span(self.tr("z-score"), tokens.text, bold=True)]
        if state.frame is None:
            return spans
        settings = state.frame.settings
        title = f"{kind_title(settings.z_kind, settings.window)} ▾"
        spans.append(Span(title, tokens.text_dim, gap=8, link=KIND_LINK))
        if self.empty_text():
            return spans
        value = at(self.line.pyramid.column("value"), row)
        beyond = math.isfinite(value) and abs(value) >= state.level
        spans.append(Span(number(value, 2), tokens.level if beyond else tokens.z, gap=10))
        if beyond:
            text = self.tr("beyond ±{level}").format(level=f"{state.level:g}")
            spans.append(Span(text, tokens.level, gap=8))
        return spans + mark_spans(state, row, self.name)

    def empty_text(self) -> str:
        """Say how many bars z still needs."""
        state = self.state
        if state.frame is None:
            return self.tr("Waiting for data…")
        if not state.symbol("x"):
            return self.tr("z needs two legs")
        if math.isfinite(newest(self.line.pyramid.column("value"))):
            return ""
        settings, formation = state.frame.settings, state.frame.formation
        name = self.tr("z") if settings.z_kind is ZKind.WALK_FORWARD else f"{self.tr('z')} {kind_name(settings.z_kind)}"
        missing = settings.z_rows - joined_rows(state)
        if missing > 0 or not settings.z_kind.takes_ratio:
            return more_bars(self, name, missing)
        if formation is None:
            return more_bars(self, name, settings.least_formation - joined_rows(state))
        return self.tr("{what} begins with the first bar after the formation window").format(what=name)


class CorrelationPanel(Panel):
    """Draw the rolling correlation of log returns on a fixed scale of -1 to 1."""

    MARGINS = (0.26, 0.08)

    def __init__(self, state: ChartState, parent: QWidget | None = None) -> None:
        super().__init__("correlation", state, parent)
        self.setAccessibleName(self.tr("Correlation chart"))
        self.line = LineItem()
        self.add(self.line, 1)

    def restyle(self) -> None:
        """Colour the line."""
        self.line.color = QColor(self.state.tokens.correlation)

    def load(self) -> None:
        """Take the closed bars."""
        frame = self.state.frame
        self.line.pyramid.sync({"value": np.empty(0) if frame is None else frame.correlation})

    def load_tail(self) -> None:
        """Leave the forming bars empty: a correlation counts closed bars only."""
        if self.state.tail is not None:
            nothing = np.full(len(self.state.tail.times), np.nan)
            self.line.pyramid.write(len(self.state.line.times), {"value": nothing})

    def limits(self) -> tuple[float, float] | None:
        """Keep the whole scale."""
        return -1.0, 1.0

    def value_ticks(self, pixels: float) -> ValueTicks:
        """Label what a correlation can be, and nothing beyond."""
        found = super().value_ticks(pixels)
        if found.step > 1.0:
            return ValueTicks(np.array([-1.0, 0.0, 1.0]), 1.0, 0)
        inside = np.abs(found.values) <= 1.0 + 1e-9
        return ValueTicks(found.values[inside], found.step, found.decimals)

    def value_text(self, value: float) -> str:
        """Write a correlation."""
        return number(value, max(2, self._ticks.decimals))

    def tags(self) -> list[Tag]:
        """Mark the newest value."""
        value = newest(self.line.pyramid.column("value"))
        return [Tag(value, self.value_text(value), self.state.tokens.correlation)] if math.isfinite(value) else []

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        """Draw the zero line."""
        super().drawBackground(painter, rect)
        if not self.empty_text():
            y, color = self.y_of(0.0), shade(self.state.tokens.text_dim, 0.6)
            overlay.dotted(painter, color, self.plot.topLeft() + _down(y), self.plot.topRight() + _down(y), (1, 3))

    def legend(self, row: int) -> list[Span]:
        """Write the correlation."""
        state, tokens = self.state, self.state.tokens
        spans = [Span(self.tr("Correlation"), tokens.text, bold=True)]
        if state.frame is None:
            return spans
        spans.append(Span(str(state.frame.settings.correlation_window), tokens.text_dim, gap=8))
        if not self.empty_text():
            spans.append(Span(number(self.value(row), 2), tokens.correlation, gap=10))
        return spans

    def row_value(self, row: int) -> float:
        """Return the correlation at a row; a forming bar has none."""
        return at(self.line.pyramid.column("value"), row)

    def value(self, row: int) -> float:
        """Return the correlation at a row; away from the cursor the newest there is."""
        column = self.line.pyramid.column("value")
        return newest(column) if self.state.cursor_row is None else at(column, row)

    def empty_text(self) -> str:
        """Say how many bars the correlation still needs."""
        state = self.state
        if state.frame is None:
            return self.tr("Waiting for data…")
        if not state.symbol("x"):
            return self.tr("Correlation needs two legs")
        if math.isfinite(newest(self.line.pyramid.column("value"))):
            return ""
        missing = state.frame.settings.correlation_window + 1 - joined_rows(state)
        return more_bars(self, self.tr("Correlation"), missing)


def _down(y: float) -> QPointF:
    return QPointF(0, y)
