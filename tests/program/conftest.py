"""Give each test of the program a short folder, and all of them one screen."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program.desks import Screen, environment, need


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a short path, because sockets below a long one have no room for their name."""
    place = Path(tempfile.mkdtemp(prefix="qd-", dir="/tmp"))
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def env(folder: Path) -> dict[str, str]:
    """Return an environment without a screen."""
    return environment(folder)


@pytest.fixture(scope="session")
def screen() -> Iterator[Screen]:
    """Return a screen that the tests use one after the other."""
    need("Xvfb", "openbox", "xdotool")
    place = Path(tempfile.mkdtemp(prefix="qd-", dir="/tmp"))
    made = Screen(place)
    yield made
    made.close()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def desktop(folder: Path, screen: Screen) -> dict[str, str]:
    """Return an environment with the screen."""
    return environment(folder, DISPLAY=screen.display)
