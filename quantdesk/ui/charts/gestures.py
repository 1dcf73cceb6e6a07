"""Turn the pointer's presses, moves and wheel over a panel into what they mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent

from quantdesk.ui.charts.layer import Grip, Opener

if TYPE_CHECKING:
    from quantdesk.ui.charts.panel import Panel

#: One notch of the wheel zooms by this.
WHEEL_FACTOR = 1.18
#: A press that moves less than this (pixels) is a click.
_SLACK = 3


class Gestures:
    """Follow one pointer over one panel: drag the plot or its axis, take hold of a grip, measure, follow a link."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._press: QPointF | None = None
        self._on_axis = self._rules = self._moved = False
        self._last = QPointF()
        self._grip: Grip | None = None

    def press(self, ev: QMouseEvent) -> None:
        """Start a drag of the plot, of the axis or of what lies under the pointer, or follow a link."""
        panel, at = self._panel, ev.position()
        self._press = self._last = at
        self._on_axis = at.x() > panel.plot.right()
        self._moved = False
        shift = bool(ev.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._rules = shift and not self._on_axis and not panel.state.drawing
        self._grip = None if self._rules else panel.grip_at(at)
        if self._rules:
            panel.ruled.emit(at.x(), self._inside(at))

    def move(self, ev: QMouseEvent) -> None:
        """Drag, or move the crosshair."""
        panel, at = self._panel, ev.position()
        if self._press is not None and ev.buttons() & Qt.MouseButton.LeftButton:
            self._drag_to(at)
        else:
            self.cancel()
        if at.x() <= panel.plot.right() and not (self._press is not None and self._on_axis):
            panel.pointed.emit(at.x(), self._inside(at))
        elif self._press is None:
            panel.left.emit()
        self._shape(at)

    def release(self, ev: QMouseEvent) -> None:
        """End a drag; a press that did not move follows the link under it."""
        panel, at = self._panel, ev.position()
        grip, self._grip = self._grip, None
        if self._press is not None and grip is not None:
            (grip.drop if self._moved else grip.click)(panel, at)
        elif self._press is not None and self._rules:
            if self._moved:
                panel.clicked.emit()
        elif self._press is not None and not self._moved:
            link = panel.link_at(at)
            if link == "auto":
                panel.reset_scale()
            elif link:
                panel.linked.emit(link)
            elif not self._on_axis:
                panel.clicked.emit()
        self._press = None
        self._shape(at)

    def double_click(self, ev: QMouseEvent) -> None:
        """Open what lies under the pointer, where it can be opened; else return the axis to its automatic scale."""
        grip = self._panel.grip_at(ev.position())
        if isinstance(grip, Opener):
            grip.open(self._panel)
        elif ev.position().x() > self._panel.plot.right():
            self._panel.reset_scale()
        else:
            self.press(ev)

    def wheel(self, ev: QWheelEvent) -> None:
        """Zoom at the pointer; sideways or with Shift pan; over the axis scale it."""
        panel, delta = self._panel, ev.angleDelta()
        sideways = ev.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(delta.x()) > abs(delta.y())
        if ev.position().x() > panel.plot.right():
            panel.scale_values(WHEEL_FACTOR ** (-delta.y() / 120))
        elif sideways:
            panel.dragged.emit(-(delta.x() or delta.y()) / 120 * panel.state.view.span * 0.08)
        elif delta.y():
            panel.zoomed.emit(WHEEL_FACTOR ** (delta.y() / 120), panel.row_at(ev.position().x()))

    def cancel(self) -> bool:
        """Let go of what is held, as it was before; tell whether anything was."""
        grip, self._grip = self._grip, None
        self._press = None
        if grip is None:
            return False
        grip.cancel(self._panel)
        return True

    def _inside(self, at: QPointF) -> float:
        return min(max(at.y(), 0.0), self._panel.plot.height())

    def _drag_to(self, at: QPointF) -> None:
        assert self._press is not None
        if not self._moved and (at - self._press).manhattanLength() < _SLACK:
            return
        self._moved = True
        if self._rules:
            return
        panel, step, self._last = self._panel, at - self._last, at
        if self._grip is not None:
            self._grip.drag(panel, at)
            return
        if self._on_axis:
            panel.scale_values(math.exp(step.y() / max(60.0, panel.plot.height()) * 2.5))
            return
        if not panel.auto:
            shift = step.y() / panel.plot.height() * (panel.high - panel.low)
            panel.low, panel.high = panel.low + shift, panel.high + shift
        panel.dragged.emit(-step.x() / panel.plot.width() * panel.state.view.span)

    def _shape(self, at: QPointF) -> None:
        panel = self._panel
        held = self._grip if self._press is not None else panel.grip_at(at)
        if held is not None:
            shape = held.shape
        elif self._press is not None and self._moved and not self._on_axis and not self._rules:
            shape = Qt.CursorShape.ClosedHandCursor
        elif panel.link_at(at):
            shape = Qt.CursorShape.PointingHandCursor
        elif at.x() > panel.plot.right():
            shape = Qt.CursorShape.SizeVerCursor
        else:
            shape = Qt.CursorShape.CrossCursor
        if panel.viewport().cursor().shape() != shape:
            panel.viewport().setCursor(shape)
