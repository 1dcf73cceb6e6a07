"""Paint drawings over a panel and let the pointer take hold of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPen

from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.drawing_geometry import (
    WHOLE,
    anchor_at,
    clipped,
    drawing_at,
    handles_of,
    levelled,
    moved,
    point_of,
    stretch_of,
)
from quantdesk.ui.charts.drawing_tools import DrawingTools
from quantdesk.ui.charts.drawings import Anchor, Drawing, Kind, Look
from quantdesk.ui.charts.inks import ink
from quantdesk.ui.charts.layer import Grip
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.state import Tag

_HANDLE = 4.5


def _keeps_angle() -> bool:
    return bool(QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier)


def _end(tools: DrawingTools, panel: Panel, at: QPointF) -> Anchor:
    """Return what a point puts down: by the magnet, or at an angle that Shift keeps."""
    if tools.start is not None and tools.start[0] == panel.name and _keeps_angle():
        return anchor_at(panel, levelled(point_of(panel, tools.start[1]), at))
    return anchor_at(panel, at, magnet=tools.magnet)


class DrawingLayer:
    """Show what the tools hold on each drawable panel."""

    def __init__(self, tools: DrawingTools) -> None:
        self._tools = tools

    def paint(self, painter: QPainter, panel: Panel) -> None:
        """Draw the lines, the handles of the chosen one and what is half drawn."""
        tools = self._tools
        painter.save()
        painter.setClipRect(panel.plot)
        for drawing in tools.shown(panel.name):
            self._line(painter, panel, stretch_of(panel, drawing), drawing.look, level=drawing.kind is Kind.LEVEL)
            self._label(painter, panel, drawing)
        if not tools.bare:
            if tools.chosen is not None and tools.chosen[0] is panel:
                for point in handles_of(panel, tools.chosen[1]):
                    self._handle(painter, panel, point, tools.chosen[1].look)
            self._open_one(painter, panel)
            self._hint(painter, panel)
        painter.restore()

    def tags(self, panel: Panel) -> Sequence[Tag]:
        """Mark the levels on the axis."""
        return [
            Tag(value, panel.value_text(value), ink(drawing.look.ink, panel.state.tokens))
            for drawing in self._tools.shown(panel.name)
            if drawing.kind is Kind.LEVEL
            for value in (drawing.anchors[0].value,)
        ]

    def grip_at(self, panel: Panel, at: QPointF) -> Grip | None:
        """Return what the tool does there, else the drawing under the pointer."""
        if self._tools.tool is not None:
            return _Placing(self._tools, at) if panel.plot.contains(at) else None
        found = drawing_at(panel, self._tools.shown(panel.name), at)
        return None if found is None else _Moving(self._tools, *found, at)

    def _hint(self, painter: QPainter, panel: Panel) -> None:
        """Say at the foot of the plot what the tool waits for, or what the chosen drawing is and takes."""
        words, state, plot = self._tools.hint(panel), panel.state, panel.plot
        if not words or plot.height() < 80:
            return
        wide = state.metrics.horizontalAdvance(words) + 16
        if wide > plot.width() - 16:
            return
        box = QRectF(plot.left() + 8, plot.bottom() - 30, wide, 22)
        overlay.paint_chip(painter, state, box, words)

    def _open_one(self, painter: QPainter, panel: Panel) -> None:
        """Draw a trend line from its first end to the pointer, or a level under it."""
        tools, state = self._tools, panel.state
        hovered = state.cursor_panel == panel.name and state.cursor_row is not None
        under = QPointF(panel.x_of(state.cursor_row or 0), state.cursor_y)
        if tools.tool is Kind.LEVEL and hovered:
            y = panel.y_of(anchor_at(panel, under, magnet=tools.magnet).value)
            ends = (QPointF(panel.plot.left(), y), QPointF(panel.plot.right(), y))
            self._line(painter, panel, ends, tools.look, level=True)
        if tools.tool is not Kind.TREND or tools.start is None or tools.start[0] != panel.name:
            return
        start, end = point_of(panel, tools.start[1]), tools.reach
        if end is None and hovered:
            end = _end(tools, panel, under)
        if end is not None:
            self._line(painter, panel, (start, point_of(panel, end)), tools.look, level=False)
            self._handle(painter, panel, point_of(panel, end), tools.look)
        self._handle(painter, panel, start, tools.look)

    def _line(self, painter: QPainter, panel: Panel, ends: tuple[QPointF, QPointF], look: Look, *, level: bool) -> None:
        seen = clipped(*ends, panel.plot.adjusted(-8, -8, 8, 8))
        if seen is None:
            return
        pen = QPen(QColor(ink(look.ink, panel.state.tokens)), look.width, look.stroke.style)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        if level:  # on whole pixels, or it would be a blur
            y = overlay.snapped(painter, seen[0].y()) + (0.5 if look.width % 2 else 0.0)
            painter.drawLine(QPointF(seen[0].x(), y), QPointF(seen[1].x(), y))
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.drawLine(*seen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _handle(self, painter: QPainter, panel: Panel, at: QPointF, look: Look) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(QColor(ink(look.ink, panel.state.tokens)), 1.5))
        painter.setBrush(QColor(panel.state.tokens.panel))
        painter.drawEllipse(at, _HANDLE, _HANDLE)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _label(self, painter: QPainter, panel: Panel, drawing: Drawing) -> None:
        """Write the label over a level's left end, or over the middle of a trend line."""
        seen = clipped(*stretch_of(panel, drawing), panel.plot) if drawing.text else None
        if seen is None:
            return
        state = panel.state
        wide, tall = state.metrics.horizontalAdvance(drawing.text), state.metrics.height()
        at = (seen[0] + seen[1]) / 2 if drawing.kind is Kind.TREND else seen[0] + QPointF(12, 0)
        left = at.x() - (wide / 2 if drawing.kind is Kind.TREND else 0)
        top = at.y() - tall - 3
        if top < panel.plot.top() + panel.LEGEND_ROOM - 4:  # under the legend it could not be read
            top = at.y() + 3
        left = min(max(left, panel.plot.left() + 4), max(panel.plot.left() + 4, panel.plot.right() - wide - 4))
        back = QColor(state.tokens.panel)
        back.setAlphaF(0.72)
        painter.fillRect(QRectF(left - 3, top, wide + 6, tall), back)
        painter.setFont(state.font)
        painter.setPen(QColor(ink(drawing.look.ink, state.tokens)))
        painter.drawText(QPointF(left, top + state.metrics.ascent()), drawing.text)


