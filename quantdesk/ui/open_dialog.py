"""Tell how the opening of files went: why it failed, or what was found in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QWidget

from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.theme_tokens import Tokens

if TYPE_CHECKING:
    from quantdesk.store.files import LoadReport

MOST_FILES = 2


def file_chooser(folder: str, parent: QWidget) -> QFileDialog:
    """Make the dialog that picks one or two files to open."""
    dialog = QFileDialog(parent)
    dialog.setWindowTitle(dialog.tr("Open one file, or two for a pair"))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    if folder and Path(folder).is_dir():
        dialog.setDirectory(folder)
    dialog.setNameFilters(
        [dialog.tr("Bars and trades (*.csv *.txt *.zip *.gz *.ndjson *.jsonl)"), dialog.tr("All files (*)")]
    )
    return dialog


def recording_chooser(folder: str, parent: QWidget) -> QFileDialog:
    """Make the dialog that picks a recorded file to replay."""
    dialog = QFileDialog(parent)
    dialog.setWindowTitle(dialog.tr("Replay a recording"))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    if folder and Path(folder).is_dir():
        dialog.setDirectory(folder)
    dialog.setNameFilters(
        [dialog.tr("Recordings (*.txt *.gz *.ndjson *.jsonl *.csv *.log)"), dialog.tr("All files (*)")]
    )
    return dialog


def save_chooser(title: str, suffix: str, name: str, folder: str, parent: QWidget) -> QFileDialog:
    """Make the dialog that names a file to save; it asks before an existing one is replaced."""
    dialog = QFileDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setDefaultSuffix(suffix)
    dialog.setNameFilters([f"{suffix.upper()} (*.{suffix})", dialog.tr("All files (*)")])
    if folder and Path(folder).is_dir():
        dialog.setDirectory(folder)
    dialog.selectFile(name)
    return dialog


class OpenFailedDialog(DeskDialog):
    """Say why nothing was opened; ``skip_wanted`` if the user accepts losing the bad rows."""

    skip_wanted = Signal()

    def __init__(
        self, paths: Sequence[Path], error: str, tokens: Tokens, parent: QWidget | None, *, can_skip: bool = True
    ) -> None:
        super().__init__(self.tr("Nothing was opened"), parent, width=480)
        names = ", ".join(path.name for path in paths)
        self.add_heading(self.tr("{0} could not be opened.").format(names), "error", tokens.error)
        self.add_text(error)
        if can_skip:
            self.add_text(
                self.tr("Rows that hold no price or time can be left out; the report then names them."), dim=True
            )
            skip = self.buttons.addButton(self.tr("Open, skipping bad rows"), QDialogButtonBox.ButtonRole.ActionRole)
            skip.setAutoDefault(False)
            skip.clicked.connect(self._skip)
        close = self.buttons.addButton(QDialogButtonBox.StandardButton.Close)
        close.setDefault(True)
        self.add_buttons()
        close.setFocus()

    def _skip(self) -> None:
        self.accept()
        self.skip_wanted.emit()


class OpenReportDialog(DeskDialog):
    """Show in full what reading a file found."""

    def __init__(self, report: LoadReport, parent: QWidget | None) -> None:
        super().__init__(self.tr("Report of {0}").format(report.path.name), parent, width=560)
        self.add_heading(report.summary())
        self.add_details("\n".join(report_lines(report)), self.tr("Details of the report"))
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close)
        self.add_buttons()


def report_lines(report: LoadReport) -> list[str]:
    """Return the report as lines of text."""
    lines = [
        f"file          {report.path}",
        f"kind          {report.kind}",
        f"rows          {report.rows}",
        f"duplicates    {report.duplicates}",
        f"out of order  {report.out_of_order}",
        f"gaps          {report.gaps}",
        *(f"note          {note}" for note in report.notes),
    ]
    return lines + [f"line {line}: {reason}" for line, reason in report.bad_rows]
