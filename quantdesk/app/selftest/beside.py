"""Run the self-test beside the desk, in a process of its own, and tell the dialogs what it finds."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Slot

from quantdesk.ui.self_test import SelfTestFlow

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

# The rest is imported when a test is asked for: the desk's start is a promise.

_LOOK_MS = 200
#: So long (ms) a process that was killed may take to be gone.
_GONE_MS = 3_000
_MOST_CHARACTERS = 60_000


class SelfTest(QObject):
    """Serve one window's self-test; ``stop`` leaves nothing running and nothing on the disk."""

    def __init__(self, flow: SelfTestFlow, args: argparse.Namespace) -> None:
        super().__init__()
        self._flow, self._args = flow, args
        self._process: QProcess | None = None
        self._folder: TemporaryDirectory[str] | None = None
        self._cancelled = self._stopped = False
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)
        flow.run_requested.connect(self._on_run)
        flow.cancel_requested.connect(self._on_cancel)

    def stop(self) -> None:
        """End a run that is going on, without a word."""
        self._stopped = True
        process = self._process
        if process is not None:
            self._process = None
            process.finished.disconnect(self._on_finished)
            process.errorOccurred.disconnect(self._on_error)
            process.kill()
            process.waitForFinished(_GONE_MS)
        self._clear()

    @Slot()
    def _on_run(self) -> None:
        if self._process is not None or self._stopped:
            return
        from tempfile import TemporaryDirectory

        from quantdesk.app.selftest.itself import command

        self._cancelled = False
        try:
            self._folder = TemporaryDirectory(prefix="quantdesk-", ignore_cleanup_errors=True)
        except OSError as error:
            self._flow.show_end("", self.tr("No self-test: {0}").format(error.strerror or error))
            return
        process = self._process = QProcess(self)
        process.setProcessEnvironment(self._environment(self._folder.name))
        # Read from a file: a windowed program has no output on Windows.
        process.setStandardOutputFile(QProcess.nullDevice())
        process.setStandardErrorFile(str(self._said))
        program, *words = command(self._args)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        process.start(program, [*words, "--selftest", "--report", str(self._report)])
        self._timer.start()

    def _environment(self, folder: str) -> QProcessEnvironment:
        from quantdesk.app.selftest.itself import environment

        found = QProcessEnvironment()
        # What it makes lies in our folder: a run that is killed cannot tidy up.
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder)
        for name, value in {**environment(self._args, os.environ), **temporary}.items():
            found.insert(name, value)
        return found

    @property
    def _report(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name, "report.txt")

    @property
    def _said(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name, "said.txt")

    @Slot()
    def _look(self) -> None:
        if self._process is None:
            return
        from quantdesk.app.selftest.plan import CHECKS

        text = _text_of(self._report)
        done = _rows_in(text)
        words = self.tr("Self-test: {0} of {1} checks done").format(done, len(CHECKS))
        self._flow.show_progress(text, words, done / len(CHECKS))

    @Slot()
    def _on_cancel(self) -> None:
        if self._process is not None:
            self._cancelled = True
            self._process.kill()

    @Slot(int, QProcess.ExitStatus)
    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        text = _text_of(self._report).rstrip()
        if self._cancelled:
            words = self.tr("The self-test was cancelled.")
        elif status is QProcess.ExitStatus.CrashExit or code not in (0, 1) or "\n\n" not in text:
            said = _text_of(self._said).strip().splitlines()
            words = self.tr("The self-test ended early ({0}).").format(said[-1] if said else code)
        else:
            words = self.tr("Self-test: {0}.").format(text.splitlines()[-1])
        self._end(text, words)

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._end("", self.tr("The self-test did not start: {0}.").format(self._process.errorString()))

    def _end(self, text: str, words: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        self._clear()
        self._flow.show_end(f"{text}\n\n{words}" if self._cancelled and text else text, words)

    def _clear(self) -> None:
        self._timer.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[:_MOST_CHARACTERS]
    except OSError:
        return ""


def _rows_in(text: str) -> int:
    from quantdesk.app.selftest.findings import Result

    starts = tuple(f"{result} " for result in Result)
    return sum(line.startswith(starts) for line in text.splitlines())
