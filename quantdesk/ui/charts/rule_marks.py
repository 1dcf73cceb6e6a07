"""Mark the bars at which rules fired and at which that was over: entries, exits and stops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.ui.charts.items import Canvas, ChartItem
from quantdesk.ui.charts.levels import metric_of
from quantdesk.ui.charts.state import ChartState, Span
from quantdesk.ui.theme_tokens import Tokens


class MarkKind(Enum):
    """Say what happened at a bar; the value is the sign that the legend writes."""

    ENTRY = "▼"
    AT_START = "▽"
    EXIT = "×"
    STOP = "■"


@dataclass(frozen=True, slots=True)
class RuleMark:
    """Hold one mark: the bar's open time (ms), what happened, on which side of the line, and its words."""

    time_ms: int
    kind: MarkKind
    metric: Metric
    side: int  # 1 above, against larger values; -1 below
    words: str

    @property
    def sign(self) -> str:
        """Return the sign of the mark as it points."""
        up = {MarkKind.ENTRY: "▲", MarkKind.AT_START: "△"}
        return up.get(self.kind, self.kind.value) if self.side < 0 else self.kind.value


def concerns(mark: RuleMark, panel: str, state: ChartState) -> bool:
    """Tell whether a panel shows a mark: the price all, z and spread those of both, others their own."""
    if panel == "price":
        return True
    if panel in ("z", "spread"):
        return mark.metric.mean is not None or mark.metric in (Metric.SPREAD, Metric.RATIO)
    return mark.metric is metric_of(panel, state)


def mark_spans(state: ChartState, row: int, panel: str) -> list[Span]:
    """Say in a legend which rules did what at a bar."""
    if state.cursor_row is None or not 0 <= row < len(state.line):
        return []
    time, colors = int(state.line.at(row)), _colors(state.tokens)
    there = [mark for mark in state.marks if mark.time_ms == time and concerns(mark, panel, state)]
    return [Span(f"{mark.sign} {mark.words}", colors[mark.kind], gap=12) for mark in there]


def _colors(tokens: Tokens) -> dict[MarkKind, str]:
    return {
        MarkKind.ENTRY: tokens.level,
        MarkKind.AT_START: tokens.level,
        MarkKind.EXIT: tokens.ok,
        MarkKind.STOP: tokens.error,
    }


class RuleMarkItem(ChartItem):
    """Draw the marks beside a panel's data: triangles where rules fired, crosses at exits, squares at stops.

    ``edge`` gives the values above ("high") or below ("low") which they stand, at rows that are within the data.
    """

    forms = False

    def __init__(self, panel: str, edge: Callable[[str, IntArray], FloatArray]) -> None:
        super().__init__()
        self._panel, self._edge = panel, edge
        self._marks: Sequence[RuleMark] = ()
        self._rows: IntArray = np.empty(0, np.int64)
        self._color_of: dict[MarkKind, str] = {}

    def load(self, state: ChartState) -> None:
        """Take the state's marks and the rows they stand at."""
        self._marks = [mark for mark in state.marks if concerns(mark, self._panel, state)]
        times = np.array([mark.time_ms for mark in self._marks], np.int64)
        rows = np.searchsorted(state.line.times, times, "right") - 1
        there = rows >= 0
        # A bar that is not loaded has no place; the one before it is another.
        there[there] = state.line.times[rows[there]] == times[there]
        self._rows = np.where(there, rows, -1)

    def restyle(self, tokens: Tokens) -> None:
        """Take the colours."""
        self._color_of = _colors(tokens)

    def draw(self, painter: QPainter, canvas: Canvas) -> None:
        """Draw the visible marks; several at one bar stand in a column."""
        first, last = self._area.left(), self._area.right()
        taken: dict[tuple[int, int], int] = {}
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        visible = np.flatnonzero((self._rows >= max(first, 0)) & (self._rows <= last))
        if not len(visible):
            return
        edges = {side: canvas.y(self._edge(name, self._rows[visible])) for side, name in ((1, "high"), (-1, "low"))}
        for nth_visible, place in enumerate(visible.tolist()):
            mark, row = self._marks[place], int(self._rows[place])
            edge = float(edges[mark.side][nth_visible])
            if not np.isfinite(edge):
                continue  # without a value there is no place beside it
            nth = taken[row, mark.side] = taken.get((row, mark.side), -1) + 1
            size = 5.0 * canvas.ratio
            away = -1 if mark.side > 0 else 1
            y = edge + away * size * (1.4 + 2.4 * nth)
            _draw(painter, mark.kind, QPointF(canvas.row(row), y), size, away, QColor(self._color_of[mark.kind]))


def _draw(painter: QPainter, kind: MarkKind, at: QPointF, size: float, away: int, color: QColor) -> None:
    pen = QPen(color, size * 0.36)
    if kind is MarkKind.EXIT:
        painter.setPen(pen)
        middle, arm = at + QPointF(0, away * size * 0.8), size * 0.8
        painter.drawLine(middle + QPointF(-arm, -arm), middle + QPointF(arm, arm))
        painter.drawLine(middle + QPointF(-arm, arm), middle + QPointF(arm, -arm))
        return
    hollow = kind is MarkKind.AT_START
    painter.setPen(pen if hollow else QPen(Qt.PenStyle.NoPen))
    painter.setBrush(Qt.BrushStyle.NoBrush if hollow else color)
    if kind is MarkKind.STOP:
        painter.drawRect(QRectF(at.x() - size * 0.8, at.y() + (away - 1) * size * 0.8, size * 1.6, size * 1.6))
        return
    foot = at.y() + away * size * 1.6
    painter.drawPolygon(QPolygonF([at, QPointF(at.x() - size, foot), QPointF(at.x() + size, foot)]))
