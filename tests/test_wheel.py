"""The wheel holds all that the program needs and runs from another folder."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_resources_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.startswith("quantdesk/resources/icons/") and name.endswith(".svg") for name in names)
    assert "quantdesk/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", ".ci/"))]


def test_the_installed_program_runs_from_a_folder_with_a_blank(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "a blank"
    home.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home / "env")], check=True)
    python = next(p for p in (home / "env/bin/python", home / "env/Scripts/python.exe") if p.exists())
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, text=True)
    inside = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    # The dependencies come from the environment that runs the tests; the project itself only from the wheel.
    Path(inside, "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    program = python.parent / ("quantdesk.exe" if sys.platform == "win32" else "quantdesk")
    code = "import quantdesk.config as c; print(c.__file__); print(c.resource('icons'))"
    found = subprocess.run([python, "-c", code], cwd=home, check=True, capture_output=True, text=True).stdout
    assert all("a blank" in line for line in found.splitlines()), found
    picture = home / "desk picture.png"
    answer = subprocess.run([program, "--version"], cwd=home, check=True, capture_output=True, text=True)
    assert answer.stdout.startswith("quantdesk ")
    subprocess.run(
        [program, "--simulate", "--screenshot", str(picture), "--after", "1"], cwd=home, check=True, timeout=60
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
