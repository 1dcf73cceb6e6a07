"""Close the window as the user chose once, or ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow


class ClosingFlow(QObject):
    """Decide between quitting, hiding to the tray and asking."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        window.prompts.close_chosen.connect(self._on_chosen)

    def request(self) -> None:
        """Close as the user chose once, or ask."""
        window, settings = self._window, self._window.store.settings
        if not window.mode.recording:
            window.quit_requested.emit()
        elif settings.ask_on_close:
            window.bring_to_front()
            window.prompts.ask_close(window.theme.tokens, tray=window.tray.available)
        elif settings.close_to_tray and window.tray.available:
            window.hide()
        else:
            window.quit_requested.emit()

    @Slot(str, bool)
    def _on_chosen(self, choice: str, ask_no_more: bool) -> None:
        window = self._window
        if ask_no_more:
            window.store.settings.ask_on_close = False
            window.store.settings.close_to_tray = choice == "tray"
            window.save_settings()
        if choice == "tray":
            window.hide()
        else:
            window.quit_requested.emit()
