"""The self-test asks the desktop's notification service, and is kept waiting by none."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from quantdesk.app.selftest import desktop
from quantdesk.app.selftest.findings import Finding, Ground, Result

#: What a service says to each question, as the freedesktop specification has it.
ANSWERS: dict[str, tuple[str, list[object]]] = {
    "GetServerInformation": ("ssss", ["popper", "its maker", "7", "1.2"]),
    "GetCapabilities": ("as", [["body"]]),
    "Notify": ("u", [1]),
    "Introspect": (
        "s",
        [
            """<node><interface name="org.freedesktop.Notifications">
            <method name="Notify"><arg name="app_name" type="s" direction="in"/>
            <arg name="replaces_id" type="u" direction="in"/>
            <arg name="app_icon" type="s" direction="in"/><arg name="summary" type="s" direction="in"/>
            <arg name="body" type="s" direction="in"/>
            <arg name="actions" type="as" direction="in"/><arg name="hints" type="a{sv}" direction="in"/>
            <arg name="expire_timeout" type="i" direction="in"/>
            <arg type="u" direction="out"/></method>
            <method name="GetCapabilities"><arg type="as" direction="out"/></method>
            <method name="GetServerInformation"><arg type="s" direction="out"/><arg type="s" direction="out"/>
            <arg type="s" direction="out"/><arg type="s" direction="out"/></method>
            <signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
            <signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
            <signal name="NotificationReplied"><arg type="u"/><arg type="s"/></signal>
            </interface></node>"""
        ],
    ),
}


def asked(tmp_path: Path) -> Finding:
    return desktop.check_notifications(Ground(None, None, tmp_path))  # type: ignore[arg-type]  # it uses neither


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a session bus of our own, on which nobody else is."""
    if not shutil.which("dbus-daemon"):
        pytest.skip("dbus-daemon is not installed")
    command = ["dbus-daemon", "--session", "--print-address", "--nofork"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address
        daemon.kill()


@contextmanager
def notification_service(address: str, *, answers: bool = True) -> Iterator[list[tuple[str, str]]]:
    """Be the desktop's service in a thread; yield what it was asked to show."""
    from dbus_fast import Message, MessageType
    from dbus_fast.aio import MessageBus

    shown: list[tuple[str, str]] = []
    loop, there = asyncio.new_event_loop(), threading.Event()

    async def serve() -> MessageBus:
        made = await MessageBus(bus_address=address).connect()

        def on_message(message: Message) -> Message | bool:
            if message.message_type is not MessageType.METHOD_CALL:
                return False
            if not answers:
                return True
            if message.member == "Notify":
                shown.append((message.body[3], message.body[4]))
            given = ANSWERS.get(message.member)
            return Message.new_method_return(message, *given) if given is not None else False

        made.add_message_handler(on_message)
        await made.request_name("org.freedesktop.Notifications")
        there.set()
        return made

    def run() -> None:
        asyncio.set_event_loop(loop)
        made = loop.run_until_complete(serve())
        loop.run_forever()
        made.disconnect()
        loop.run_until_complete(made.wait_for_disconnect())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert there.wait(10)
    try:
        yield shown
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def test_without_a_bus_it_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    assert asked(tmp_path).result is Result.WARNING


def test_a_bus_without_a_service_is_a_warning(tmp_path: Path, bus: str) -> None:
    found = asked(tmp_path)
    assert found.result is Result.WARNING
    assert "no service" in found.words


def test_a_service_that_never_answers_is_a_warning_in_time(
    tmp_path: Path, bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desktop, "_PATIENCE", 0.3)
    with notification_service(bus, answers=False):
        assert asked(tmp_path).result is Result.WARNING


def test_a_system_that_never_answers_is_a_warning_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silence() -> str:
        await asyncio.Event().wait()
        return "the system"

    monkeypatch.setattr(desktop.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(desktop, "_service_of_system", silence)
    monkeypatch.setattr(desktop, "_PATIENCE", 0.1)
    assert asked(tmp_path).result is Result.WARNING


def test_a_service_that_is_there_gets_one_popup_and_is_named(tmp_path: Path, bus: str) -> None:
    with notification_service(bus) as shown:
        found = asked(tmp_path)
    assert found.result is Result.OK, found.words
    assert "popper 7 (its maker)" in found.words
    assert [title for title, _ in shown] == ["quantdesk self-test"]
