"""Make a bare Debian tree and run the packaged program in it, as a user who owns nothing of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.program.desks import until
from tests.servers import tool

SUITE = "bookworm"
#: Nobody on the machine has this number.
USER = 26027
HOME = Path("/users/some user")
OUTSIDE = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}  # where chroot is
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class Run:
    """Hold a program that runs in the tree, its output in files outside it."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process, self.out, self.err = process, out, err

    @property
    def runs(self) -> bool:
        """Say whether it has not ended yet."""
        return self.process.poll() is None

    @property
    def errors(self) -> str:
        """Return what it wrote to stderr."""
        return self.err.read_text("utf-8", "replace")

    def ended(self) -> tuple[int, str]:
        """Wait for its end; return exit code and stderr."""
        until(lambda: not self.runs, f"the program to end; stderr so far: {self.errors}")
        return self.process.returncode, self.errors


class BareTree:
    """Own a Debian tree that holds the documented libraries and nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._number = 0

    def make(self) -> None:
        """Bootstrap the tree; the documented libraries are all that is added to Debian's smallest one."""
        ground, known = tool("ground"), tool("timescale_server")
        ground.install_debian_packages(("debootstrap",))
        libraries = ",".join(ground.DESK_PACKAGES)
        command = ["debootstrap", "--variant=minbase", f"--include={libraries}", SUITE, str(self.root)]
        done = subprocess.run([*command, known.mirror()], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        with contextlib.suppress(OSError):  # where mounting is not allowed the program has to do without
            (self.root / "proc").mkdir(exist_ok=True)
            subprocess.run(["mount", "-t", "proc", "proc", str(self.root / "proc")], check=False, capture_output=True)
        home = self.root / HOME.relative_to("/")
        home.mkdir(parents=True)
        os.chown(home, USER, USER)

    def remove(self) -> None:
        """Unmount and delete it."""
        subprocess.run(["umount", "-l", str(self.root / "proc")], check=False, capture_output=True)
        shutil.rmtree(self.root, ignore_errors=True)

    def inside(self, path: Path) -> Path:
        """Return where a path of the tree lies for us."""
        return self.root / path.relative_to("/")

    def unpack(self, archive: Path, folder: Path) -> Path:
        """Unpack an archive into a folder of the tree, owned by root; return its top folder in the tree."""
        place = self.inside(folder)
        place.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as packed:
            top = packed.next().name.partition("/")[0]
            packed.extractall(place, filter="tar")
        return folder / top

    def give(self, path: Path, text: str) -> Path:
        """Write a file that belongs to the user; return its path in the tree."""
        place = self.inside(path)
        for folder in reversed(place.relative_to(self.inside(HOME)).parents):
            made = self.inside(HOME) / folder
            made.mkdir(exist_ok=True)
            os.chown(made, USER, USER)
        place.write_text(text, encoding="utf-8")
        os.chown(place, USER, USER)
        return path

    def run(
        self, *words: str | Path, timeout: float = 120, cwd: Path = HOME, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the user to its end."""
        command = self._command(words, cwd, variables)
        return subprocess.run(
            command, env=OUTSIDE, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False
        )

    @contextmanager
    def running(self, folder: Path, *words: str | Path, **variables: str) -> Iterator[Run]:
        """Run a command as the user for the length of a block; its output goes to files in ``folder``."""
        self._number += 1
        out, err = folder / f"tree-out{self._number}.txt", folder / f"tree-err{self._number}.txt"
        with out.open("wb") as told, err.open("wb") as complained:
            process = subprocess.Popen(
                self._command(words, HOME, variables), env=OUTSIDE, stdin=subprocess.DEVNULL, stdout=told,
                stderr=complained, start_new_session=True,
            )  # fmt: skip
        try:
            yield Run(process, out, err)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def show_screen(self, display: str) -> None:
        """Let programs of the tree reach an X server of this machine."""
        name = f"X{display.removeprefix(':')}"
        folder = self.root / "tmp" / ".X11-unix"
        folder.mkdir(mode=0o1777, exist_ok=True)
        (folder / name).unlink(missing_ok=True)
        (folder / name).hardlink_to(Path("/tmp/.X11-unix", name))

    def _command(self, words: Sequence[str | Path], cwd: Path, variables: dict[str, str]) -> list[str]:
        # env sets the folder inside the tree; chroot itself starts in its root.
        settings = {**ENVIRONMENT, "HOME": str(HOME), **variables}
        enter = ["chroot", f"--userspec={USER}:{USER}", str(self.root), "/usr/bin/env", "-i", f"--chdir={cwd}"]
        return [*enter, *(f"{name}={value}" for name, value in settings.items()), *(str(word) for word in words)]
