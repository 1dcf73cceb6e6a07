"""Open the window's dialogs and pass on what the user chose in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QWidget

from quantdesk.model.frame import PairSettings
from quantdesk.types import SymbolInfo
from quantdesk.ui.dialogs import CloseQuestion
from quantdesk.ui.open_dialog import OpenFailedDialog, OpenReportDialog, file_chooser, save_chooser
from quantdesk.ui.theme_tokens import Tokens

if TYPE_CHECKING:
    from quantdesk.store.files import LoadReport
    from quantdesk.ui.symbol_search import SymbolSearchDialog


class Prompts(QObject):
    """Own at most one dialog of each kind; every one is opened, none is executed."""

    files_chosen = Signal(list, bool)  # [Path], skip bad rows
    csv_chosen = Signal(object, bool)  # Path, all bars
    picture_chosen = Signal(object)  # Path
    report_chosen = Signal(object)  # Path
    symbol_chosen = Signal(str)
    symbols_wanted = Signal()
    pair_chosen = Signal(object)  # PairSettings
    close_chosen = Signal(str, bool)  # tray | quit, ask no more

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._opened: dict[str, QDialog] = {}

    def dialog(self, name: str) -> QDialog | None:
        """Return the open dialog of a kind."""
        return self._opened.get(name)

    def choose_files(self, folder: str) -> None:
        """Ask which files to open."""
        dialog = file_chooser(folder, self._window)
        dialog.filesSelected.connect(lambda names: self.files_chosen.emit([Path(n) for n in names], False))
        self._open("open", dialog)

    def choose_csv(self, name: str, folder: str, *, everything: bool) -> None:
        """Ask where to write the bars."""
        title = self.tr("Export all bars") if everything else self.tr("Export the visible range")
        dialog = save_chooser(title, "csv", name, folder, self._window)
        dialog.fileSelected.connect(lambda chosen: self.csv_chosen.emit(Path(chosen), everything))
        self._open("csv", dialog)

    def choose_picture(self, name: str, folder: str) -> None:
        """Ask where to write the picture."""
        dialog = save_chooser(self.tr("Export the picture"), "png", name, folder, self._window)
        dialog.fileSelected.connect(lambda chosen: self.picture_chosen.emit(Path(chosen)))
        self._open("picture", dialog)

    def choose_report(self, name: str, folder: str) -> None:
        """Ask where to write the report."""
        dialog = save_chooser(self.tr("Save the report"), "html", name, folder, self._window)
        dialog.fileSelected.connect(lambda chosen: self.report_chosen.emit(Path(chosen)))
        self._open("report_file", dialog)

    def search_symbol(self, held: Sequence[str], typed: str = "", then: Callable[[str], object] | None = None) -> None:
        """Ask for a symbol to stream, with what was typed of it so far; ``then`` comes after it was asked for."""
        from quantdesk.ui.symbol_search import SymbolSearchDialog

        dialog = SymbolSearchDialog(held, self._window)
        dialog.symbol_chosen.connect(self.symbol_chosen)
        if then is not None:
            dialog.symbol_chosen.connect(then)
        dialog.typed.setText(typed)
        self._open("symbol", dialog)
        self.symbols_wanted.emit()

    def show_symbols_info(self, infos: Sequence[SymbolInfo]) -> None:
        """Fill the open symbol search."""
        dialog = self._symbol_search()
        if dialog is not None:
            dialog.set_symbols_info(infos)

    def show_symbols_problem(self, text: str) -> None:
        """Say in the open symbol search why it has no list."""
        dialog = self._symbol_search()
        if dialog is not None:
            dialog.show_problem(text)

    def edit_pair(self, settings: PairSettings) -> None:
        """Ask for windows and refit schedule."""
        from quantdesk.ui.pair_settings import PairSettingsDialog

        dialog = PairSettingsDialog(settings, self._window)
        dialog.chosen.connect(self.pair_chosen)
        self._open("pair", dialog)

    def ask_close(self, tokens: Tokens, *, tray: bool) -> None:
        """Ask what closing means."""
        dialog = CloseQuestion(tokens, tray=tray, parent=self._window)
        dialog.accepted.connect(lambda: self.close_chosen.emit(dialog.choice, dialog.ask_no_more.isChecked()))
        self._open("close", dialog)

    def show_open_failed(self, paths: Sequence[Path], error: str, tokens: Tokens, *, can_skip: bool) -> None:
        """Say why files did not open; offer to skip the bad rows."""
        dialog = OpenFailedDialog(paths, error, tokens, self._window, can_skip=can_skip)
        dialog.skip_wanted.connect(lambda: self.files_chosen.emit(list(paths), True))
        self._open("failed", dialog)

    def show_report(self, report: LoadReport) -> None:
        """Show the report of an opened file in full."""
        self._open("report", OpenReportDialog(report, self._window))

    def show_dialog(self, name: str, dialog: QDialog) -> None:
        """Open a dialog that asks nothing."""
        self._open(name, dialog)

    def _symbol_search(self) -> SymbolSearchDialog | None:
        from quantdesk.ui.symbol_search import SymbolSearchDialog

        dialog = self._opened.get("symbol")
        return dialog if isinstance(dialog, SymbolSearchDialog) else None

    def _open(self, name: str, dialog: QDialog) -> None:
        held = self._opened.get(name)
        if held is not None:
            # The one that stands there is what the user means; a second would hide it.
            dialog.deleteLater()
            held.raise_()
            held.activateWindow()
            return
        front = QApplication.activeWindow()
        if isinstance(front, QMainWindow) and front is not self._window and dialog.parentWidget() is self._window:
            # Asked for in a window beside this one: there it opens, and there the keyboard goes back to.
            dialog.setParent(front, dialog.windowFlags())
            dialog.destroyed.connect(lambda: self._forget(name, dialog))  # with a window that is taken away
        self._opened[name] = dialog
        dialog.finished.connect(lambda _result: self._forget(name, dialog))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _forget(self, name: str, dialog: QDialog) -> None:
        if self._opened.get(name) is dialog:
            del self._opened[name]
