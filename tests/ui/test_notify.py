"""A desktop without a notification service is no error."""

from __future__ import annotations

import pytest

from quantdesk.ui.notify import DesktopPopups


async def test_where_no_desktop_answers_it_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    popups = DesktopPopups()
    assert not await popups.send("z +2.13", "BTCUSDT / ETHUSDT")
    assert popups.problem.startswith("no desktop popup") and "\n" not in popups.problem
