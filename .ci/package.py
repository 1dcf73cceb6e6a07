"""Build the packaged program in a clean environment and pack it: dist/quantdesk and dist/quantdesk-VERSION-….

On Linux a .tar.xz, on Windows and macOS a .zip, each with its SHA-256 beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import lzma
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import ground
import identity

DIST = ground.ROOT / "dist"
ENVIRONMENT = ground.ROOT / "build" / "environment"
#: PyInstaller reads libraries with objdump.
DEBIAN_PACKAGES = ("binutils",)


def main() -> int:
    """Build, pack and say where it lies; 1 in words when something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dist", type=Path, default=DIST, help="put the result here (default: dist)")
    parser.add_argument("--no-archive", action="store_true", help="leave the folder unpacked only")
    parser.add_argument(
        "--compress", type=int, choices=range(10), default=6, metavar="0-9", help="of the .tar.xz (default: 6)"
    )
    args = parser.parse_args()
    try:
        folder = build(args.dist.absolute())
        archive = None if args.no_archive else pack(folder, args.dist.absolute(), args.compress)
    except (ground.GroundError, OSError) as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    print(f"package: {folder} ({_megabytes(folder)} MB)")
    if archive is not None:
        print(f"package: {archive} ({archive.stat().st_size / 1e6:.0f} MB)")
    return 0


def build(dist: Path) -> Path:
    """Make a new environment with the locked versions, run pyinstaller.spec in it; return what to ship."""
    ground.check_python()
    # Whoever looks for the result after a failure must not take an older one for it.
    for older in dist.glob(f"{identity.NAME}-{identity.version()}-*"):
        older.unlink()
    shutil.rmtree(dist / identity.NAME, ignore_errors=True)
    ground.install_debian_packages((*ground.QT_PACKAGES, *_debian_packages()))
    # Anything else that is installed would be found and packed: nothing of an older environment stays.
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    ground.install_environment("package", ENVIRONMENT)
    work = ground.ROOT / "build" / "pyinstaller"
    command = [ground.python(ENVIRONMENT), "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"]
    command += ["--distpath", dist, "--workpath", work, ground.ROOT / "pyinstaller.spec"]
    if ground.run(command, cwd=ground.ROOT) != 0:
        raise ground.GroundError("PyInstaller failed: read its message above")
    return dist / (f"{identity.NAME}.app" if sys.platform == "darwin" else identity.NAME)


def pack(folder: Path, dist: Path, compress: int = 6) -> Path:
    """Pack the folder as one top folder into an archive and write its SHA-256 beside it."""
    kind = {"linux": "linux", "win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    stem = f"{identity.NAME}-{identity.version()}-{kind}-{platform.machine().lower()}"
    if sys.platform == "linux":
        archive = dist / f"{stem}.tar.xz"
        _tar(folder, archive, stem, compress)
    elif sys.platform == "darwin":
        archive = dist / f"{stem}.zip"
        # Python's zipfile loses the links inside a bundle.
        if ground.run(["ditto", "-c", "-k", "--keepParent", folder, archive]) != 0:
            raise ground.GroundError("ditto could not pack the bundle: read its message above")
    else:
        archive = dist / f"{stem}.zip"
        _zip(folder, archive, stem)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    Path(f"{archive}.sha256").write_text(f"{digest}  {archive.name}\n", encoding="utf-8")
    return archive


def _tar(folder: Path, archive: Path, top: str, compress: int) -> None:
    """Write a .tar.xz that is the same for the same files: sorted, owned by nobody, dated by the commit.

    Everybody may read what is in it, however careful the builder's umask is.
    """
    moment = _commit_time()

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = moment
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    with lzma.open(archive, "wb", preset=compress) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(folder, arcname=top, recursive=False, filter=plain)
        for path in sorted(folder.rglob("*")):
            tar.add(path, arcname=f"{top}/{path.relative_to(folder).as_posix()}", recursive=False, filter=plain)


def _zip(folder: Path, archive: Path, top: str) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, f"{top}/{path.relative_to(folder).as_posix()}")


def _commit_time() -> int:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    told = subprocess.run(command, cwd=ground.ROOT, capture_output=True, text=True, check=False)
    return int(told.stdout) if told.returncode == 0 and told.stdout.strip() else 0


def _debian_packages() -> tuple[str, ...]:
    # Debian's own Python keeps its shared library apart. The gate runs this with an environment's python:
    # where that one comes from is what counts.
    own = (f"libpython3.{sys.version_info.minor}",) if sys.base_prefix == "/usr" else ()
    return (*DEBIAN_PACKAGES, *own)


def _megabytes(folder: Path) -> int:
    return round(sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6)


if __name__ == "__main__":
    sys.exit(main())
