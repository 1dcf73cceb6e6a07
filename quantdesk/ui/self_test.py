"""Offer the self-test in a dialog: a button that runs or cancels it, and how far it is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QDialogButtonBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from quantdesk.ui.dialogs import DeskDialog


class SelfTestFlow(QObject):
    """Ask the composition root for the self-test and remember what the last one found.

    ``report`` is the table so far, empty before the first run; ``words`` says in a line how far it is or
    how it ended.
    """

    run_requested = Signal()
    cancel_requested = Signal()
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.report = ""
        self.words = ""
        self.is_running = False
        self.share = 0.0

    def start(self) -> None:
        """Ask for a run, unless one is going on."""
        if self.is_running:
            return
        self.report, self.words = "", self.tr("The self-test is starting…")
        self.is_running, self.share = True, 0.0
        self.changed.emit()
        self.run_requested.emit()

    def show_progress(self, report: str, words: str, share: float) -> None:
        """Show what was found so far; ``share`` of all checks (0 to 1) is done."""
        self.report, self.words, self.share = report, words, share
        self.changed.emit()

    def show_end(self, report: str, words: str) -> None:
        """Show the whole report, or why there is none."""
        self.report, self.words = report, words
        self.is_running = False
        self.changed.emit()


class SelfTestRow(QWidget):
    """Put the button among a dialog's and progress above them."""

    def __init__(self, flow: SelfTestFlow, dialog: DeskDialog) -> None:
        super().__init__(dialog)
        self._flow = flow
        self._offer = self.tr("The self-test takes some seconds; where the desktop takes notifications, it sends one.")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        self.bar = QProgressBar(self)
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(140, 6)
        self.bar.setAccessibleName(self.tr("Progress of the self-test"))
        self.words: QLabel = dialog.words("")
        row.addWidget(self.bar)
        row.addWidget(self.words, 1)
        dialog.body.addWidget(self)
        self.button: QPushButton = dialog.buttons.addButton(
            self.tr("Run self-test"), QDialogButtonBox.ButtonRole.ActionRole
        )
        self.button.clicked.connect(self._on_clicked)
        flow.changed.connect(self._show)
        self._show()

    @Slot()
    def _on_clicked(self) -> None:
        if self._flow.is_running:
            self._flow.cancel_requested.emit()
        else:
            self._flow.start()

    @Slot()
    def _show(self) -> None:
        flow = self._flow
        self.bar.setVisible(flow.is_running)
        self.bar.setValue(round(100 * flow.share))
        self.words.setText(flow.words or self._offer)
        text = self.tr("Cancel self-test") if flow.is_running else self.tr("Run self-test")
        self.button.setText(text)
        self.button.setAccessibleName(text)
