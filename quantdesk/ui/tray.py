"""Live in the system tray where there is one: popups and a small menu."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

_POPUP_MS = 10_000


class Tray(QObject):
    """Show the icon, its menu (show, mute, quit) and popups; says whether there is a tray at all.

    A desktop may bring its tray up after us, so it is asked again at each popup.
    """

    show_requested = Signal()
    popup_clicked = Signal()

    def __init__(self, icon: QIcon, mute: QAction, quit_action: QAction, parent: QWidget) -> None:
        super().__init__(parent)
        self._icon = icon
        self._menu = QMenu(parent)
        self._menu.setAccessibleName(self.tr("Tray menu"))
        self.show_action = self._menu.addAction(self.tr("&Show quantdesk"))
        self.show_action.triggered.connect(self.show_requested)
        self._menu.addAction(mute)
        self._menu.addSeparator()
        self._menu.addAction(quit_action)
        self._tray: QSystemTrayIcon | None = None
        self._tip = "quantdesk"

    @property
    def available(self) -> bool:
        """Say whether popups would be seen and a hidden window could be found again."""
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return False
        if self._tray is None:
            self._tray = QSystemTrayIcon(self._icon, self)
            self._tray.setContextMenu(self._menu)
            self._tray.setToolTip(self._tip)
            self._tray.messageClicked.connect(self.popup_clicked)
            self._tray.activated.connect(self._on_activated)
        if not self._tray.isVisible():
            self._tray.show()
        return True

    def set_tip(self, text: str) -> None:
        """Say beside the icon what the desk is doing."""
        self._tip = text
        if self._tray is not None:
            self._tray.setToolTip(text)

    def popup(self, title: str, text: str) -> bool:
        """Show a popup; False where there is no tray, so that the caller takes another way."""
        if not self.available or self._tray is None:
            return False
        self._tray.showMessage(title, text, self._icon, _POPUP_MS)
        return True

    def hide(self) -> None:
        """Take the icon away before the program leaves."""
        if self._tray is not None:
            self._tray.hide()

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.show_requested.emit()
