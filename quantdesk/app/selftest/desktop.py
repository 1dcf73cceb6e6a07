"""Check how alerts reach the desktop: by its tray, by its notification service."""

from __future__ import annotations

import asyncio
import os
import platform
from typing import Any

from quantdesk.app.selftest.findings import Finding, Ground, failed, ok, warning
from quantdesk.app.selftest.screens import application

_SERVICE, _OBJECT = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_BUS, _BUS_OBJECT = "org.freedesktop.DBus", "/org/freedesktop/DBus"
#: So long (s) the notification service may take for an answer.
_PATIENCE = 10.0
_TITLE, _TEXT = "quantdesk self-test", "Alerts can reach this desktop."


def check_tray(_: Ground) -> Finding:
    """Ask whether the desktop has a tray; no icon is put there."""
    application()
    from PySide6.QtWidgets import QSystemTrayIcon

    if QSystemTrayIcon.isSystemTrayAvailable():
        return ok("the desktop has one: closing can keep the desk there, alerts pop up from it")
    return warning("the desktop has none: the desk cannot be kept there; alerts show in the window")


def check_notifications(_: Ground) -> Finding:
    """Send one popup where a service would show it."""
    from quantdesk.ui.notify import DesktopPopups

    async def ask() -> Finding:
        service = await _service()
        if not service:
            return warning(
                "no service answers on this desktop: without a tray no alert pops up, they show in the window"
            )
        popups = DesktopPopups()
        async with asyncio.timeout(_PATIENCE):
            sent = await popups.send(_TITLE, _TEXT)
        return ok(f"one popup, “{_TITLE}”, was taken by {service}") if sent else failed(popups.problem)

    return asyncio.run(ask())


async def _service() -> str:
    """Name the desktop's notification service, empty where none takes our popups."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await (_service_on_bus() if platform.system() == "Linux" else _service_of_system())
    except (OSError, EOFError, TimeoutError):
        return ""


async def _service_of_system() -> str:
    from desktop_notifier.backends.dummy import DummyNotificationCenter
    from desktop_notifier.main import DesktopNotifier, get_backend_class

    if get_backend_class() is DummyNotificationCenter:
        return ""
    return "the system" if await DesktopNotifier(app_name="quantdesk").has_authorisation() else ""


async def _service_on_bus() -> str:
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import DBusError, InvalidAddressError

    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return ""  # the library would start a bus of its own
    try:
        bus = await MessageBus().connect()
    except (DBusError, InvalidAddressError):
        return ""
    try:
        names = [*(await _asked(bus, _BUS, _BUS_OBJECT, _BUS, "ListNames"))[0]]
        names += (await _asked(bus, _BUS, _BUS_OBJECT, _BUS, "ListActivatableNames"))[0]
        if _SERVICE not in names:
            return ""
        name, maker, version, _ = await _asked(bus, _SERVICE, _OBJECT, _SERVICE, "GetServerInformation")
        return f"{name} {version} ({maker})"
    except DBusError:
        return ""
    finally:
        bus.disconnect()


async def _asked(bus: Any, destination: str, path: str, interface: str, member: str) -> list[Any]:
    from dbus_fast import Message, MessageType
    from dbus_fast.errors import DBusError

    answer = await bus.call(Message(destination=destination, path=path, interface=interface, member=member))
    if answer is None or answer.message_type is MessageType.ERROR:
        raise DBusError("org.freedesktop.DBus.Error.Failed", f"{destination} does not answer {member}")
    return list(answer.body)
