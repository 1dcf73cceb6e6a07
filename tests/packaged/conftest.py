"""Unpack the packaged program into a bare Debian tree."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantdesk import __version__
from tests.packaged.trees import BareTree
from tests.program.desks import Screen, environment, need

#: Names the folder that .ci/package.py filled; the gate's long form builds it anew and sets this.
GIVEN = "QUANTDESK_PACKAGED"


@pytest.fixture(scope="session")
def built() -> Path:
    """Return the folder with the packaged program and its archive."""
    if not (sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get")):
        pytest.skip("a bare Debian tree needs Debian and root")
    if not os.environ.get(GIVEN):
        pytest.skip(f"no packaged program: run .ci/package.py and name its folder in {GIVEN}")
    return Path(os.environ[GIVEN]).resolve()


@pytest.fixture(scope="session")
def folder_built(built: Path) -> Path:
    """Return the one-folder program."""
    return built / "quantdesk"


@pytest.fixture(scope="session")
def archive(built: Path) -> Path:
    """Return the packed program."""
    found = sorted(built.glob(f"quantdesk-{__version__}-linux-*.tar.xz"))  # those of older versions may lie there, too
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="session")
def tree(built: Path) -> Iterator[BareTree]:
    """Return a bare Debian tree."""
    made = BareTree(Path(tempfile.mkdtemp(prefix="qd-tree-", dir="/tmp")))
    made.root.chmod(0o755)
    try:
        made.make()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session")
def unpacked(tree: BareTree, archive: Path) -> Path:
    """Return the top folder of the program in the tree; it belongs to root."""
    return tree.unpack(archive, Path("/opt/a place"))


@pytest.fixture(scope="session")
def program(unpacked: Path) -> Path:
    """Return the program in the tree."""
    return unpacked / "quantdesk"


@pytest.fixture(scope="session")
def screen(tree: BareTree) -> Iterator[Screen]:
    """Return a screen that the programs of the tree can reach."""
    need("Xvfb", "openbox", "xdotool")
    place = Path(tempfile.mkdtemp(prefix="qd-", dir="/tmp"))
    made = Screen(place)
    tree.show_screen(made.display)
    yield made
    made.close()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return an environment for the program as it runs from source."""
    return environment(tmp_path)
