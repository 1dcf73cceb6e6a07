"""Bring the Data window to the desk: what the store holds, downloads, imports, exports, deletions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout

from quantdesk.ui.progress import Progress, ProgressStrip
from quantdesk.ui.theme_tokens import Tokens

if TYPE_CHECKING:
    from quantdesk.store.deletion import DropCount, DropOrder
    from quantdesk.store.holdings import Holding, Holdings
    from quantdesk.ui.delete_dialog import DeleteDialog
    from quantdesk.ui.holdings_dialog import HoldingsDialog
    from quantdesk.ui.main_window import MainWindow


@dataclass(frozen=True, slots=True)
class DownloadChoices:
    """Say what a download dialog begins with: symbols, today (UTC) by the exchange, the archive's address."""

    symbols: tuple[str, ...]
    today: date
    archive: str


class HoldingsFlow(QObject):
    """Own the Data window and the strip of its tasks; what needs disk or network leaves by signal.

    ``look_requested`` asks for the holdings; the others carry a DownloadOrder, [Path], an ExportOrder, a
    DropOrder to count and one to carry out.
    """

    look_requested = Signal()
    look_cancelled = Signal()
    download_requested = Signal(object)
    import_requested = Signal(list)
    export_requested = Signal(object)
    count_requested = Signal(object)
    delete_requested = Signal(object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.strip = ProgressStrip(window)
        self.dialog: HoldingsDialog | None = None
        self.choices: Callable[[], DownloadChoices] | None = None
        self._take_strip_back()
        window.registry["data.holdings"].triggered.connect(lambda: self.show())  # noqa: PLW0108  # without the flag
        window.registry["data.download"].triggered.connect(lambda: self.show_download())  # noqa: PLW0108

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour what is open for the theme."""
        if self.dialog is not None:
            self.dialog.set_tokens(tokens)

    def show(self) -> None:
        """Open the Data window, or bring it to the front."""
        from quantdesk.ui.holdings_dialog import HoldingsDialog

        if self.dialog is None:
            dialog = self.dialog = HoldingsDialog(self.strip, self._window.theme.tokens, self._window)
            dialog.refresh_requested.connect(self.look_requested)
            dialog.cancel_requested.connect(self.look_cancelled)
            dialog.download_wanted.connect(self.show_download)
            dialog.import_wanted.connect(self.show_import)
            dialog.export_wanted.connect(self.show_export)
            dialog.delete_wanted.connect(self.show_delete)
            dialog.finished.connect(self._on_closed)
            dialog.show()
            dialog.ask()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def start_progress(self, text: str) -> Progress:
        """Follow a task: in the Data window while it is open, else in the desk's."""
        return self.strip.start(text)

    # -- dialogs -------------------------------------------------------------------------------

    @Slot()
    def show_download(self) -> None:
        """Ask which history to download."""
        from quantdesk.ui.download_dialog import DownloadDialog

        pair = self._window.pair.settings
        chosen = self.choices() if self.choices is not None else None
        if chosen is None:
            chosen = DownloadChoices((pair.y, pair.x), datetime.now(UTC).date(), "")
        dialog = DownloadDialog(chosen.symbols, chosen.today, chosen.archive, self.dialog or self._window)
        dialog.download_requested.connect(self.download_requested)
        self._window.prompts.show_dialog("download", dialog)

    @Slot()
    def show_import(self) -> None:
        """Ask which files to put into the store."""
        from quantdesk.ui.open_dialog import file_chooser

        dialog = file_chooser(self._window.store.settings.last_folder, self._window)
        dialog.setWindowTitle(self.tr("Import files into the store"))
        dialog.filesSelected.connect(self._on_files)
        self._window.prompts.show_dialog("import", dialog)

    @Slot(list)
    def _on_files(self, names: Sequence[str]) -> None:
        paths = [Path(name) for name in names]
        self._window.store.settings.last_folder = str(paths[0].parent)
        self.import_requested.emit(paths)

    @Slot(object)
    def show_export(self, holding: Holding) -> None:
        """Ask for span and file."""
        from quantdesk.ui.export_dialog import ExportDialog

        dialog = ExportDialog(holding, self.dialog or self._window)
        dialog.span_chosen.connect(lambda start, end: self._choose_file(holding, start, end))
        self._window.prompts.show_dialog("export_held", dialog)

    def _choose_file(self, holding: Holding, start: int | None, end: int | None) -> None:
        from quantdesk.store.holdings import ExportOrder
        from quantdesk.ui.export_dialog import suggested_name
        from quantdesk.ui.open_dialog import save_chooser

        settings = self._window.store.settings
        title = self.tr("Export to a CSV file")
        chooser = save_chooser(title, "csv", suggested_name(holding), settings.last_folder, self._window)

        def chosen(name: str) -> None:
            settings.last_folder = str(Path(name).parent)
            self.export_requested.emit(
                ExportOrder(holding.instrument, holding.kind, holding.interval, start, end, Path(name))
            )

        chooser.fileSelected.connect(chosen)
        self._window.prompts.show_dialog("export_file", chooser)

    @Slot(object)
    def show_delete(self, holding: Holding) -> None:
        """Ask what is to go."""
        from quantdesk.ui.delete_dialog import DeleteDialog

        dialog = DeleteDialog(holding, self._window.theme.tokens, self.dialog or self._window)
        dialog.count_requested.connect(self.count_requested)
        dialog.delete_requested.connect(self.delete_requested)
        self._window.prompts.show_dialog("delete", dialog)

    @property
    def deleting(self) -> DeleteDialog | None:
        """Return the dialog that asks what is to go while it is open."""
        from quantdesk.ui.delete_dialog import DeleteDialog

        found = self._window.prompts.dialog("delete")
        return found if isinstance(found, DeleteDialog) else None

    # -- answers -------------------------------------------------------------------------------

    def show_holdings(self, found: Holdings) -> None:
        """Show what is held, if the window is open."""
        if self.dialog is not None:
            self.dialog.show_holdings(found)

    def show_problem(self, words: str) -> None:
        """Say why it could not be read, if the window is open."""
        if self.dialog is not None:
            self.dialog.show_problem(words)

    @Slot(float, str)
    def show_looking(self, done: float, words: str) -> None:
        """Say how far the look is, if the window is open."""
        if self.dialog is not None:
            self.dialog.show_progress(done, words)

    def show_count(self, order: DropOrder, count: DropCount | None, problem: str = "") -> None:
        """Say what would be deleted, or why it may not."""
        dialog = self.deleting
        if dialog is not None and count is not None:
            dialog.show_count(order, count)
        elif dialog is not None:
            dialog.show_problem(order, problem)

    @Slot()
    def look_again(self) -> None:
        """Read the store anew, if the window is open."""
        if self.dialog is not None:
            self.dialog.ask()

    @Slot()
    def _on_closed(self) -> None:
        self._take_strip_back()
        self.dialog = None
        self.look_cancelled.emit()

    def _take_strip_back(self) -> None:
        """Show the running tasks in the desk's window."""
        central = self._window.centralWidget()
        column = central.layout() if central is not None else None
        if isinstance(column, QVBoxLayout):
            column.insertWidget(2, self.strip)
