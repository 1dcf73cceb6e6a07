"""Stand in for a desktop's tray and notification service on a session bus; write down what reaches them.

Run by ``dbus-run-session -- python tray_double.py LOG``: prints the bus address once both names are taken.
Each line of its input is the number of a popup, counted from 1, and clicks it; it leaves when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from dbus_fast.aio import MessageBus
from dbus_fast.constants import PropertyAccess
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

# ruff: noqa: F722, F821, UP037  # the annotations are D-Bus signatures


class Log:
    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, **entry: object) -> None:
        with self._path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(entry) + "\n")


class Watcher(ServiceInterface):
    """Be the place where tray icons announce themselves."""

    def __init__(self, log: Log) -> None:
        super().__init__("org.kde.StatusNotifierWatcher")
        self._log, self._items = log, []

    @dbus_method()
    def RegisterStatusNotifierItem(self, service: "s"):
        self._items.append(service)
        self._log.add(kind="icon", service=service)
        self.StatusNotifierItemRegistered(service)

    @dbus_method()
    def RegisterStatusNotifierHost(self, service: "s"):
        pass

    @dbus_property(access=PropertyAccess.READ)
    def RegisteredStatusNotifierItems(self) -> "as":
        return self._items

    @dbus_property(access=PropertyAccess.READ)
    def IsStatusNotifierHostRegistered(self) -> "b":
        return True

    @dbus_property(access=PropertyAccess.READ)
    def ProtocolVersion(self) -> "i":
        return 0

    @dbus_signal()
    def StatusNotifierItemRegistered(self, service) -> "s":
        return service

    @dbus_signal()
    def StatusNotifierHostRegistered(self):
        pass


class Notifications(ServiceInterface):
    """Take popups."""

    def __init__(self, log: Log) -> None:
        super().__init__("org.freedesktop.Notifications")
        self._log, self._shown = log, 0

    @dbus_method()
    def Notify(
        self, app: "s", replaces: "u", icon: "s", title: "s", text: "s", actions: "as", hints: "a{sv}", timeout: "i"
    ) -> "u":
        self._shown += 1
        self._log.add(kind="popup", app=app, title=title, text=text)
        return self._shown

    @dbus_method()
    def CloseNotification(self, number: "u"):
        pass

    @dbus_method()
    def GetCapabilities(self) -> "as":
        return ["body", "actions"]

    @dbus_method()
    def GetServerInformation(self) -> "ssss":
        return ["double", "quantdesk", "1", "1.2"]

    @dbus_signal()
    def NotificationClosed(self, number, reason) -> "uu":
        return [number, reason]

    @dbus_signal()
    def ActionInvoked(self, number, action) -> "us":
        return [number, action]


async def main(path: Path) -> None:
    log, bus = Log(path), await MessageBus().connect()
    bus.export("/StatusNotifierWatcher", Watcher(log))
    popups = Notifications(log)
    bus.export("/org/freedesktop/Notifications", popups)
    await bus.request_name("org.kde.StatusNotifierWatcher")
    await bus.request_name("org.freedesktop.Notifications")
    loop = asyncio.get_running_loop()

    def click() -> None:
        line = sys.stdin.readline()
        if line.strip():
            popups.ActionInvoked(int(line), "default")
        else:
            loop.remove_reader(sys.stdin)
            bus.disconnect()

    loop.add_reader(sys.stdin, click)
    print(os.environ["DBUS_SESSION_BUS_ADDRESS"], flush=True)
    await bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
