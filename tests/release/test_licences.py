"""Everything that the packaged program carries has its licence text, or the build stops in words."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT, tool

licences, table = tool("licences"), tool("licence_table")
DEVELOPMENT = {"pytest", "mypy", "ruff", "hypothesis", "hatchling", "import-linter", "psutil", "editables"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a blank") / "licences"
    command = [sys.executable, ROOT / ".ci/licences.py", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_run_time_dependency_has_a_text_and_a_line(written: Path) -> None:
    index = (written / "index.txt").read_text("utf-8")
    needed = licences.run_time_distributions()
    assert len(needed) > 30
    for dist in needed:
        folder = written / f"{dist.name}-{dist.version}"
        texts = [path for path in folder.rglob("*") if path.is_file() and "sboms" not in path.parts]
        assert texts, dist.name
        assert any(path.stat().st_size > 300 for path in texts), dist.name
        assert f"\n{dist.name} {dist.version}\n" in index
        assert f"    {folder.name}\n" in index
    assert "see its texts" not in index, "each part's licence is known by name"
    assert {folder.name for folder in written.iterdir() if folder.is_dir()} <= set(
        index.replace("    ", "").split("\n")
    )


def test_what_development_alone_needs_is_not_in_it(written: Path) -> None:
    names = {licences.canonical(dist.name) for dist in licences.run_time_distributions()}
    assert not names & DEVELOPMENT
    index = (written / "index.txt").read_text("utf-8").lower()
    assert not [name for name in DEVELOPMENT if f"\n{name} " in index]


def test_dependencies_of_dependencies_are_found() -> None:
    names = {licences.canonical(dist.name) for dist in licences.run_time_distributions()}
    assert {"quantdesk", "pyside6-essentials", "shiboken6", "scipy", "multidict", "keyring", "psycopg2-binary"} <= names


def test_python_and_the_libraries_inside_wheels_are_named(written: Path) -> None:
    index = (written / "index.txt").read_text("utf-8")
    assert "\nPython 3." in index
    if sys.platform == "linux":
        for project in ("OpenBLAS and LAPACK", "PostgreSQL libpq", "OpenSSL", "MIT Kerberos", "ICU"):
            assert f"\n{project}\n" in index


def test_the_lgpl_is_there_with_words_on_replacing_what_it_covers(written: Path) -> None:
    (qt,) = written.glob("PySide6_Essentials-*")
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in (qt / "LGPL-3.0.txt").read_text("utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in (qt / "GPL-3.0.txt").read_text("utf-8"), "the LGPL refers to it"
    assert "harfbuzz" in (qt / "Qt-third-party.txt").read_text("utf-8")
    notice = (written / "NOTICE.txt").read_text("utf-8")
    assert all(word in notice for word in ("Qt", "psycopg2", "replace", "Source:"))


def test_a_distribution_without_a_text_stops_the_build_and_the_older_folder_stays(monkeypatch, tmp_path: Path) -> None:
    folder = tmp_path / "licences"
    folder.mkdir()
    (folder / "older").touch()
    monkeypatch.delitem(licences.EXTRA_TEXTS, "shiboken6")
    with pytest.raises(licences.LicenceError, match=r"shiboken6 .* ships no licence text"):
        licences.write(folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["licences", "older"]


def test_an_unknown_library_in_a_wheel_stops_the_build(monkeypatch, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("libpq lies beside psycopg2 in Linux's wheel")
    without = tuple(row for row in table.NATIVE if row.project != "PostgreSQL libpq")
    monkeypatch.setattr(sys.modules["licence_table"], "NATIVE", without)
    with pytest.raises(licences.LicenceError, match=r"psycopg2-binary carries .*libpq"):
        licences.write(tmp_path / "licences")


@pytest.mark.parametrize(("library", "words"), [("libreadline.so.8", "GPL"), ("libstrange.so.1", "whose it is")])
def test_a_library_that_must_not_or_cannot_be_shipped_stops_the_build(
    monkeypatch, tmp_path: Path, library: str, words: str
) -> None:
    monkeypatch.setattr(licences, "PACKAGERS", ())  # the build environment alone has them
    frozen = tmp_path / "frozen/_internal"
    frozen.mkdir(parents=True)
    (frozen / library).touch()
    with pytest.raises(licences.LicenceError, match=words):
        licences.write(tmp_path / "licences", frozen.parent)


def test_a_library_of_the_build_machine_brings_its_packages_text(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(licences, "PACKAGERS", ())
    frozen = tmp_path / "frozen"
    frozen.mkdir()
    for name in ("libz.so.1", "libpython3.11.so.1.0", "libQt6Core.so.6"):
        (frozen / name).touch()
    if licences._debian_part("libz.so.1", tmp_path / "probe") is None:
        pytest.skip("this is no Debian")
    parts = licences.write(tmp_path / "licences", frozen)
    (zlib,) = [part for part in parts if part.name == "zlib1g"]
    assert "zlib" in (tmp_path / "licences" / zlib.folder / "copyright").read_text("utf-8").lower()


@pytest.mark.parametrize(
    "library",
    (
        *("VCRUNTIME140.dll", "VCRUNTIME140_1.dll", "MSVCP140.dll", "vccorlib140.dll", "opengl32sw.dll"),
        *("libcrypto-3.dll", "libssl-3.dll", "libffi-8.dll", "sqlite3.dll"),
        *("libcrypto.3.dylib", "libssl.3.dylib", "libpq.5.17.dylib", "libgssapi_krb5.2.2.dylib", "libldap.2.dylib"),
    ),
)
def test_what_python_and_the_wheels_bring_on_windows_and_macos_is_known(library: str) -> None:
    assert table.native_of(library) is not None
    assert table.refusal_of(library) is None


def test_the_table_names_only_texts_that_are_there() -> None:
    named = {name for names in table.EXTRA_TEXTS.values() for name in names}
    named |= {name for row in table.NATIVE for name in row.texts}
    assert named == {path.name for path in licences.TEXTS.iterdir()}
    assert all(dataclasses.astuple(row)[2].startswith("https://") for row in table.NATIVE)
