"""Run the database of docker-compose.db.yml on this machine, and look whether one answers already."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import secrets
import shutil
import struct
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Sequence
from pathlib import Path

from quantdesk.config import COMPOSE_DATABASE, COMPOSE_PORT, COMPOSE_USER, resource
from quantdesk.feed.proxy import without_passwords
from quantdesk.store.address import StoreAddress, parse_address
from quantdesk.store.passwords import write_private

log = logging.getLogger(__name__)

COMPOSE_FILE = "docker-compose.db.yml"
VARIABLE = "QUANTDESK_DB_PASSWORD"
HOST = "127.0.0.1"
_LOOK_SECONDS = 1.0
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
#: How long (s) a cancelled docker may take to leave before it is killed.
_PATIENCE = 10.0
_LAST_LINES = 20
_LONGEST = 200
_ENDS = re.compile(r"[\r\n]+")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: What Docker says, and what to do about it.
_KNOWN = (
    ("cannot connect to the docker daemon", "Docker does not run: start it, or Docker Desktop, and try again"),
    ("permission denied", "Docker does not let you in: add yourself to the group docker, sign in anew and try again"),
    ("is not a docker command", "this Docker has no compose: install its compose plugin and try again"),
    ("unknown command: docker compose", "this Docker has no compose: install its compose plugin and try again"),
    ("unknown shorthand flag", "this Docker has no compose: install its compose plugin and try again"),
    ("unknown flag: --wait", "this Docker's compose is too old: bring it up to date and try again"),
    ("port is already allocated", f"port {COMPOSE_PORT} is taken: stop what listens there and try again"),
    ("address already in use", f"port {COMPOSE_PORT} is taken: stop what listens there and try again"),
    ("no space left on device", "the disk is full: make room and try again"),
    ("no such host", "the image cannot be downloaded: check the network and try again"),
    ("dial tcp", "the image cannot be downloaded: check the network and try again"),
    ("i/o timeout", "the image cannot be downloaded: check the network and try again"),
    ("is unhealthy", "the database does not come up: look at `docker logs` of quantdesk-database-1"),
)


class LocalDatabaseError(Exception):
    """Say in one line why the local database does not run and what to do next."""


def docker_program() -> str | None:
    """Return the path of the docker program, or None where there is none."""
    return shutil.which("docker")


def local_address(folder: Path) -> StoreAddress:
    """Name the local database; ``folder`` keeps its spill."""
    return parse_address(f"postgresql://{COMPOSE_USER}@{HOST}:{COMPOSE_PORT}/{COMPOSE_DATABASE}", folder)


async def answers(port: int = COMPOSE_PORT) -> bool:
    """Tell whether a PostgreSQL server listens on this machine's loopback; never longer than a second."""
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(_SSL_REQUEST)
                await writer.drain()
                return await reader.read(1) in (b"S", b"N")
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False


def compose_text() -> str:
    """Return the compose file that is shipped; in a checkout it lies at the top."""
    try:
        return resource(COMPOSE_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return (Path(__file__).resolve().parents[2] / COMPOSE_FILE).read_text(encoding="utf-8")


def prepare(folder: Path) -> str:
    """Write the compose file and a private .env with a new password, or take the one there; return the password.

    The database takes its password at its first start only: a .env that exists is not replaced.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / COMPOSE_FILE).write_text(compose_text(), encoding="utf-8")
        password = own_password(folder)
        if not password:
            password = secrets.token_urlsafe(24)
            write_private(folder / ".env", f"{VARIABLE}={password}\n")
    except OSError as error:
        words = f"{folder} cannot be written ({error.strerror}): free it, or name another --data-dir"
        raise LocalDatabaseError(words) from None
    return password


def own_password(folder: Path) -> str:
    """Return the password that an earlier start has written, empty where there was none."""
    try:
        held = (folder / ".env").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    found = re.search(rf"^{VARIABLE}=(\S+)$", held, re.M)
    return found[1] if found else ""


async def start(folder: Path, told: Callable[[str], None]) -> str:
    """Start the database and wait until it serves; return its password. Raises LocalDatabaseError in words.

    ``told`` gets what Docker says meanwhile. Cancelled, it ends Docker's program and leaves nothing half-done
    that the next start would not finish.
    """
    docker = docker_program()
    if docker is None:
        raise LocalDatabaseError("Docker is not on the PATH: install it and try again, or name a database server")
    made: list[str] = []
    # Not as a result: the loop's own debug log shows results and arguments.
    await asyncio.to_thread(lambda: made.append(prepare(folder)))
    password = made[0]
    # The password stays in the file: arguments can be read by every user of the machine.
    words = ("compose", "--env-file", str(folder / ".env"), "-f", str(folder / COMPOSE_FILE), "up", "-d", "--wait")
    try:
        process = await _started(docker, words, folder)
    except OSError as error:
        raise LocalDatabaseError(f"{docker} cannot be started: {error.strerror or error}") from None
    lines: list[str] = []
    try:
        await _listen(process, lambda line: _tell(line.replace(password, "…"), lines, told))
        code = await process.wait()
    finally:
        await _end(process)
    if code != 0:
        log.warning("docker compose ended with %d: %s", code, " | ".join(lines[-3:]))
        raise LocalDatabaseError(_reason(lines, code))
    return password


async def _started(docker: str, words: Sequence[str], folder: Path) -> Process:
    """Start Docker's program; one that is cancelled meanwhile is asked to end, not killed in the middle."""
    environ = without_passwords(os.environ)
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            docker, *words, cwd=folder, env=environ, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _end(await starting)
        raise


async def _listen(process: Process, take: Callable[[str], None]) -> None:
    """Hand over every line; progress that is written over itself ends in a carriage return."""
    assert process.stdout is not None
    rest = ""
    while chunk := await process.stdout.read(4_096):
        *whole, rest = _ENDS.split(rest + chunk.decode("utf-8", "replace"))
        for line in [*whole, rest] if len(rest) > _LONGEST else whole:
            _take(line, take)
        rest = "" if len(rest) > _LONGEST else rest
    _take(rest, take)


def _take(line: str, take: Callable[[str], None]) -> None:
    words = _COLOURS.sub("", line).strip()
    if words:
        take(words[:_LONGEST])


def _tell(line: str, lines: list[str], told: Callable[[str], None]) -> None:
    lines.append(line)
    del lines[:-_LAST_LINES]
    told(line)


async def _end(process: Process) -> None:
    """Make sure that the program is gone; it is asked first, so that it can tidy up."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _reason(lines: list[str], code: int) -> str:
    said = "\n".join(lines).casefold()
    for mark, words in _KNOWN:
        if mark in said:
            return words
    telling = [line for line in lines if "error" in line.casefold()] or lines
    return f"Docker ended with {code}: {telling[-1]}" if telling else f"Docker ended with {code} and said nothing"
