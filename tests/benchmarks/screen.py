"""Give a benchmark a screen of its own: Xvfb where it is installed, else Qt's offscreen platform."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Keeps these out of the desk's surroundings, so that every run begins alike.
_UNWANTED = ("QUANTDESK_DATABASE_URL", "QUANTDESK_WS_URL", "QUANTDESK_REST_URL", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@contextmanager
def own_screen() -> Iterator[dict[str, str]]:
    """Yield the environment of a program that shall draw on a screen of its own."""
    environment = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
    server = shutil.which("Xvfb") if sys.platform.startswith("linux") else None
    if server is None:
        yield {**environment, "QT_QPA_PLATFORM": "offscreen"}
        return
    read, write = os.pipe()
    command = [server, "-displayfd", str(write), "-screen", "0", "1920x1080x24", "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            display = answer.readline().strip()
        if not display:
            raise RuntimeError("Xvfb did not start")
        yield {**environment, "DISPLAY": f":{display}"}
    finally:
        process.terminate()
        process.wait()


#: Put before a command on a busy machine: real-time scheduling on Linux, where root may.
AHEAD = ["chrt", "-r", "1"]


def place(environment: dict[str, str]) -> str:
    """Name the screen in the words of a table."""
    return "offscreen" if environment.get("QT_QPA_PLATFORM") == "offscreen" else "Xvfb"
