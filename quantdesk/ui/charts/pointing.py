"""Carry the pointer over any panel to the crosshair of all, and to an open ruler."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, Signal, Slot

from quantdesk.ui.charts.measuring import Measuring
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.state import ChartState


class Pointing(QObject):
    """Keep where the pointer is, in pixels of the plot; ``moved`` tells that there is something to paint.

    ``pointed`` tells the time (ms) under the pointer itself, None when it left; another window's crosshair, which
    is shown the same way, tells nothing. ``width`` is that of the plot in pixels.
    """

    moved = Signal()
    pointed = Signal(object)

    def __init__(self, state: ChartState, measuring: Measuring, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._measuring = state, measuring
        self._x: float | None = None
        self.width: Callable[[], float] = lambda: 1.0
        self._elsewhere: float | None = None  # the time (ms) under the pointer of a linked window

    def watch(self, panel: Panel) -> None:
        """Follow the pointer over a panel, too."""
        panel.pointed.connect(self._pointer_of(panel))
        panel.ruled.connect(self._ruler_of(panel))
        panel.left.connect(self.leave)
        panel.clicked.connect(self._on_clicked)

    @property
    def at(self) -> QPointF | None:
        """Return where the crosshair stands in its panel, None when it is away."""
        return None if self._x is None else QPointF(self._x, self._state.cursor_y)

    def put(self, x: float, y: float, panel: str = "") -> None:
        """Put the crosshair to a pixel of a panel's plot."""
        self._x = x
        self._state.cursor_panel, self._state.cursor_y = panel, y
        self.moved.emit()
        self.pointed.emit(self._time())

    @Slot()
    def leave(self) -> None:
        """Take the crosshair away."""
        self._x = None
        self._state.cursor_panel = ""
        self.moved.emit()
        self.pointed.emit(self._time())

    def show_elsewhere(self, ms: float | None) -> None:
        """Show the crosshair at a time where the pointer is in a linked window; None takes it away."""
        self._elsewhere = ms
        self.moved.emit()

    def _time(self) -> float | None:
        """Return the time (ms) under the pointer, within its bar."""
        line = self._state.line
        if self._x is None or not len(line):
            return None
        x = self._x_row(self.width())
        row = round(x)
        return float(line.at(row)) + (x - row + 0.5) * line.step_ms

    def take_away(self) -> Callable[[], None]:
        """Hide the crosshair for a picture; what is returned puts it back."""
        x, panel, elsewhere = self._x, self._state.cursor_panel, self._elsewhere
        self._x, self._state.cursor_panel, self._elsewhere = None, "", None

        def put_back() -> None:
            self._x, self._state.cursor_panel, self._elsewhere = x, panel, elsewhere

        return put_back

    def to_row(self, width: float) -> None:
        """Say in the state which row the crosshair is on; ``width`` is the plot's in pixels."""
        if self._x is not None:
            self._state.cursor_row = round(self._x_row(width))
        else:
            self._state.cursor_row = self._row_elsewhere()

    def _x_row(self, width: float) -> float:
        view = self._state.view
        return view.left + (self._x or 0.0) / width * view.span

    def _row_elsewhere(self) -> int | None:
        """Return the bar that holds the time of the linked pointer; None where there is no such bar."""
        line, ms = self._state.line, self._elsewhere
        row = -1 if ms is None else line.row_at_or_before(ms)
        if ms is None or row < 0 or ms >= int(line.at(row)) + line.step_ms:
            return None
        return row

    def _pointer_of(self, panel: Panel) -> Callable[[float, float], None]:
        def move(x: float, y: float) -> None:
            self._measuring.follow(panel, round(panel.row_at(x)), panel.value_at(y))
            self.put(x, y, panel.name)

        return move

    def _ruler_of(self, panel: Panel) -> Callable[[float, float], None]:
        def start(x: float, y: float) -> None:
            self._measuring.start(panel, round(panel.row_at(x)), panel.value_at(y))
            self.moved.emit()

        return start

    @Slot()
    def _on_clicked(self) -> None:
        if self._measuring.click():
            self.moved.emit()
