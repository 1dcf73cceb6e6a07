"""The whole desk moves onto a real database server and keeps the password to itself."""

from __future__ import annotations

import logging

import keyring
import pytest
from PySide6.QtWidgets import QPushButton

from quantdesk.app.desk import Desk
from quantdesk.store.address import StoreAddress
from quantdesk.store.opening import open_reader
from quantdesk.ui.copy_dialog import CopiedDialog
from tests.app.driven import drive, reached, settings_of
from tests.store.keyrings import MemoryKeyring

from .stores import LEG, opened, over, said, seeded
from .test_storage import _nobody_else_here, memory

__all__ = ["_nobody_else_here", "memory"]


def test_the_market_moves_to_a_server_whose_password_is_in_the_keyring_alone(
    qapp, place, nowhere, timescale_address: StoreAddress, memory: MemoryKeyring, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    data, secret = place / "data", timescale_address.password

    async def act(desk: Desk) -> None:
        dialog = opened(desk)
        dialog.propose(timescale_address)
        dialog.store.test.click()
        await reached(lambda: over(dialog), "the answer")
        assert dialog.store.outcome.level == "ok", said(dialog)
        assert "PostgreSQL 17" in said(dialog) and "made when you use it" in said(dialog)
        dialog.store.use.click()
        await reached(lambda: "from now on" in said(dialog), "the change")
        assert dialog.store.outcome.level == "ok", said(dialog)
        await reached(lambda: desk.feeding.session.address.url == timescale_address.url, "the other session")
        await reached(lambda: "PostgreSQL" in dialog.facts.head.text(), "its facts")
        assert dialog.facts.fact("Place") == timescale_address.words
        await reached(lambda: "TimescaleDB" in desk.window.status.store_kind.text(), "the status bar")
        assert not dialog.limits.compress.isEnabled(), "Debian has the Apache edition"
        dialog.limits.days.setValue(45)
        dialog.limits.apply.click()
        await reached(lambda: dialog.limits.said.text() != "", "the answer")
        assert "count from now on" in dialog.limits.said.text()
        dialog.ask_facts()
        await reached(dialog.refresh.isEnabled, "the facts again")
        assert dialog.limits.days.value() == 45

    async def again(desk: Desk) -> None:
        await reached(lambda: "TimescaleDB" in desk.window.status.store_kind.text(), "the status bar")
        assert desk.feeding.session.address.password is None

    drive(qapp, nowhere, act, "--data-dir", data)
    assert settings_of(data)["database"] == timescale_address.url
    assert settings_of(data)["keep_ticks_days"] == 0, "a server's limits are its own"
    if secret:
        assert memory.held == {("quantdesk", timescale_address.words): secret}
        files = [p.read_bytes() for p in data.rglob("*") if p.is_file()]
        assert not [part for part in files if secret.encode() in part] and secret not in caplog.text
    assert keyring.get_keyring() is memory
    drive(qapp, nowhere, again, "--data-dir", data)


def test_what_is_here_is_copied_to_the_server_which_is_then_proposed(
    qapp, place, nowhere, timescale_address: StoreAddress
) -> None:
    held = seeded(place / "data" / "quantdesk.sqlite")

    async def act(desk: Desk) -> None:
        await reached(lambda: desk.feeding.session.writer is not None, "the store")
        desk.window.storage.show_copy(None, timescale_address)
        dialog = desk.window.storage.copying
        assert dialog is not None
        dialog.copy.click()
        await reached(lambda: desk.window.prompts.dialog("copied") is not None, "the report")
        report = desk.window.prompts.dialog("copied")
        assert isinstance(report, CopiedDialog)
        (use,) = [b for b in report.findChildren(QPushButton) if b.text() == "&Use the new store…"]
        use.click()
        proposed = desk.window.storage.dialog
        assert proposed is not None and proposed.fields.address().url == timescale_address.url
        proposed.store.use.click()
        await reached(lambda: "from now on" in said(proposed), "the change")

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    reader = open_reader(timescale_address)
    try:
        assert [i for block in reader.load_ticks(LEG) for i in block.agg_id.tolist()] == held
    finally:
        reader.close()