class _Placing:
    """Put down points with the tool: a click sets one, a drag both ends of a trend line."""

    shape = Qt.CursorShape.CrossCursor

    def __init__(self, tools: DrawingTools, pressed: QPointF) -> None:
        self._tools, self._pressed = tools, pressed

    def drag(self, panel: Panel, at: QPointF) -> None:
        """Stretch a trend line from where the button went down; a level follows the crosshair."""
        tools = self._tools
        if tools.tool is Kind.TREND:
            if tools.start is None or tools.start[0] != panel.name:
                tools.point(panel, self._pressed)
            tools.reach = _end(tools, panel, at)
        tools.moved.emit()

    def drop(self, panel: Panel, at: QPointF) -> None:
        """Draw it."""
        tools = self._tools
        self.drag(panel, at)
        if tools.tool is Kind.TREND and tools.reach is not None:
            tools.put(panel, tools.reach)
        else:
            tools.point(panel, at)

    def click(self, panel: Panel, at: QPointF) -> None:
        """Put down one point."""
        self._tools.put(panel, _end(self._tools, panel, at))

    def cancel(self, panel: Panel) -> None:
        """Drop what is half drawn."""
        self._tools.take(self._tools.tool)


class _Moving:
    """Drag one end of a drawing, or all of it."""

    def __init__(self, tools: DrawingTools, drawing: Drawing, part: int, pressed: QPointF) -> None:
        self._tools, self._drawing, self._part, self._pressed = tools, drawing, part, pressed

    @property
    def shape(self) -> Qt.CursorShape:
        """Return the pointer's shape over it."""
        if self._drawing.kind is Kind.LEVEL:
            return Qt.CursorShape.SizeVerCursor
        return Qt.CursorShape.SizeAllCursor if self._part == WHOLE else Qt.CursorShape.PointingHandCursor

    def drag(self, panel: Panel, at: QPointF) -> None:
        """Follow the pointer."""
        self._tools.choose(self._drawing)
        self._tools.working = self._moved(panel, at)
        self._tools.moved.emit()

    def drop(self, panel: Panel, at: QPointF) -> None:
        """Keep it there."""
        tools = self._tools
        tools.settle(self._moved(panel, at), tools.tr("moving the {0}").format(tools.name_of(self._drawing)))
        if tools.chosen is not None:
            tools.told.emit(tools.words(*tools.chosen))

    def click(self, panel: Panel, at: QPointF) -> None:
        """Choose it."""
        self._tools.choose(self._drawing)

    def cancel(self, panel: Panel) -> None:
        """Put it back."""
        self._tools.working = None
        self._tools.moved.emit()

    def _moved(self, panel: Panel, at: QPointF) -> Drawing:
        drawing, magnet = self._drawing, self._tools.magnet
        if drawing.kind is Kind.LEVEL:
            held = panel.y_of(drawing.anchors[0].value) - self._pressed.y()  # it does not jump to the pointer
            value = anchor_at(panel, at + QPointF(0, held), magnet=magnet).value
            return drawing.at(Anchor(drawing.anchors[0].ms, value))
        if self._part != WHOLE:
            if _keeps_angle():
                at, magnet = levelled(point_of(panel, drawing.anchors[1 - self._part]), at), False
            ends = list(drawing.anchors)
            ends[self._part] = anchor_at(panel, at, magnet=magnet)
            return drawing.at(*ends)
        rows = round(panel.row_at(at.x())) - round(panel.row_at(self._pressed.x()))
        places = panel.to_plot(panel.value_at(at.y())) - panel.to_plot(panel.value_at(self._pressed.y()))
        return moved(panel, drawing, rows, places)
