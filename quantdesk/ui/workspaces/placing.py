"""Bring a window back to where one can see it, after a screen has gone."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

#: So much of a window's upper edge (pixels) must be on a screen to take hold of it.
_SEEN_WIDTH, _SEEN_HEIGHT = 120, 24
_INSET = 24


def into_view(window: QWidget) -> bool:
    """Move a window whose upper edge is on no screen to the main screen; tell whether it was moved."""
    frame = window.frameGeometry()
    edge = QRect(frame.topLeft(), frame.topRight() + QPoint(0, _SEEN_HEIGHT))
    for screen in QGuiApplication.screens():
        seen = screen.availableGeometry() & edge
        if seen.width() >= _SEEN_WIDTH and seen.height() >= _SEEN_HEIGHT // 2:
            return False
    area = QGuiApplication.primaryScreen().availableGeometry()
    window.resize(window.size().boundedTo(area.size()))
    window.move(area.topLeft() + QPoint(_INSET, _INSET))
    return True
