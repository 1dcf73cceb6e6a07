"""Show one chart of the stack: a pyqtgraph view with own axis, own scale and own events."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.backdrop import Backdrop
from quantdesk.ui.charts.gestures import Gestures
from quantdesk.ui.charts.items import ChartItem
from quantdesk.ui.charts.layer import Grip, Layer
from quantdesk.ui.charts.ruler import paint_ruler
from quantdesk.ui.charts.state import ChartState, Span, Tag
from quantdesk.ui.charts.ticks import ValueTicks, number, value_ticks


class Panel(pg.GraphicsView):
    """Draw items over the shared rows; subclasses say what is drawn and written."""

    pointed = Signal(float, float)  # x and y in pixels, inside the plot
    left = Signal()
    dragged = Signal(float)  # rows
    zoomed = Signal(float, float)  # factor, row
    linked = Signal(str)  # what a click on a part of the legend asks for
    touched = Signal()  # this panel's own scale changed
    ruled = Signal(float, float)  # x and y in pixels where a measurement begins
    axis_asked = Signal(float)  # y in pixels: the other button was pressed on the axis
    clicked = Signal()  # on nothing that is a link; also the end of a dragged measurement

    #: Room above and below the data, in shares of the height.
    MARGINS = (0.22, 0.10)
    #: The height in pixels that the legend keeps free of data, where the panel has as much to spare.
    LEGEND_ROOM = 32.0
    #: The least height in pixels; together they fit the smallest window.
    LEAST_HEIGHT = 48
    #: The least pixels between two labels of the axis.
    SPACING = 32.0

    def __init__(self, name: str, state: ChartState, parent: QWidget | None = None) -> None:
        super().__init__(parent, useOpenGL=False, background=None)
        self.name = name
        self.setObjectName(f"chart_{name}")
        self.state = state
        self.stale = True
        self.anew = True  #: more has changed than forming bars and what lies over the data
        self.setCacheMode(self.CacheModeFlag.CacheNone)
        # Only ``refresh`` asks for a paint: the scene would ask for a second one after each.
        self.setViewportUpdateMode(self.ViewportUpdateMode.NoViewportUpdate)
        self.setMinimumSize(120, self.LEAST_HEIGHT)
        self.viewport().setAcceptDrops(False)  # the window takes dropped files
        self.scene().setItemIndexMethod(self.scene().ItemIndexMethod.NoIndex)
        self.box = pg.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0)
        self.box.disableAutoRange()
        self.addItem(self.box)
        self.items_: list[ChartItem] = []
        self.layers: list[Layer] = []  #: what lies over the data, the topmost last
        self.low, self.high = 0.0, 1.0
        self.auto = True
        self._axis_width = 64.0
        self.plot = QRectF(0, 0, 1, 1)  #: the plot's pixels; the axis is right of it
        self._labels: list[tuple[float, str]] = []
        self._ticks = ValueTicks(np.empty(0), 1.0, 0)
        self._hot: list[tuple[QRectF, str]] = []
        self._gestures = Gestures(self)
        self._backdrop = Backdrop(self)

    # -- what a subclass says ---------------------------------------------------------------

    def load(self) -> None:
        """Take the closed bars of the state's frame."""

    def load_tail(self) -> None:
        """Take the forming bars of the state's tail."""

    def restyle(self) -> None:
        """Take the colours of the state's tokens."""

    def legend(self, row: int) -> list[Span]:
        """Return the legend for a row."""
        return []

    def tags(self) -> list[Tag]:
        """Return the values marked on the axis."""
        return []

    def _all_tags(self) -> list[Tag]:
        # The panel's own last one stands at its value; others give way to it.
        return [*(tag for layer in self.layers for tag in layer.tags(self)), *self.tags()]

    def empty_text(self) -> str:
        """Return what an empty panel says, "" when there is something to see."""
        return ""

    def value_text(self, value: float) -> str:
        """Write a value as the axis does."""
        return number(value, self._ticks.decimals)

    def row_value(self, row: int) -> float:
        """Return the value that a measurement by keys takes at a row, NaN where there is none."""
        return math.nan

    def row_values(self, row: int) -> tuple[float, ...]:
        """Return the values that the magnet of a drawing tool draws to at a row, NaN where there is none."""
        return (self.row_value(row),)

    def tick(self) -> float:
        """Return the least step of a value, 0 where it has none."""
        return 0.0

    def rounded(self, value: float) -> float:
        """Return the value at its least step."""
        return value

    def change_text(self, change: float) -> str:
        """Write a difference between two values, with its sign."""
        return number(change, self._ticks.decimals, sign=True)

    def limits(self) -> tuple[float, float] | None:
        """Return the lowest and highest visible value."""
        found = [limits for item in self.items_ if (limits := item.limits()) is not None]
        return (min(f[0] for f in found), max(f[1] for f in found)) if found else None

    def value_ticks(self, pixels: float) -> ValueTicks:
        """Return the values to label."""
        return value_ticks(self.low, self.high, pixels, self.SPACING)

    # -- geometry ---------------------------------------------------------------------------

    def add(self, item: ChartItem, depth: float = 0) -> None:
        """Put an item into the plot."""
        item.setZValue(depth)
        self.items_.append(item)
        self.box.addItem(item, ignoreBounds=True)

    def axis_need(self) -> float:
        """Return the width that this panel's labels need."""
        texts = [text for _, text in self._labels] + [
            text for tag in self._all_tags() for text in (tag.text, tag.under)
        ]
        widest = max((self.state.letters.advance(text) for text in texts), default=0.0)
        return math.ceil(widest + overlay.AXIS_PAD * 2)

    def set_axis_width(self, width: float) -> None:
        """Leave this much room for the axis; the same in every panel."""
        if width != self._axis_width:
            self._axis_width = width
            self.anew = True
            self._place()

    def x_of(self, row: float) -> float:
        """Return the pixel of a row's middle."""
        view = self.state.view
        return (row - view.left) / view.span * self.plot.width()

    def row_at(self, x: float) -> float:
        """Return the row at a pixel."""
        view = self.state.view
        return view.left + x / self.plot.width() * view.span

    def y_of(self, value: float) -> float:
        """Return the pixel of a value."""
        return (self.high - self.to_plot(value)) / (self.high - self.low) * self.plot.height()

    def value_at(self, y: float) -> float:
        """Return the value at a pixel."""
        return self.from_plot(self.high - y / self.plot.height() * (self.high - self.low))

    def to_plot(self, value: float) -> float:
        """Return the coordinate of a value, of which ``low`` and ``high`` are two."""
        return value

    def from_plot(self, place: float) -> float:
        """Return the value at a coordinate."""
        return place

    def settle(self) -> None:
        """Choose the scale, now that the visible values are cut out."""

    def refresh(self) -> None:
        """Cut out what is visible, fit the scale to it and ask for a repaint."""
        self._place()
        view, plot = self.state.view, self.plot
        first, last = math.floor(view.left + 0.5), math.ceil(view.right - 0.5)
        for item in self.items_:
            item.take(first, last, view.span / plot.width())
        self.settle()
        if self.auto:
            self._fit()
        self._ticks = self.value_ticks(plot.height())
        self._labels = [(value, self.value_text(value)) for value in self._ticks.values.tolist()]
        area = QRectF(view.left, self.low, view.span, self.high - self.low)
        for item in self.items_:
            item.set_area(area)
        self.box.setRange(xRange=(view.left, view.right), yRange=(self.low, self.high), padding=0)
        self._backdrop.settle(anew=self.anew)
        self.anew = False
        self.viewport().update()

    @property
    def labelled_values(self) -> list[float]:
        """Return the values that the axis labels."""
        return [value for value, _ in self._labels]

    def repaint_axis(self) -> None:
        """Ask for a repaint of the axis alone."""
        left = math.floor(self.plot.right())
        self.viewport().update(left, 0, self.width() - left, self.height())

    def reset_scale(self) -> None:
        """Fit the scale to the visible values again."""
        self.auto = True
        self.touched.emit()

    def scale_values(self, factor: float) -> None:
        """Stretch the scale about its middle; it stays as it is until it is reset."""
        self.auto = False
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2 * factor
        self.low, self.high = middle - half, middle + half
        self.touched.emit()

    def _fit(self) -> None:
        found = self.limits()
        if found is None:
            self.low, self.high = 0.0, 1.0
            return
        low, high = found
        if high - low <= abs(high) * 1e-12:
            pad = abs(high) * 1e-4 or 1.0
            low, high = low - pad, high + pad
        above, below = self.MARGINS
        # The legend needs its line however low the panel is.
        above = max(above, min(0.42, self.LEGEND_ROOM / self.plot.height()))
        size = (high - low) / (1 - above - below)
        self.low, self.high = low - below * size, high + above * size

    def _place(self) -> None:
        plot = QRectF(0, 0, max(1.0, self.width() - self._axis_width), max(1.0, float(self.height())))
        if plot != self.plot:
            self.plot = plot
            self.box.setGeometry(plot)

    # -- painting ---------------------------------------------------------------------------

    def paintEvent(self, ev: QPaintEvent) -> None:
        """Paint the panel."""
        self._backdrop.paint()

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        """Fill the panel and draw the grid under the data."""
        painter.fillRect(QRectF(self.rect()), QColor(self.state.tokens.panel))
        plot = self.plot
        xs = [(self.x_of(tick.x), tick.major) for tick in self.state.ticks]
        ys = [self.y_of(value) for value, _ in self._labels] if not self.empty_text() else []
        overlay.paint_grid(painter, self.state, plot, [x for x in xs if x[0] < plot.right()], ys)
        flash = self.state.flash_row
        if flash is not None:
            color = QColor(self.state.tokens.accent)
            color.setAlphaF(0.28)
            left, right = self.x_of(flash - 0.5), self.x_of(flash + 0.5)
            wide = max(6.0, right - left)
            painter.fillRect(QRectF((left + right - wide) / 2, 0, wide, plot.height()), color)

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        """Draw axis, tags, legend and crosshair over the data."""
        state, plot, width = self.state, self.plot, self._axis_width
        empty = self.empty_text()
        labels = [] if empty else [(self.y_of(value), text) for value, text in self._labels]
        tags = [] if empty else self._all_tags()
        hovered = state.cursor_panel == self.name
        taken = overlay.tag_places(overlay.tag_rows(plot, tags, self.y_of), tags)
        if hovered:
            taken.append(overlay.tag_middle(plot, state.cursor_y))
        overlay.paint_value_axis(painter, state, plot, width, labels, taken)
        overlay.paint_tags(painter, state, plot, width, tags, self.y_of)
        for layer in () if empty else self.layers:
            layer.paint(painter, self)
        if state.ruler is not None and state.ruler.panel == self.name and not empty:
            paint_ruler(painter, self, state.ruler)
        x = None if state.cursor_row is None else self.x_of(state.cursor_row)
        overlay.paint_crosshair(painter, state, plot, x, state.cursor_y if hovered else None)
        if hovered and not empty:
            text = self.value_text(self.value_at(state.cursor_y))
            overlay.paint_tag(painter, state, plot, width, state.cursor_y, text, state.cursor_color)
        self._hot = overlay.paint_legend(painter, state, plot, self.legend(state.row))
        if empty:
            overlay.paint_empty(painter, state, plot, empty)
        self._chips(painter, plot)
        state.latency.painted()

    def _chips(self, painter: QPainter, plot: QRectF) -> None:
        if not self.auto:
            text = self.tr("auto")
            wide = self.state.metrics.horizontalAdvance(text) + 12
            box = QRectF(plot.right() + 4, plot.bottom() - 24, min(wide, self._axis_width - 8), 20)
            overlay.paint_chip(painter, self.state, box, text)
            self._hot.append((box, "auto"))

    # -- events -----------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Prefer a wide, low panel."""
        return QSize(640, 160)

    def resizeEvent(self, ev: QResizeEvent | None) -> None:
        """Keep the plot left of the axis."""
        super().resizeEvent(ev)
        if ev is not None:
            self._place()
            self.touched.emit()

    def hideEvent(self, ev: QEvent) -> None:
        """Keep no picture that nobody sees."""
        self._backdrop.forget()

    def keyPressEvent(self, ev: QEvent) -> None:
        """Leave keys to the stack."""
        ev.ignore()

    def link_at(self, at: QPointF) -> str:
        """Return what a click at a place asks for, "" for nothing."""
        return next((link for box, link in self._hot if box.contains(at)), "")

    def grip_at(self, at: QPointF) -> Grip | None:
        """Return what can be dragged at a place; the topmost layer is asked first."""
        if self.empty_text() or any(box.contains(at) for box, _ in self._hot):
            return None
        found = (layer.grip_at(self, at) for layer in reversed(self.layers))
        return next((grip for grip in found if grip is not None), None)

    def let_go(self) -> bool:
        """Put back what the pointer is dragging; tell whether anything was held."""
        return self._gestures.cancel()

    def mousePressEvent(self, ev: QMouseEvent) -> None:
        """Start a drag of the plot or of the axis, or follow a link."""
        if ev.button() != Qt.MouseButton.LeftButton:
            ev.ignore()
            return
        self._gestures.press(ev)
        ev.accept()

    def mouseMoveEvent(self, ev: QMouseEvent) -> None:
        """Drag, or move the crosshair."""
        self._gestures.move(ev)
        ev.accept()

    def mouseReleaseEvent(self, ev: QMouseEvent) -> None:
        """End a drag; a press that did not move follows the link under it."""
        self._gestures.release(ev)
        ev.accept()

    def mouseDoubleClickEvent(self, ev: QMouseEvent) -> None:
        """Return the axis to its automatic scale."""
        self._gestures.double_click(ev)
        ev.accept()

    def wheelEvent(self, ev: QWheelEvent) -> None:
        """Zoom at the pointer; sideways or with Shift pan; over the axis scale it."""
        self._gestures.wheel(ev)
        ev.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for what belongs to the axis where it is clicked."""
        if event.pos().x() > self.plot.right():
            self.axis_asked.emit(float(event.pos().y()))
            event.accept()
        else:
            event.ignore()

    def leaveEvent(self, ev: QEvent) -> None:
        """Take the crosshair away."""
        self.left.emit()
