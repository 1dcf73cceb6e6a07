"""Divide the stack's panels by hair lines that can be dragged."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSplitter, QSplitterHandle

from quantdesk.ui.charts.state import ChartState


class Handle(QSplitterHandle):
    """Draw a hair line that is easy to grip."""

    def __init__(self, orientation: Qt.Orientation, parent: QSplitter, state: ChartState) -> None:
        super().__init__(orientation, parent)
        self._state = state
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line, bright under the pointer."""
        with QPainter(self) as painter:
            tokens = self._state.tokens
            painter.fillRect(self.rect(), QColor(tokens.panel))
            color = QColor(tokens.accent if self.underMouse() else tokens.border)
            painter.fillRect(0, self.height() // 2, self.width(), 1, color)


class Splitter(QSplitter):
    """Divide the panels by hair lines."""

    def __init__(self, state: ChartState) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._state = state
        self.setHandleWidth(5)
        self.setChildrenCollapsible(False)

    def createHandle(self) -> QSplitterHandle:
        """Make a handle that draws itself."""
        return Handle(self.orientation(), self, self._state)
