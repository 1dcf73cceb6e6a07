"""Set the machine up with nothing but the standard library: Debian packages, environment, dependencies."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = Path(os.environ.get("QUANTDESK_VENV") or ROOT / ".venv")
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"

#: What Qt needs to draw at all.
QT_PACKAGES = (
    "libglib2.0-0",
    "libegl1",
    "libgl1",
    "libfontconfig1",
    "libxkbcommon0",
    "libdbus-1-3",
    "libgssapi-krb5-2",
    "fonts-dejavu-core",
)
#: What Qt needs to open windows under X11.
X11_PACKAGES = (
    "libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0", "libxcb-render-util0",
    "libxcb-shape0", "libxcb-sync1", "libxcb-xfixes0", "libxcb-xkb1", "libxkbcommon-x11-0", "libx11-xcb1",
)  # fmt: skip
#: What a secure connection to the exchange needs.
NETWORK_PACKAGES = ("ca-certificates",)
#: All that the program needs of a Debian system, packaged or from source.
DESK_PACKAGES = (*QT_PACKAGES, *X11_PACKAGES, *NETWORK_PACKAGES)
#: What only the gate needs: a screen, a window manager, input events, readers of menu entries and manual pages.
GATE_PACKAGES = ("xvfb", "xauth", "xdotool", "openbox", "dbus", "git", "desktop-file-utils", "groff-base")


class GroundError(Exception):
    """Say in one line what the machine lacks and what to do about it."""


def check_python() -> None:
    """Refuse a Python that is too old."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this very check is for those who have an older one
        found = ".".join(map(str, sys.version_info[:2]))
        raise GroundError(f"quantdesk needs Python 3.11 or newer; this is {found}: start it with python3.11")


def run(command: Sequence[str | Path], **options: object) -> int:
    """Run a command, shown first, and return its exit code."""
    print("+", " ".join(str(part) for part in command), flush=True)
    return subprocess.call([str(part) for part in command], **options)  # type: ignore[arg-type]


def install_debian_packages(wanted: Sequence[str]) -> None:
    """Install the missing ones when this is Debian and we are root; otherwise leave the machine alone."""
    if not (sys.platform == "linux" and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0):
        return
    missing = [name for name in wanted if not _has_package(name)]
    if not missing:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    for attempt in range(3):
        if run(["apt-get", "update", "-qq"], env=environment) == 0 and run(install, env=environment) == 0:
            return
        time.sleep(5 * (attempt + 1))
    raise GroundError(f"apt-get could not install {' '.join(missing)}: check the network and run this again")


def _has_package(name: str) -> bool:
    answer = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", name], capture_output=True, text=True, check=False)
    return answer.stdout.strip() == "install ok installed"


def python(environment: Path = ENVIRONMENT) -> Path:
    """Return the environment's interpreter."""
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return environment / folder / name


def install_environment(extra: str, environment: Path = ENVIRONMENT) -> None:
    """Make the environment and install the project into it, unless nothing changed since the last time."""
    extra_name = f"[{extra}]" if extra else ""
    stamp = environment / f".installed{'-' + extra if extra else ''}"
    fingerprint = _fingerprint()
    if python(environment).exists() and stamp.exists() and stamp.read_text() == fingerprint:
        return
    if not python(environment).exists():
        _make_environment(environment)
    pip = [python(environment), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", CONSTRAINTS]
    # The build backend comes first and from the same lock: building then needs no second download.
    command = [*pip, "hatchling", "editables"]
    project = [*pip, "--no-build-isolation", "-e", f"{ROOT}{extra_name}"]
    for attempt in range(3):
        if run(command) == 0 and run(project) == 0:
            stamp.write_text(fingerprint)
            return
        time.sleep(5 * (attempt + 1))
    raise GroundError("pip could not install the dependencies: read its message above and run this again")


def _make_environment(environment: Path) -> None:
    install_debian_packages(("python3-venv",) if sys.executable.startswith("/usr/bin/") else ())
    if run([sys.executable, "-m", "venv", environment]) != 0:
        shutil.rmtree(environment, ignore_errors=True)
        raise GroundError("this Python cannot make environments: install its venv module (Debian: python3-venv)")


def _fingerprint() -> str:
    digest = hashlib.sha256(str(ROOT).encode() + sys.version.encode())
    for path in (ROOT / "pyproject.toml", CONSTRAINTS):
        digest.update(path.read_bytes())
    return digest.hexdigest()
