"""File > Save report… writes the pair on screen as one page, live simulated and from files, or says why not."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from quantdesk.app.desk import Desk
from quantdesk.app.files import Exporter
from quantdesk.types import Origin
from quantdesk.ui.progress import Progress
from tests.app.driven import bars, drive, reached
from tests.program.desks import write_pair


def save(desk: Desk, path: Path) -> None:
    """Choose File > Save report… and name the file."""
    desk.window.registry["file.report"].trigger()
    dialog = desk.window.prompts.dialog("report_file")
    assert isinstance(dialog, QFileDialog) and dialog.defaultSuffix() == "html"
    dialog.fileSelected.emit(str(path))
    dialog.reject()


def told(desk: Desk) -> str:
    return " | ".join(toast.accessibleName() for toast in desk.window.toasts.toasts)


def test_files_on_screen_are_reported_self_contained_and_escaped(qapp, place, nowhere, monkeypatch) -> None:
    first, second = write_pair(place)
    odd = place / "a<b>&\"c'.csv" if os.name != "nt" else place / "a&b'c.csv"
    first.rename(odd)
    page, seen = place / "out" / "report.html", []
    page.parent.mkdir()
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: seen.append(url.toLocalFile()) or True)

    async def act(desk: Desk) -> None:
        desk.window.open_files_requested.emit([odd, second], False)
        await reached(lambda: desk.window.mode.origin is Origin.FILE and bars(desk) == 300, "the files")
        save(desk, page)
        assert desk.settings.settings.last_folder == str(page.parent)
        await reached(lambda: "Report saved" in told(desk), "the report")
        toast = next(t for t in desk.window.toasts.toasts if "Report saved" in t.accessibleName())
        toast.activated.emit()
        toast.leave()
        assert seen == [str(page)]

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    text = page.read_text("utf-8")
    assert "<b>&" not in text and "&amp;" in text
    assert '<span class="badge">FILE</span>' in text and "FILE: the bars come from opened files" in text
    assert "300 common bars" in text and "No partial bar had to be left out" in text
    assert not re.search(r"<script|<link|<img|(?:src|href)=|https?://", text)
    assert [path.name for path in page.parent.iterdir()] == ["report.html"], "no half a file is left"


def test_the_simulated_market_is_marked_on_the_page_and_the_evidence_is_that_of_the_desk(qapp, place, nowhere) -> None:
    page = place / "simulated.html"

    async def act(desk: Desk) -> None:
        await reached(lambda: bars(desk) > 60 and desk.pair.frame.origin is Origin.SIMULATED, "simulated bars")
        desk.window.pair_docks.evidence.show_dock()
        await reached(lambda: desk.pair.evidence is not None, "the tests")
        panel = desk.window.pair_docks.evidence.panel
        await reached(lambda: panel is not None and len(panel.rows.row_widgets()) >= 12, "the rows")
        for row in panel.rows.row_widgets():
            assert row.shown.sample.startswith("n = ") and row.shown.says
        assert panel.text().startswith("SIMULATED · ")
        save(desk, page)
        await reached(lambda: "Report saved" in told(desk), "the report")

    drive(qapp, nowhere, act, "--simulate", "--data-dir", place / "data")
    text = page.read_text("utf-8")
    assert '<span class="badge">SIMULATED</span>' in text and "made up by the simulated exchange" in text
    assert "Engle-Granger, y on x" in text and "KPSS" in text


def test_a_broken_target_and_a_pair_without_bars_are_said_in_words(qapp, place, nowhere) -> None:
    first, second = write_pair(place)
    folder = place / "no such folder"

    async def act(desk: Desk) -> None:
        desk.window.report_requested.emit(place / "early.html")
        assert "No report. No bar of both legs is closed yet." in told(desk)
        desk.window.open_files_requested.emit([first, second], False)
        await reached(lambda: bars(desk) == 300, "the files")
        save(desk, folder / "report.html")
        await reached(lambda: "Not exported" in told(desk), "the refusal")
        assert f"cannot write {folder / 'report.html'}" in told(desk)
        save(desk, place)
        await reached(lambda: "is a folder: name a file" in told(desk), "the refusal")

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    assert not folder.exists() and not (place / "early.html").exists()


def test_a_cancelled_report_writes_nothing_and_leaves_the_old_one(qapp, place, nowhere, monkeypatch) -> None:
    first, second = write_pair(place)
    page = place / "report.html"
    page.write_text("the old one", "utf-8")
    tasks: list[Progress] = []

    async def act(desk: Desk) -> None:
        desk.window.open_files_requested.emit([first, second], False)
        await reached(lambda: bars(desk) == 300, "the files")
        start = desk.window.start_progress
        monkeypatch.setattr(desk.window, "start_progress", lambda words: tasks.append(start(words)) or tasks[-1])
        save(desk, page)
        tasks[0].cancel()
        await reached(lambda: "Cancelled: nothing was written." in told(desk), "the end of it")

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    assert page.read_text("utf-8") == "the old one" and "report.html" in tasks[0].text


@pytest.mark.parametrize("shown", [True, False])
def test_a_report_that_no_program_shows_is_named(desktop_less, shown) -> None:
    desk, exporter = desktop_less(shown)
    exporter._open(Path("x.html"))
    assert [title for title, _ in desk] == ([] if shown else ["Not opened"])


@pytest.fixture
def desktop_less(monkeypatch):
    def make(shown: bool):
        said: list[tuple[str, str]] = []
        exporter = Exporter.__new__(Exporter)
        super(Exporter, exporter).__init__()
        exporter._window = type(
            "Window", (), {"toast": lambda _self, title, text, _level: said.append((title, text))}
        )()
        monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: shown)
        return said, exporter

    return make
