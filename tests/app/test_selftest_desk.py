"""The desk's own window runs the self-test, and leaves in the middle of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QApplication

from quantdesk.app.desk import Desk
from quantdesk.config import Endpoints
from quantdesk.ui.about import AboutDialog
from tests.app.driven import drive, reached
from tests.app.test_selftest_beside import programs
from tests.program.desks import dead_port, until


def test_about_runs_it_and_the_desk_can_be_closed_meanwhile(qapp: QApplication, tmp_path: Path, monkeypatch) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))

    async def use(desk: Desk) -> None:
        desk.window.registry["help.about"].trigger()
        dialog = desk.window.prompts.dialog("about")
        assert isinstance(dialog, AboutDialog)
        dialog.selftest.button.click()
        await reached(lambda: desk.window.selftest.share > 0, "the first row")
        assert "ok       program" in dialog.details.toPlainText()
        desk.crashes._show("Boom: here")
        assert desk.crashes.dialog is not None
        await reached(lambda: "ok       program" in desk.crashes.dialog.details.toPlainText(), "the row in the error")
        assert programs(place) > 0

    with dead_port() as port:
        nowhere = Endpoints(f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{port}", "a market")
        drive(qapp, nowhere, use, "--data-dir", tmp_path / "data")
    until(lambda: not programs(place), "the self-test to leave with the desk")
    assert list(place.iterdir()) == []
