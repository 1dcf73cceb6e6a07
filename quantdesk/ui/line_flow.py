"""Bring the frozen hedge lines from one session to the next, in a file beside the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from quantdesk.ui import kept_lines
from quantdesk.ui.kept_file import KeptFile

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow

_SAVED_AFTER_MS = 1_500


class LineFlow(QObject):
    """Load what every window's pair goes on with, and keep it shortly after each change."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._book = window, window.pair.kept
        self._file = KeptFile(window.store.path.with_name("hedge_lines.json"), "hedge ratios", "newly fitted ones")
        self._changed = False
        self._saver = QTimer(self, singleShot=True, interval=_SAVED_AFTER_MS)
        self._saver.timeout.connect(self.save)
        read = self._file.read()
        if read is not None:
            kept, unread = kept_lines.accepted(read)
            self._book.load(kept)
            if unread:
                self._file.copy_aside(unread, "unread")
        self._blame()
        self._book.changed.connect(self._on_changed)

    @Slot()
    def save(self) -> None:
        """Write the lines if they changed, now; say it if the disk refuses."""
        self._saver.stop()
        if self._changed:
            self._changed = not self._file.write(kept_lines.plain_of(self._book.everything()))
            self._blame()

    @Slot()
    def _on_changed(self) -> None:
        self._changed = True
        if not self._saver.isActive():  # refits of every few seconds must not put it off for ever
            self._saver.start()

    def _blame(self) -> None:
        if self._file.problem:
            self._window.banner.show_notice("lines", "warning", self._file.problem)
