"""The connection is tried before it is used, made anew by it, and remembered without its password."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from PySide6.QtWidgets import QApplication

from quantdesk.app import connecting
from quantdesk.app.desk import Desk
from quantdesk.config import Endpoints
from quantdesk.feed.proxy import parse_proxy
from quantdesk.ui.connection_page import ConnectionPage
from tests.app.driven import drive, is_live, reached, settings_of
from tests.faults.http_proxy import HttpProxy
from tests.store.keyrings import MemoryKeyring

SECRET = "s3cret:/@wörd"
WS, REST = "ws://stream.exchange.test:80", "http://rest.exchange.test:80"


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    before, held = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(held)
    yield held
    keyring.set_keyring(before)
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)


def page_of(desk: Desk) -> ConnectionPage:
    desk.window.registry["file.settings"].trigger()
    dialog = desk.window.preferences.dialog
    assert dialog is not None
    page = dialog.findChild(ConnectionPage)
    dialog.show_page(dialog.stack.indexOf(page))
    return page


def fill(page: ConnectionPage, proxy: str) -> None:
    page.ws_url.setText(WS)
    page.rest_url.setText(REST)
    page.kind.setCurrentIndex(page.kind.findData("url"))
    page.kind.activated.emit(page.kind.currentIndex())
    page.url.setText(proxy)


async def said(page: ConnectionPage, words: str) -> None:
    try:
        await reached(lambda: words in page.outcome.text.text(), words)
    except pytest.fail.Exception:
        pytest.fail(f"{words!r} was not said: {page.outcome.text.text()!r}")


def test_a_proxy_and_addresses_are_tried_used_and_remembered_without_the_password(
    qapp: QApplication, exchange: Endpoints, place: Path, memory: MemoryKeyring, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(desk: Desk) -> None:
        proxy = HttpProxy({"stream.exchange.test": exchange.ws_url, "rest.exchange.test": exchange.rest_url})
        await proxy.start()
        try:
            page = page_of(desk)
            fill(page, f"joe:x@{proxy.url.removeprefix('http://')}")
            page.password.setText(SECRET)
            proxy.refuses = True
            page.test.click()
            await said(page, "Refused by a firewall")
            proxy.refuses = False
            page.test.click()
            await said(page, "both answer")
            assert desk.feeding.session.plan.endpoints != Endpoints.of(WS, REST), "a test changes nothing"
            page.use.click()
            await said(page, "from now on")
            await reached(lambda: is_live(desk), "the market through the proxy")
            assert desk.feeding.session.plan.endpoints == Endpoints.of(WS, REST)
            assert proxy.asked > 4
        finally:
            await proxy.stop()

    drive(qapp, Endpoints(), act, "--data-dir", place / "data")
    kept = settings_of(place / "data")
    assert (kept["ws_url"], kept["rest_url"]) == (WS, REST)
    choice = parse_proxy(str(kept["proxy"]))
    assert choice.user == "joe" and choice.password is None
    assert list(memory.held.values()) == [SECRET]
    assert SECRET not in (place / "data" / "config" / "settings.json").read_text("utf-8") + caplog.text
    logs = "".join(path.read_text("utf-8") for path in (place / "data" / "logs").glob("*"))
    assert SECRET not in logs and "s3cret" not in logs

    async def again(desk: Desk) -> None:
        assert desk.connections.endpoints == Endpoints.of(WS, REST)
        await reached(lambda: "s3cret" in os.environ.get("http_proxy", ""), "the password from the keyring")

    drive(qapp, Endpoints(), again, "--data-dir", place / "data")


def test_addresses_from_the_environment_go_before_the_settings(
    qapp: QApplication, exchange: Endpoints, place: Path
) -> None:
    async def act(desk: Desk) -> None:
        desk.settings.settings.ws_url = WS
        assert desk.connections.endpoints == exchange
        page = page_of(desk)
        assert not page.ws_url.isEnabled() and page.ws_url.text() == exchange.ws_url
        page.use.click()
        await said(page, "made anew")
        await reached(lambda: is_live(desk), "the market again")

    drive(qapp, exchange, act, "--data-dir", place / "data")
    assert settings_of(place / "data")["ws_url"] == WS


def test_the_desk_ends_though_a_test_waits_for_a_keyring_that_hangs(
    qapp: QApplication, nowhere: Endpoints, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, lets_go = threading.Event(), threading.Event()

    def hangs(_name: str) -> str | None:
        asked.set()
        lets_go.wait(60)
        return None

    monkeypatch.setattr(connecting, "find_secret", hangs)
    monkeypatch.setattr(connecting, "_LAST_SECONDS", 0.1)

    async def act(desk: Desk) -> None:
        page = page_of(desk)
        fill(page, "joe@127.0.0.1:9")
        page.test.click()
        await reached(asked.is_set, "the keyring")
        await asyncio.wait_for(desk.connections.stop(), 20)

    try:
        drive(qapp, nowhere, act, "--data-dir", place / "data")
        assert not lets_go.is_set(), "nothing waited for its end"
    finally:
        lets_go.set()


def test_what_is_no_address_is_said_and_nothing_is_changed(qapp: QApplication, nowhere: Endpoints, place: Path) -> None:
    async def act(desk: Desk) -> None:
        page = page_of(desk)
        page.kind.setCurrentIndex(page.kind.findData("url"))
        page.kind.activated.emit(page.kind.currentIndex())
        for text, words in (("", "Write the proxy"), ("socks5://a:1", "not supported"), ("a", "host and a port")):
            page.url.setText(text)
            page.use.click()
            await said(page, words)
        assert desk.settings.settings.proxy == "system"

    drive(qapp, nowhere, act, "--data-dir", place / "data")
