"""The archive holds the built folder as it is, and is the same for the same files."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import quantdesk
from tests.servers import ROOT, tool

package, ground = tool("package"), tool("ground")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Lay out a folder as PyInstaller leaves it, by a builder whose files nobody else may read."""
    folder = tmp_path / "quantdesk"
    (folder / "_internal/a folder").mkdir(parents=True)
    for name, mode in (("quantdesk", 0o700), ("_internal/a folder/data", 0o600)):
        (folder / name).write_text(name)
        (folder / name).chmod(mode)
    (folder / "_internal/link").symlink_to("a folder/data")
    (folder / "_internal").chmod(0o700)
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's archive")
def test_the_tar_keeps_links_and_what_may_be_run_and_everybody_may_read_it(built: Path, tmp_path: Path) -> None:
    archive = package.pack(built, tmp_path, 0)
    top = archive.name.removesuffix(".tar.xz")
    assert re.fullmatch(rf"quantdesk-{re.escape(quantdesk.__version__)}-linux-\w+", top)
    with tarfile.open(archive) as tar:
        members = {member.name.removeprefix(top).lstrip("/"): member for member in tar}
    assert {name.partition("/")[0] for name in members} == {"", "_internal", "quantdesk"}
    modes = {name: member.mode for name, member in members.items() if not member.issym()}
    assert modes == {
        **dict.fromkeys(("", "_internal", "_internal/a folder", "quantdesk"), 0o755),
        "_internal/a folder/data": 0o644,
    }
    assert members["_internal/link"].linkname == "a folder/data"
    assert {(member.uid, member.uname) for member in members.values()} == {(0, "")}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's archive")
def test_the_same_files_give_the_same_archive_with_its_checksum(built: Path, tmp_path: Path) -> None:
    first = package.pack(built, tmp_path, 0).read_bytes()
    os.utime(built / "quantdesk", (1, 1))
    archive = package.pack(built, tmp_path, 0)
    assert archive.read_bytes() == first
    told = Path(f"{archive}.sha256").read_text("utf-8")
    assert told == f"{hashlib.sha256(first).hexdigest()}  {archive.name}\n"


def test_a_zip_has_one_top_folder(built: Path, tmp_path: Path) -> None:
    package._zip(built, tmp_path / "packed.zip", "quantdesk-9-windows")
    with zipfile.ZipFile(tmp_path / "packed.zip") as packed:
        assert {name.partition("/")[0] for name in packed.namelist()} == {"quantdesk-9-windows"}
        assert packed.read("quantdesk-9-windows/_internal/a folder/data") == b"_internal/a folder/data"


@pytest.mark.parametrize(("prefix", "wanted"), [("/usr", True), ("/opt/python", False)])
def test_debians_own_python_brings_its_shared_library_from_an_environment_too(
    monkeypatch: pytest.MonkeyPatch, prefix: str, wanted: bool
) -> None:
    monkeypatch.setattr(sys, "base_prefix", prefix)
    monkeypatch.setattr(sys, "executable", "/somewhere/.venv/bin/python")
    assert (f"libpython3.{sys.version_info.minor}" in package._debian_packages()) == wanted


def test_the_readme_lists_the_libraries_that_are_installed() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert f"`{' '.join(ground.DESK_PACKAGES)}`" in text
