"""install.sh and uninstall.sh, run for real in a home with a blank in its name: whole, repeatable, traceless."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import tool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's own scripts")
identity = tool("identity")


class Machine:
    """Own a home, an unpacked archive with a stand-in program, and what its shell says."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "ho me"
        self.home.mkdir()
        self.archive = folder / "unpacked here"
        self.prefix = self.home / ".local"
        self.lib = self.prefix / "lib/quantdesk"
        self.command = self.prefix / "bin/quantdesk"
        self.unpack("1.0")

    def unpack(self, version: str) -> None:
        """Lay the archive of a version out, over the one before."""
        shutil.rmtree(self.archive, ignore_errors=True)
        (self.archive / "_internal/deep er").mkdir(parents=True)
        (self.archive / "_internal/deep er/a file").write_text(version)
        (self.archive / "_internal/link").symlink_to("deep er/a file")
        self.program(f'#!/bin/sh\necho "quantdesk {version}"\n')
        identity.write_linux_extras(self.archive)

    def program(self, text: str) -> None:
        (self.archive / "quantdesk").write_text(text)
        (self.archive / "quantdesk").chmod(0o755)

    def sh(self, script: Path, *words: str, code: int = 0, **more: str) -> str:
        """Run a script; return all it says."""
        environment = {"HOME": str(self.home), "PATH": os.environ["PATH"], "TMPDIR": str(self.home.parent), **more}
        command = ["/bin/sh", str(script), *words]
        done = subprocess.run(
            command, env=environment, cwd="/", capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert code or not done.stderr, done.stderr
        return done.stdout + done.stderr

    def install(self, *words: str, code: int = 0, **more: str) -> str:
        return self.sh(self.archive / "install.sh", *words, code=code, **more)

    def uninstall(self, *words: str, code: int = 0, **more: str) -> str:
        return self.sh(self.lib / "uninstall.sh", *words, code=code, **more)

    def runs(self) -> str:
        """Return what the installed command prints."""
        return subprocess.run([self.command], capture_output=True, text=True, check=True).stdout.strip()

    def files(self) -> set[str]:
        return {path.relative_to(self.home).as_posix() for path in self.home.rglob("*")}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_everything_lands_in_its_place_and_starts(machine: Machine) -> None:
    told = machine.install()
    assert machine.runs() == "quantdesk 1.0"
    assert str(machine.command) in told
    assert "not in PATH" in told
    share = machine.prefix / "share"
    for place in (
        "applications/quantdesk.desktop", "man/man1/quantdesk.1", "metainfo/org.quantdesk.desk.metainfo.xml",
        "icons/hicolor/16x16/apps/quantdesk.png", "icons/hicolor/512x512/apps/quantdesk.png",
        "icons/hicolor/scalable/apps/quantdesk.svg",
    ):  # fmt: skip
        assert (share / place).stat().st_size > 100, place
    installed = machine.command.resolve().parent
    assert (installed / "_internal/link").readlink() == Path("deep er/a file")
    assert "not in PATH" not in machine.install(PATH=f"{machine.prefix}/bin:{os.environ['PATH']}")


def test_the_menu_entry_starts_the_command_by_its_whole_quoted_name(machine: Machine) -> None:
    machine.install()
    entry = configparser.RawConfigParser()
    entry.optionxform = str  # type: ignore[assignment]
    entry.read(machine.prefix / "share/applications/quantdesk.desktop")
    assert entry["Desktop Entry"]["Exec"] == f'"{machine.command}" %F'
    assert entry["Desktop Entry"]["TryExec"] == str(machine.command)
    assert entry["Desktop Action simulate"]["Exec"] == f'"{machine.command}" --simulate'


@pytest.mark.parametrize(
    ("name", "written"),
    [("it's", "it's"), ('a"b', r'a\\"b'), ("a$b`c", r"a\\$b\\`c"), ("50%|&", "50%%|&"), ("a\\b", r"a\\\\b")],
)
def test_a_folder_with_signs_of_the_shell_is_quoted(machine: Machine, tmp_path: Path, name: str, written: str) -> None:
    machine.prefix = tmp_path / name
    machine.lib, machine.command = machine.prefix / "lib/quantdesk", machine.prefix / "bin/quantdesk"
    machine.install("--prefix", str(machine.prefix))
    text = (machine.prefix / "share/applications/quantdesk.desktop").read_text()
    assert f'Exec="{tmp_path}/{written}/bin/quantdesk" %F\n' in text
    assert machine.runs() == "quantdesk 1.0"
    machine.install("--prefix", str(machine.prefix))
    machine.uninstall()
    assert not machine.prefix.exists()


def test_uninstalling_leaves_what_was_there_before_and_nothing_else(machine: Machine) -> None:
    data = machine.home / ".local/share/quantdesk/quantdesk.sqlite"
    other = machine.home / ".local/share/applications/other.desktop"
    for path in (data, other):
        path.parent.mkdir(parents=True)
        path.write_text("mine")
    before = machine.files()
    machine.install()
    machine.unpack("1.1")
    machine.install()
    told = machine.uninstall()
    caches = {name for name in machine.files() if name.endswith("mimeinfo.cache")}  # belongs to the other entries now
    assert machine.files() - caches == before
    assert "Your data stay" in told
    assert str(data.parent) in told
    assert "there is no installed quantdesk" in machine.sh(machine.archive / "uninstall.sh", code=1)


def test_a_bare_home_is_bare_again(machine: Machine) -> None:
    machine.install()
    machine.sh(machine.archive / "uninstall.sh")
    assert machine.files() == set()


def test_a_file_that_someone_put_among_ours_stays(machine: Machine) -> None:
    machine.install()
    note = machine.command.resolve().parent / "_internal/my note"
    note.write_text("mine")
    assert "stay" in machine.uninstall()
    assert [path for path in machine.home.rglob("*") if path.is_file()] == [note]


def test_installing_twice_is_installing_once(machine: Machine) -> None:
    machine.install()
    first = {name for name in machine.files() if "/lib/" not in name}
    machine.install()
    assert {name for name in machine.files() if "/lib/" not in name} == first
    assert len([path for path in machine.lib.iterdir() if path.is_dir()]) == 1
    assert machine.runs() == "quantdesk 1.0"


def test_a_newer_version_replaces_the_older_one(machine: Machine) -> None:
    machine.install()
    machine.unpack("1.1")
    machine.install()
    assert machine.runs() == "quantdesk 1.1"
    assert [path.name for path in machine.lib.iterdir() if path.is_dir()] == ["1.1"]


@pytest.mark.parametrize(
    ("program", "words"),
    [('#!/bin/sh\necho "no such library" >&2\nexit 1\n', "no such library"), ("#!/bin/sh\necho hello\n", "hello")],
)
def test_a_version_that_does_not_start_changes_nothing(machine: Machine, program: str, words: str) -> None:
    machine.install()
    before = machine.files()
    machine.unpack("1.1")
    machine.program(program)
    told = machine.install(code=1)
    assert "nothing was changed" in told
    assert words in told
    assert machine.files() == before
    assert machine.runs() == "quantdesk 1.0"


def test_a_copy_that_fails_half_way_changes_nothing(machine: Machine, tmp_path: Path) -> None:
    machine.install()
    before = machine.files()
    machine.unpack("1.1")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "cp").write_text('#!/bin/sh\nfor last; do :; done\necho half >"$last/quantdesk"\nexit 1\n')
    (tools / "cp").chmod(0o755)
    assert "the copy failed" in machine.install(code=1, PATH=f"{tools}:{os.environ['PATH']}")
    assert machine.files() == before
    assert machine.runs() == "quantdesk 1.0"


