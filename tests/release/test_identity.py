"""What the packaged program says of itself: one version, and files that each system's own readers accept."""

from __future__ import annotations

import ast
import configparser
import plistlib
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import quantdesk
from quantdesk.store.files.names import _ENDINGS
from tests.servers import ROOT, tool

identity = tool("identity")
DESKTOP = Path(identity.DESKTOP)


def test_the_version_stands_in_one_place() -> None:
    version = quantdesk.__version__
    assert identity.version() == version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "quantdesk/__init__.py"
    command = [sys.executable, "-m", "quantdesk", "--version"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == f"quantdesk {version}\n"
    word = re.compile(rf"(?<![\d.]){re.escape(version)}(?![\d.])")
    places = [*(ROOT / "quantdesk").rglob("*.py"), *(ROOT / ".ci").glob("*.py"), *DESKTOP.glob("*")]
    places += [*(ROOT / ".github").rglob("*.yml"), ROOT / "pyinstaller.spec", ROOT / "pyproject.toml"]
    texts = [path for path in places if path.suffix not in (".ico", ".icns", ".png") and path.is_file()]
    repeats = {path.relative_to(ROOT).as_posix() for path in texts if word.search(path.read_text("utf-8"))}
    assert repeats == {"quantdesk/__init__.py"}


@pytest.mark.parametrize(("tag", "code"), [(f"v{quantdesk.__version__}", 0), ("v99.0.0", 1)])
def test_a_tag_of_another_version_stops_a_release(tag: str, code: int) -> None:
    command = [sys.executable, ROOT / ".ci/identity.py", "--check-tag", tag]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert (tag in done.stderr) == bool(code)


def test_windows_gets_its_version_resource(tmp_path: Path) -> None:
    text = identity.windows_version_file(tmp_path).read_text("utf-8")
    calls = [node for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Call)]
    strings = {c.args[0].value: c.args[1].value for c in calls if c.func.id == "StringStruct"}  # type: ignore[attr-defined]
    assert strings["ProductVersion"] == strings["FileVersion"] == quantdesk.__version__
    assert strings["OriginalFilename"] == "quantdesk.exe"
    assert strings["LegalCopyright"] in (ROOT / "LICENSE").read_text("utf-8")
    fixed = next(c for c in calls if c.func.id == "FixedFileInfo")  # type: ignore[attr-defined]
    four = ast.literal_eval(next(word.value for word in fixed.keywords if word.arg == "filevers"))
    assert len(four) == 4
    assert ".".join(map(str, four)).startswith(re.match(r"[\d.]+", quantdesk.__version__)[0])  # type: ignore[index]


def test_macos_gets_a_property_list_that_never_takes_tables_from_others() -> None:
    read = plistlib.loads(plistlib.dumps(identity.info_plist()))
    assert read["CFBundleIdentifier"] == identity.BUNDLE_ID
    assert read["CFBundleShortVersionString"] == read["CFBundleVersion"] == quantdesk.__version__
    assert read["NSHighResolutionCapable"] is True
    # PyInstaller sets it where a program has a command line: no window and no Dock icon would be seen.
    assert read["LSBackgroundOnly"] is False
    (kind,) = read["CFBundleDocumentTypes"]
    assert (kind["CFBundleTypeRole"], kind["LSHandlerRank"]) == ("Viewer", "Alternate")
    assert "public.comma-separated-values-text" in kind["LSItemContentTypes"]


def test_each_system_gets_the_kind_of_icon_it_reads() -> None:
    assert identity.icon_for("win32").suffix == ".ico"
    assert identity.icon_for("darwin").suffix == ".icns"
    assert identity.icon_for("linux") is None
    assert all(identity.icon_for(system).is_file() for system in ("win32", "darwin"))


def test_the_menu_entry_is_whole() -> None:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(DESKTOP / "quantdesk.desktop", "utf-8")
    entry = parser["Desktop Entry"]
    assert (entry["Type"], entry["Name"], entry["Icon"]) == ("Application", "quantdesk", "quantdesk")
    assert entry["Exec"] == "quantdesk %F"
    assert entry["StartupWMClass"] == "quantdesk"
    for kind, ending in (("text/csv", ".csv"), ("text/tab-separated-values", ".tsv")):
        assert kind in entry["MimeType"].split(";")
        assert ending in _ENDINGS, "what the entry offers to open can be opened"
    for name in entry["Actions"].strip(";").split(";"):
        action = parser[f"Desktop Action {name}"]
        assert action["Name"]
        program, *words = action["Exec"].split()
        assert program == "quantdesk"
        from quantdesk.cli import desk_parser

        desk_parser().parse_args(words)


@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="desktop-file-validate is not installed")
def test_the_menu_entry_passes_the_desktops_own_check() -> None:
    command = ["desktop-file-validate", DESKTOP / "quantdesk.desktop"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == ""


def test_the_software_centres_entry_names_the_menu_entry_and_the_licence() -> None:
    root = ET.parse(DESKTOP / f"{identity.BUNDLE_ID}.metainfo.xml").getroot()
    assert root.findtext("id") == identity.BUNDLE_ID
    assert root.findtext("launchable") == "quantdesk.desktop"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert root.findtext("project_license") == project["license"]
    assert root.findtext("provides/binary") in project["scripts"]


def test_what_lies_beside_the_linux_program_is_laid_out_as_it_will_be_installed(tmp_path: Path) -> None:
    for _ in range(2):  # over an older one, too
        identity.write_linux_extras(tmp_path)
    share = tmp_path / "share"
    for width in (16, 24, 32, 48, 64, 128, 256, 512):
        assert (share / f"icons/hicolor/{width}x{width}/apps/quantdesk.png").read_bytes().startswith(identity.PNG)
    assert f'"quantdesk {quantdesk.__version__}"' in (share / "man/man1/quantdesk.1").read_text("utf-8")
    assert all((tmp_path / name).stat().st_mode & 0o111 for name in ("install.sh", "uninstall.sh"))


def test_the_files_in_the_wheel_stay_small() -> None:
    assert sum(path.stat().st_size for path in DESKTOP.rglob("*") if path.is_file()) < 400_000
