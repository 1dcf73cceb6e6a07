"""Make sure there is a screen to draw on before Qt is asked, because Qt aborts the program without one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from quantdesk.config import ConfigError

#: Platforms of Qt that need neither X11 nor Wayland.
_SCREENLESS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")


def prepare(*, offscreen: bool) -> None:
    """Choose Qt's platform; raise ConfigError in words where no window can open.

    Qt itself would abort (exit code 134) and blame a missing library.
    """
    if offscreen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        lend_fonts()
        return
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM", "").startswith(_SCREENLESS):
        return
    display, wayland = os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY")
    if not display and not wayland:
        raise ConfigError(
            "there is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set): "
            "use 'quantdesk record' to keep trades, or --screenshot OUT.png to draw without one"
        )
    if display and not wayland and not _x11_answers(display):
        raise ConfigError(f"the screen {display!r} (DISPLAY) does not answer: start it or correct DISPLAY")


def lend_fonts() -> None:
    """Name the system's fonts to Qt where it draws offscreen on Windows: there it looks for fonts of its own only."""
    if sys.platform == "win32" and os.environ.get("QT_QPA_PLATFORM", "").startswith(_SCREENLESS):
        folder = Path(os.environ.get("SYSTEMROOT", "C:/Windows"), "Fonts")
        os.environ.setdefault("QT_QPA_FONTDIR", str(folder))


def _x11_answers(display: str) -> bool:
    """Say whether something listens behind a local X11 display; a remote one is left to Qt."""
    import socket

    host, _, number = display.rpartition(":")
    if host not in ("", "unix") or not number.split(".")[0].isdigit():
        return True
    path = f"/tmp/.X11-unix/X{number.split('.')[0]}"  # noqa: S108  # X11 fixes this place
    for address in ("\0" + path, path):
        if not address.startswith("\0") and not Path(path).exists():
            continue
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            try:
                probe.connect(address)
            except OSError:
                continue
            return True
    return False
