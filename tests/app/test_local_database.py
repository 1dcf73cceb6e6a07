"""The local database is started by Docker with a private password, and found where it answers."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from quantdesk.app import local_database
from quantdesk.app.local_database import COMPOSE_FILE, LocalDatabaseError, answers, own_password, start

from .dockers import Docker, docker

__all__ = ["docker"]
ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def listening(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("said", "found"), [(b"S", True), (b"N", True), (b"HTTP/1.1 400", False), (b"", False)])
async def test_a_server_is_known_by_its_answer_to_a_tls_request(said: bytes, found: bool) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readexactly(8))
        writer.write(said)
        await writer.drain()
        writer.close()

    async with listening(answer) as port:
        assert await answers(port) is found
    assert asked == [bytes.fromhex("0000000804d2162f")]


async def test_whoever_says_nothing_is_waited_for_a_second_only() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(silent) as port:
        begun = time.monotonic()
        assert not await answers(port)
        assert time.monotonic() - begun < 3
    assert not await answers(port), "and nobody is there any more"


def test_the_address_is_that_of_the_compose_file(tmp_path: Path) -> None:
    address = local_database.local_address(tmp_path)
    assert address.url == "postgresql://quantdesk@127.0.0.1:55432/quantdesk"
    assert local_database.compose_text() == (ROOT / COMPOSE_FILE).read_text("utf-8")


async def test_docker_gets_a_file_with_a_new_password_and_no_secret_in_its_arguments(
    docker: Docker, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "database"
    docker.says(" database Pulling\r database Pulled\n\x1b[32m Container quantdesk-database-1  Healthy\x1b[0m\n")
    told: list[str] = []
    password = await start(folder, told.append)
    assert told == ["database Pulling", "database Pulled", "Container quantdesk-database-1  Healthy"]
    (call,) = docker.calls
    assert call["words"] == [
        "compose", "--env-file", str(folder / ".env"), "-f", str(folder / COMPOSE_FILE), "up", "-d", "--wait",
    ]  # fmt: skip
    assert call["cwd"] == str(folder) and call["file"] == f"QUANTDESK_DB_PASSWORD={password}\n"
    assert len(password) >= 32 and not any(password in str(word) for word in call["words"])
    assert (folder / COMPOSE_FILE).read_text("utf-8") == (ROOT / COMPOSE_FILE).read_text("utf-8")
    if os.name == "posix":
        assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_docker_is_not_told_the_password_of_a_proxy(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://joe:secret@proxy:3128")
    monkeypatch.setenv("NO_PROXY", "localhost")
    await start(tmp_path / "database", lambda _: None)
    (call,) = docker.calls
    assert "https_proxy" not in call["proxies"] and call["proxies"]["NO_PROXY"] == "localhost"


async def test_a_second_start_keeps_the_password_that_the_database_has(docker: Docker, tmp_path: Path) -> None:
    first = await start(tmp_path / "database", lambda _: None)
    assert own_password(tmp_path / "database") == first
    assert await start(tmp_path / "database", lambda _: None) == first
    assert own_password(tmp_path / "elsewhere") == ""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "start it",
        ),
        ("permission denied while trying to connect to the docker API", "group docker"),
        ("unknown shorthand flag: 'f' in -f\n\nUsage:  docker [OPTIONS] COMMAND", "compose plugin"),
        ("docker: unknown command: docker compose", "compose plugin"),
        ("Error response from daemon: Bind for 127.0.0.1:55432 failed: port is already allocated", "55432 is taken"),
        ("Error: failed to resolve: dial tcp: lookup registry-1.docker.io: no such host", "check the network"),
        ("write /var/lib/docker: no space left on device", "make room"),
        ("container quantdesk-database-1 is unhealthy", "docker logs"),
        ("something went ERROR: odd\nbye", "something went ERROR: odd"),
        ("", "said nothing"),
    ],
)
async def test_what_docker_refuses_is_said_with_what_to_do(
    docker: Docker, tmp_path: Path, said: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    docker.says(said, code=1)
    with pytest.raises(LocalDatabaseError) as refused:
        await start(tmp_path / "database", lambda _: None)
    assert words in str(refused.value) and "\n" not in str(refused.value)
    assert own_password(tmp_path / "database") not in caplog.text


async def test_a_password_that_docker_repeats_is_not_passed_on(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("QUANTDESK_DB_PASSWORD=s3cret\n", "utf-8")
    docker.says("variables: QUANTDESK_DB_PASSWORD=s3cret error\n", code=1)
    told: list[str] = []
    with pytest.raises(LocalDatabaseError) as refused:
        await start(tmp_path, told.append)
    assert "s3cret" not in str(refused.value) + "".join(told) and told


async def test_without_docker_it_is_said_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalDatabaseError, match="install it"):
        await start(tmp_path / "database", lambda _: None)
    assert not (tmp_path / "database").exists()


async def test_a_folder_that_cannot_be_written_is_said(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("in the way", "utf-8")
    with pytest.raises(LocalDatabaseError, match="cannot be written"):
        await start(tmp_path / "blocked" / "database", lambda _: None)


async def test_cancelled_it_leaves_no_program_behind(docker: Docker, tmp_path: Path) -> None:
    docker.says("Pulling\n", seconds=60)
    begun = asyncio.Event()
    task = asyncio.get_running_loop().create_task(start(tmp_path / "database", lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert docker.stopped
    (call,) = docker.calls
    with pytest.raises(ProcessLookupError):
        os.kill(int(str(call["pid"])), 0)
