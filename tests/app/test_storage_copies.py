"""Stores are copied beside the running desk, can be stopped and go on, and quitting waits for them."""

from __future__ import annotations

from quantdesk.app.desk import Desk
from quantdesk.store.address import file_address
from quantdesk.ui.copy_dialog import CopiedDialog
from tests.app.driven import drive, reached

from .stores import ids, seeded


def report(desk: Desk) -> CopiedDialog | None:
    found = desk.window.prompts.dialog("copied")
    return found if isinstance(found, CopiedDialog) else None


def test_the_store_in_use_is_copied_beside_the_recording(qapp, place, nowhere) -> None:
    source, target = place / "data" / "quantdesk.sqlite", place / "new" / "copy.sqlite"
    held = seeded(source)

    async def act(desk: Desk) -> None:
        await reached(lambda: desk.feeding.session.writer is not None, "the store")
        desk.window.registry["data.copy_store"].trigger()
        dialog = desk.window.storage.copying
        assert dialog is not None and dialog.source.currentText() == str(source)
        dialog.fields.file_choice.setChecked(True)
        dialog.fields.file.setText(str(target))
        dialog.copy.click()
        await reached(lambda: report(desk) is not None, "the report")

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    assert ids(target) == held == ids(source)


def test_a_copy_into_the_file_in_use_or_from_nowhere_is_refused_in_words(qapp, place, nowhere) -> None:
    async def act(desk: Desk) -> None:
        await reached(lambda: desk.feeding.session.writer is not None, "the store")
        toasts, flow = desk.window.toasts, desk.window.storage
        flow.copy_requested.emit(file_address(place / "a.sqlite"), desk.feeding.session.address)
        assert "use another store first" in toasts.toasts[-1].accessibleName()
        flow.copy_requested.emit(file_address(place / "a.sqlite"), file_address(place / "b.sqlite"))
        await reached(lambda: "no store at" in toasts.toasts[-1].accessibleName(), "the refusal")
        await reached(lambda: desk.storage._copying is None, "its end")

    drive(qapp, nowhere, act, "--data-dir", place / "data")


def test_a_copy_can_be_stopped_and_goes_on(qapp, place, nowhere, monkeypatch) -> None:
    source, target = place / "big.sqlite", place / "copy.sqlite"
    held = seeded(source, 20_000)
    monkeypatch.setattr("quantdesk.ui.progress.APPEARS_AFTER_MS", 0)

    async def act(desk: Desk) -> None:
        addresses = file_address(source), file_address(target)
        desk.window.storage.copy_requested.emit(*addresses)
        await reached(lambda: desk.storage._copying is not None, "the copy")
        progress = desk.storage._copying
        assert progress is not None
        progress.cancel()
        await reached(lambda: desk.storage._copying is None, "its end")
        assert "stopped" in desk.window.toasts.toasts[-1].accessibleName()
        desk.window.storage.copy_requested.emit(*addresses)
        await reached(lambda: report(desk) is not None, "the report")

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    assert ids(target) == held


def test_quitting_in_the_middle_of_a_copy_waits_for_its_thread(qapp, place, nowhere) -> None:
    seeded(place / "big.sqlite", 20_000)

    async def act(desk: Desk) -> None:
        desk.window.storage.copy_requested.emit(file_address(place / "big.sqlite"), file_address(place / "copy.sqlite"))
        await reached(lambda: desk.storage._copying is not None, "the copy")

    drive(qapp, nowhere, act, "--data-dir", place / "data")
