"""Open files and export what is on screen, beside the screen's thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QImage

from quantdesk.model.files import FilesModel
from quantdesk.model.jobs import JobRunner
from quantdesk.model.pair import PairModel

if TYPE_CHECKING:
    from quantdesk.app.feeding import Feeding
    from quantdesk.store.files import LoadedFile
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.progress import Progress

log = logging.getLogger(__name__)

#: A pair has two legs.
MOST_FILES = 2


class FileOpener(QObject):
    """Read files in the pool, with progress and Cancel; all of them open, or none."""

    def __init__(
        self, window: MainWindow, jobs: JobRunner, files: FilesModel, pair: PairModel, feeding: Feeding
    ) -> None:
        super().__init__()
        self._window, self._jobs, self._files, self._pair, self._feeding = window, jobs, files, pair, feeding
        self.problem = ""
        self.quiet = False  #: no dialog: the caller reads ``problem``
        window.open_files_requested.connect(self.open)

    @property
    def busy(self) -> bool:
        """Return whether files are being read."""
        return self._jobs.busy("open files")

    @Slot(list, bool)
    def open(self, paths: Sequence[Path], skip_bad_rows: bool) -> None:
        """Read the files; show them when all are read, or say which could not be and why."""
        wanted = [Path(path) for path in paths]
        if len(wanted) > MOST_FILES:
            words = self.tr("One file fills a leg, two make a pair: {0} were given.").format(len(wanted))
            self._window.toast(self.tr("Nothing opened"), words, "warning")
            return
        names = ", ".join(path.name for path in wanted)
        progress = self._window.start_progress(self.tr("Reading {0}").format(names))

        def read() -> list[LoadedFile]:
            from quantdesk.store.files import read_file

            loaded = []
            for done, path in enumerate(wanted):

                def advance(part: float, done: int = done) -> None:
                    progress.advance((done + part) / len(wanted))

                loaded.append(
                    read_file(path, skip_bad_rows=skip_bad_rows, progress=advance, cancelled=progress.is_cancelled)
                )
            return loaded

        self._jobs.submit(
            "open files",
            read,
            lambda loaded: self._on_read(loaded, progress),
            lambda error: self._on_failed(wanted, error, progress),
        )

    def _on_read(self, loaded: Sequence[LoadedFile], progress: Progress) -> None:
        progress.finish()
        self.problem = ""
        if len(loaded) > 1:
            self._files.clear()
        for one in loaded:
            notes = self._files.add(one)
            self._window.show_opened(one.report, notes)
        self._feeding.show_files(self._files.settings(self._pair.settings))

    def _on_failed(self, paths: Sequence[Path], error: Exception, progress: Progress) -> None:
        from quantdesk.store.files import Cancelled, FileError

        progress.finish()
        if isinstance(error, Cancelled):
            return
        if not isinstance(error, FileError | OSError):
            raise error
        self.problem = str(error)
        if self.quiet:
            return
        self._window.show_open_failed(paths, self.problem, can_skip=isinstance(error, FileError))


class Exporter(QObject):
    """Write the bars on screen as CSV, the panels as a picture and the pair's report, whole or not at all."""

    def __init__(self, window: MainWindow, jobs: JobRunner, pair: PairModel) -> None:
        super().__init__()
        self._window, self._jobs, self._pair = window, jobs, pair
        window.export_csv_requested.connect(self._export_csv)
        window.export_picture_requested.connect(self._export_picture)
        window.report_requested.connect(self._write_report)

    @Slot(object, bool)
    def _export_csv(self, path: Path, everything: bool) -> None:
        frame = self._pair.frame
        if frame is None or not len(frame.times):
            self._window.toast(self.tr("Nothing to export"), self.tr("There are no closed bars yet."), "warning")
            return
        span = None if everything else self._window.charts.visible_range()
        start, end = span if span is not None else (None, None)
        indicators = self._window.indicators.drawn()
        candles = self._window.spread.bars.latest

        def write() -> int:
            from quantdesk.model.export import on_screen_table
            from quantdesk.store.csv_out import write_table

            header, columns = on_screen_table(frame, start, end, indicators, candles)
            return write_table(path, header, [columns])

        self._jobs.submit(f"export {path}", write, lambda rows: self._on_written(path, rows), self._on_failed)

    @Slot(object, object)
    def _export_picture(self, path: Path, picture: QImage) -> None:
        def write() -> None:
            save_png(path, picture)

        self._jobs.submit(f"export {path}", write, lambda _: self._on_written(path, None), self._on_failed)

    @Slot(object)
    def _write_report(self, path: Path) -> None:
        order, frame = self._pair.order(), self._pair.frame
        if order is None or frame is None or frame.observations == 0:
            self._window.toast(self.tr("No report"), self.tr("No bar of both legs is closed yet."), "warning")
            return
        progress = self._window.start_progress(self.tr("Writing the report {0}").format(path.name))
        progress.describe(self.tr("computing every test"))
        # What is being computed cannot be broken off: it ends, and then nothing is written.
        progress.cancelled.connect(lambda: progress.describe(self.tr("stopping: nothing will be written")))

        def write() -> bool:
            from quantdesk.model.report import origin_word, pair_analysis
            from quantdesk.reports.page import write_report

            analysis = pair_analysis(order)
            if progress.is_cancelled():
                return False
            write_report(path, analysis, origin=origin_word(order.origin))
            return True

        def done(written: bool) -> None:
            progress.finish()
            if written:
                words = self.tr("{0}\nClick to open it").format(path)
                self._window.toast(self.tr("Report saved"), words, "ok", lambda: self._open(path))
            else:
                self._window.toast(self.tr("No report"), self.tr("Cancelled: nothing was written."))

        def failed(error: Exception) -> None:
            progress.finish()
            self._on_failed(error)

        self._jobs.submit(f"report {path}", write, done, failed)

    def _open(self, path: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            words = self.tr("No program shows HTML here. The report is {0}").format(path)
            self._window.toast(self.tr("Not opened"), words, "warning")

    def _on_written(self, path: Path, rows: int | None) -> None:
        words = str(path) if rows is None else self.tr("{0:,} rows in {1}").format(rows, path)
        self._window.toast(self.tr("Exported"), words, "ok")

    def _on_failed(self, error: Exception) -> None:
        log.warning("export failed: %s", error)
        self._window.toast(self.tr("Not exported"), str(error), "error")


def save_png(path: Path, picture: QImage) -> None:
    """Write a PNG to a temporary name beside its place and move it there. Raises ExportError in words."""
    from quantdesk.store.csv_out import ExportError, whole_file

    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not picture.save(buffer, "PNG"):  # type: ignore[call-overload]  # the stubs know only file names
        raise ExportError("there is no picture to write")
    with whole_file(path) as out:
        out.write(data.data())
