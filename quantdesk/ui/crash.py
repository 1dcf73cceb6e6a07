"""Show every error that nothing caught in one dialog, once, with what to do next."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QObject, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication, QTextCursor
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from quantdesk.ui import about
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.self_test import SelfTestFlow, SelfTestRow
from quantdesk.ui.theme_tokens import DARK

log = logging.getLogger("quantdesk.crash")

_MOST_CHARACTERS = 60_000


class CrashDialog(DeskDialog):
    """Show what happened in words and in detail; recording goes on behind it."""

    def __init__(
        self, text: str, log_folder: Path | None, parent: QWidget | None, selftest: SelfTestFlow | None = None
    ) -> None:
        super().__init__(self.tr("Something went wrong"), parent, width=820 if selftest is not None else 620)
        self._selftest = selftest
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.add_heading(self.tr("An error that was not foreseen."), "error", DARK.error)
        self.add_text(
            self.tr(
                "The desk goes on, and what was received is kept. "
                "If something looks wrong from here on, start quantdesk again. The details below help to mend it."
            )
        )
        self.summary = self.add_text(text.strip().splitlines()[-1] if text.strip() else "")
        self._text = text
        self._more = 0
        self.details = self.add_details(text, self.tr("Details of the error"), 240)
        if selftest is not None:
            self.selftest = SelfTestRow(selftest, self)
            selftest.changed.connect(self._show)
        copy = self.buttons.addButton(self.tr("Copy details"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        if log_folder is not None:
            folder = self.buttons.addButton(self.tr("Open log folder"), QDialogButtonBox.ButtonRole.ActionRole)
            folder.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_folder))))
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close).setDefault(True)
        self.add_buttons()
        self._show()

    def add_error(self, text: str) -> None:
        """Add a further error to the one that is shown; a flood of them stays bounded."""
        self._more += 1
        self.summary.setText(self.tr("{0} more errors since this opened").format(self._more))
        if len(self._text) < _MOST_CHARACTERS:
            self._text += "\n" + text
            self._show()

    @Slot()
    def _show(self) -> None:
        shown = self._text.rstrip() + self._found()
        if self.details.toPlainText() != shown:
            self.details.setPlainText(shown)
            if self._found():
                self.details.moveCursor(QTextCursor.MoveOperation.End)

    def _found(self) -> str:
        """Return what the self-test found below the error, empty where it has not run."""
        return f"\n\n{self._selftest.report}" if self._selftest is not None and self._selftest.report else ""

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{about.report()}\n\n{self._text.rstrip()}{self._found()}")


class CrashReporter(QObject):
    """Take errors from Qt slots, threads and asyncio; log them and show one dialog at a time.

    ``parent_window`` names the window to open above, ``selftest`` what its dialog can run;
    ``install`` hooks in, ``remove`` puts back.
    """

    _reported = Signal(str)

    def __init__(
        self,
        log_folder: Path | None = None,
        parent_window: Callable[[], QWidget | None] = lambda: None,
        selftest: SelfTestFlow | None = None,
    ) -> None:
        super().__init__()
        self._selftest = selftest
        self._log_folder = log_folder
        self._parent_window = parent_window
        self._previous: tuple[Any, Any] | None = None
        self.dialog: CrashDialog | None = None
        self._showing = False
        # Queued: an error inside paintEvent must not open a window from there.
        self._reported.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Catch what reaches sys.excepthook and threading.excepthook."""
        self._previous = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread

    def remove(self) -> None:
        """Put the hooks back."""
        if self._previous is not None:
            sys.excepthook, threading.excepthook = self._previous
            self._previous = None

    def on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take an error of a task: give this to ``loop.set_exception_handler``."""
        error = context.get("exception")
        words = str(context.get("message", ""))
        if isinstance(error, BaseException):
            words += "\n" + "".join(traceback.format_exception(error))
        self.report_crash(words)

    def report_crash(self, text: str) -> None:
        """Log an error and show it; may be called from any thread."""
        log.error("unforeseen error: %s", text)
        self._reported.emit(text[:_MOST_CHARACTERS])

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt | SystemExit):
            sys.__excepthook__(kind, error, trace)
            return
        self.report_crash("".join(traceback.format_exception(kind, error, trace)))

    def _on_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_type is SystemExit:
            return
        name = args.thread.name if args.thread is not None else "?"
        trace = "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
        self.report_crash(f"in thread {name}\n{trace}")

    @Slot(str)
    def _show(self, text: str) -> None:
        if self._showing:
            return  # an error while showing an error is in the log
        self._showing = True
        try:
            if self.dialog is not None:
                self.dialog.add_error(text)
                return
            self.dialog = CrashDialog(text, self._log_folder, self._parent_window(), self._selftest)
            self.dialog.finished.connect(self._forget)
            self.dialog.open()
        except RuntimeError:
            log.exception("the crash dialog could not be shown")
        finally:
            self._showing = False

    @Slot()
    def _forget(self) -> None:
        self.dialog = None
