"""Carry the pointer over any panel to the crosshair of all, and to an open ruler."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, Signal, Slot

from quantdesk.ui.charts.measuring import Measuring
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.state import ChartState


class Pointing(QObject):
    """Keep where the pointer is, in pixels of the plot; ``moved`` tells that there is something to paint."""

    moved = Signal()

    def __init__(self, state: ChartState, measuring: Measuring, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._measuring = state, measuring
        self._x: float | None = None

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

    @Slot()
    def leave(self) -> None:
        """Take the crosshair away."""
        self._x = None
        self._state.cursor_panel = ""
        self.moved.emit()

    def take_away(self) -> Callable[[], None]:
        """Hide the crosshair for a picture; what is returned puts it back."""
        x, panel = self._x, self._state.cursor_panel
        self._x, self._state.cursor_panel = None, ""

        def put_back() -> None:
            self._x, self._state.cursor_panel = x, panel

        return put_back

    def to_row(self, width: float) -> None:
        """Say in the state which row the crosshair is on; ``width`` is the plot's in pixels."""
        view = self._state.view
        self._state.cursor_row = None if self._x is None else round(view.left + self._x / width * view.span)

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
