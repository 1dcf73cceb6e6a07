"""Act on a chart stack as a user does, and look at what it painted."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication


def settle(desk) -> None:
    """Let the marked tick come and paint it."""
    desk.stack._refresh()
    QApplication.processEvents()


def picture(desk, name: str) -> QImage:
    settle(desk)
    return desk.stack.panel(name).grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def count(image: QImage, color: str) -> int:
    """Count the pixels of exactly a colour."""
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return int((pixels[:, : image.width()] & 0xFFFFFF == QColor(color).rgb() & 0xFFFFFF).sum())


def view(desk):
    return desk.stack._state.view


def key(qtbot, desk, *keys, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    for each in keys:
        qtbot.keyClick(desk.stack, each, modifier)
    settle(desk)


def wheel(widget, x: float, y: float, dy: int = 0, dx: int = 0, held=Qt.KeyboardModifier.NoModifier) -> None:
    at = QPointF(x, y)
    event = QWheelEvent(
        at, widget.mapToGlobal(at), QPoint(), QPoint(dx, dy), Qt.MouseButton.NoButton, held,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget.viewport() if hasattr(widget, "viewport") else widget, event)


def move(port, x: float, y: float, buttons=Qt.MouseButton.NoButton) -> None:
    at = QPointF(x, y)
    none = Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseMove, at, port.mapToGlobal(at), Qt.MouseButton.NoButton, buttons, none)
    QApplication.sendEvent(port, event)