@pytest.mark.parametrize("step", (1, 2, 9, 16, 17))
def test_killed_at_any_rename_the_command_still_starts_and_the_next_run_repairs(
    machine: Machine, tmp_path: Path, step: int
) -> None:
    machine.install()
    machine.unpack("1.1")
    tools, count = tmp_path / "tools", tmp_path / "count"
    tools.mkdir()
    counted = f'echo x >>"{count}"\n[ "$(wc -l <"{count}")" -lt {step} ] || {{ kill -9 $PPID; exit 9; }}'
    (tools / "mv").write_text(f'#!/bin/sh\n{counted}\nexec /bin/mv "$@"\n')
    (tools / "mv").chmod(0o755)
    environment = {"HOME": str(machine.home), "PATH": f"{tools}:{os.environ['PATH']}"}
    subprocess.run(["/bin/sh", machine.archive / "install.sh"], env=environment, capture_output=True, check=False)
    assert machine.runs() in ("quantdesk 1.0", "quantdesk 1.1")
    machine.install()
    assert machine.runs() == "quantdesk 1.1"
    machine.uninstall()
    left = {name for name in machine.files() if not name.rpartition(".")[2].isdigit()}
    assert not {name for name in left if (machine.home / name).is_file()}


def test_what_others_installed_is_never_replaced(machine: Machine) -> None:
    machine.command.parent.mkdir(parents=True)
    machine.command.write_text("pip's")
    told = machine.install(code=1)
    assert str(machine.command) in told
    assert "remove it first" in told
    assert machine.command.read_text() == "pip's"
    assert not machine.lib.exists()


def test_a_running_program_keeps_its_files_and_holds_off_uninstalling(machine: Machine) -> None:
    sleep = shutil.which("sleep")
    assert sleep
    machine.install()
    running = machine.command.resolve()
    running.unlink()
    shutil.copy(os.path.realpath(sleep), running)
    with subprocess.Popen([machine.command, "60"]) as process:
        try:
            machine.unpack("1.1")
            assert "still running" in machine.install()
            assert machine.runs() == "quantdesk 1.1"
            assert (running.parent / "_internal/link").read_text() == "1.0"
            assert "quit it first" in machine.uninstall(code=1)
            assert machine.runs() == "quantdesk 1.1"
        finally:
            process.kill()
    machine.install()
    assert not running.exists()
    machine.uninstall()
    assert machine.files() == set()


def test_the_users_own_data_folder_is_honoured(machine: Machine) -> None:
    machine.install(XDG_DATA_HOME=str(machine.home / "my data"))
    assert (machine.home / "my data/applications/quantdesk.desktop").is_file()
    machine.uninstall()
    assert machine.files() == set()


@pytest.mark.parametrize("words", [("--prefix",), ("--nonsense",)])
def test_wrong_use_is_told(machine: Machine, words: tuple[str, ...]) -> None:
    assert "usage:" in machine.install(*words, code=2)
    assert machine.files() == set()


def test_it_refuses_outside_an_archive(machine: Machine, tmp_path: Path) -> None:
    lonely = tmp_path / "install.sh"
    shutil.copy(machine.archive / "install.sh", lonely)
    assert "unpacked archive" in machine.sh(lonely, code=1)
    assert machine.files() == set()
