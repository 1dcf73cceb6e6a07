"""Show short messages at the bottom right of the window; they leave by themselves."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QToolButton, QWidget

from quantdesk.ui.icons import icon, pixmap
from quantdesk.ui.theme_tokens import Tokens

MOST = 4
STAY_MS = 8_000
_MARGIN = 14
_WIDTH = 330
_ICONS = {"info": "info", "ok": "check", "warning": "warning", "error": "error", "alert": "bell"}


class Toast(QFrame):
    """Show one message; ``activated`` on a click or Enter, ``closed`` when it has left."""

    activated = Signal()
    closed = Signal()

    def __init__(self, title: str, text: str, level: str, tokens: Tokens, parent: QWidget, stay_ms: int) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self.setProperty("level", level)
        self.setFixedWidth(_WIDTH)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"{title}. {text}" if text else title)
        self.level = level
        self._mark = QLabel(self)
        self._title = self._label(title, heading=True)
        self._text = self._label(text, heading=False)
        self._text.setVisible(bool(text))
        self._close = QToolButton(self)
        self._close.setIconSize(QSize(12, 12))
        self._close.setAccessibleName(self.tr("Close the message"))
        self._close.setToolTip(self.tr("Close"))
        self._close.setCursor(Qt.CursorShape.ArrowCursor)
        self._close.clicked.connect(self.leave)
        grid = QGridLayout(self)
        grid.setContentsMargins(11, 8, 6, 9)
        grid.setHorizontalSpacing(9)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._mark, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._title, 0, 1)
        grid.addWidget(self._close, 0, 2, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._text, 1, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        self.set_tokens(tokens)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(stay_ms)
        self._timer.timeout.connect(self.leave)
        self._timer.start()

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the mark for the theme."""
        colours = {"error": tokens.error, "warning": tokens.warn, "alert": tokens.level, "ok": tokens.ok}
        picture = pixmap(_ICONS.get(self.level, "info"), colours.get(self.level, tokens.accent), 36)
        picture.setDevicePixelRatio(2)
        self._mark.setPixmap(picture)
        self._close.setIcon(icon("close", tokens))

    def says(self, title: str, text: str, level: str) -> bool:
        """Say whether this is the same message, which need not stand twice."""
        return (self._title.text(), self._text.text(), self.level) == (title, text, level)

    def stay(self) -> None:
        """Count again from the start."""
        self._timer.start()

    def leave(self) -> None:
        """Close the message."""
        self._timer.stop()
        self.hide()
        self.closed.emit()
        self.deleteLater()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the mouse rests on it."""
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Count again from the start."""
        if self.isVisible():
            self._timer.start()
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Act on a click."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.activated.emit()
            self.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Act on Enter, close on Escape."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.activated.emit()
            self.leave()
        elif event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def _label(self, text: str, *, heading: bool) -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setProperty("heading" if heading else "dim", True)
        return label


class ToastStack(QObject):
    """Place up to four messages at the bottom right of an area, ``above`` its lowest strip, the newest lowest."""

    def __init__(self, area: QWidget, tokens: Tokens, above: QWidget | None = None, stay_ms: int = STAY_MS) -> None:
        super().__init__(area)
        self._area = area
        self._above: tuple[QWidget, ...] = () if above is None else (above,)
        self._tokens = tokens
        self._stay_ms = stay_ms
        self.toasts: list[Toast] = []
        area.installEventFilter(self)

    def show_toast(
        self, title: str, text: str = "", level: str = "info", activated: Callable[[], None] | None = None
    ) -> Toast:
        """Show a message; ``level`` is info, ok, warning, error or alert."""
        for standing in self.toasts:
            if activated is None and standing.says(title, text, level):
                standing.stay()
                return standing
        toast = Toast(title, text, level, self._tokens, self._area, self._stay_ms)
        if activated is not None:
            toast.activated.connect(activated)
        toast.closed.connect(lambda: self._forget(toast))
        self.toasts.append(toast)
        while len(self.toasts) > MOST:
            self.toasts[0].leave()
        toast.show()
        toast.raise_()
        self._place()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(toast, toast.accessibleName()))
        return toast

    def stand_above(self, *strips: QWidget) -> None:
        """Leave these strips at the bottom free where they can be seen."""
        self._above = strips
        self._place()

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the messages for the theme."""
        self._tokens = tokens
        for toast in self.toasts:
            toast.set_tokens(tokens)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the area's size."""
        if watched is self._area and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _forget(self, toast: Toast) -> None:
        if toast in self.toasts:
            self.toasts.remove(toast)
            self._place()

    def _place(self) -> None:
        foot = sum(strip.height() for strip in self._above if strip.isVisible())
        bottom = self._area.height() - foot - _MARGIN
        for toast in reversed(self.toasts):
            height = toast.heightForWidth(_WIDTH)
            toast.resize(_WIDTH, height)
            bottom -= height
            toast.move(max(0, self._area.width() - _WIDTH - _MARGIN), max(0, bottom))
            bottom -= 8
