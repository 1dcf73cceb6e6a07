"""Be the application that desktop shells know: one identity on Windows, files opened by events on macOS."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

log = logging.getLogger(__name__)

#: Windows keeps a task bar's button and its pinned icon together under this name.
APP_USER_MODEL_ID = "quantdesk.desk"
#: The two files of a pair come as two events, one right after the other.
_TOGETHER_MS = 150


class Application(QApplication):
    """Qt's application under the desk's name, which gathers the files that the shell asks it to open.

    ``files_opened(list[Path])`` tells them (macOS: Finder, Dock, "Open With"), those of one request together.
    """

    files_opened = Signal(list)

    def __init__(self, arguments: Sequence[str]) -> None:
        _name_process()
        super().__init__(list(arguments))
        self.setApplicationName("quantdesk")
        self.setApplicationDisplayName("quantdesk")
        self.setDesktopFileName("quantdesk")
        self._waiting: list[Path] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TOGETHER_MS)
        self._timer.timeout.connect(self._tell_files)

    # Not an event filter on the application: that would call Python for every event of every widget.
    def event(self, event: QEvent) -> bool:
        """Take the events that name a file; what is no local file is left out."""
        if not isinstance(event, QFileOpenEvent):
            return super().event(event)
        if event.file():
            self._waiting.append(Path(event.file()).absolute())
            self._timer.start()
        return True

    def _tell_files(self) -> None:
        files, self._waiting = self._waiting, []
        self.files_opened.emit(files)


def _name_process() -> None:
    """Tell Windows, before the first window, that this is quantdesk and not some Python; nothing elsewhere."""
    if sys.platform == "win32":
        import ctypes

        failed = ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(APP_USER_MODEL_ID)
        if failed:
            log.warning("Windows refused the name for the task bar: error %#x", failed & 0xFFFFFFFF)
