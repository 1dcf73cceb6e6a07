"""The lock names a version of everything that is installed, on each of the three systems."""

from __future__ import annotations

import tomllib
from importlib import metadata

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests.servers import ROOT, tool

canonical = tool("licences").canonical
SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
}
#: What PyInstaller, which the build environment alone has, needs of each system besides its own parts.
PACKAGER = {
    "linux": {"altgraph"},
    "windows": {"altgraph", "pefile", "pywin32-ctypes"},
    "macos": {"altgraph", "macholib"},
}


def needed(system: str) -> set[str]:
    """Return all that the project needs on a system, as far as what is installed here tells."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    waiting = [(line, "") for line in (*project["dependencies"], *project["optional-dependencies"]["package"])]
    environment = {**default_environment(), **SYSTEMS[system]}
    found: set[str] = set()
    while waiting:
        line, extra = waiting.pop()
        need = Requirement(line)
        name = canonical(need.name)
        if need.marker is not None and not need.marker.evaluate({**environment, "extra": extra}):
            continue
        if name in found:
            continue
        found.add(name)
        try:
            lines = metadata.distribution(name).requires or []
        except metadata.PackageNotFoundError:
            continue  # it belongs to another system
        waiting += [(each, one) for each in lines for one in ("", *need.extras)]
    return found | PACKAGER[system]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_part_is_locked_on_every_system(system: str) -> None:
    lines = (ROOT / ".ci/constraints.txt").read_text("utf-8").split()
    locked = {canonical(line.partition("==")[0]) for line in lines}
    assert all("==" in line for line in lines)
    assert len(locked) == len(lines), "no part is there twice"
    assert needed(system) - locked == set()


def test_the_systems_own_parts_are_seen() -> None:
    assert "winrt-runtime" in needed("windows") - needed("linux")
    assert "rubicon-objc" in needed("macos") - needed("linux")
    assert "secretstorage" in needed("linux") - needed("windows")
