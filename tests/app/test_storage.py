"""The whole desk changes its store, copies it, keeps passwords and starts a database, and never stops to answer."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import keyring
import keyring.backends.fail
import pytest

from quantdesk.app import local_database, local_offer
from quantdesk.app.desk import Desk
from quantdesk.store.address import parse_address
from quantdesk.store.base import Retention
from quantdesk.types import Instrument, Origin
from tests.app.driven import drive, notices, reached, settings_of
from tests.store.keyrings import MemoryKeyring

from .dockers import docker
from .stores import opened, over, said, seeded

__all__ = ["docker"]
SECRET = "s3cret:/@wörd"
LEG = Instrument("a market", "BTCUSDT")


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    held = MemoryKeyring()
    keyring.set_keyring(held)
    yield held
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def _nobody_else_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a database where no test of another session can have one."""

    async def nobody() -> bool:
        return False

    monkeypatch.setattr(local_database, "answers", nobody)


async def closed_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


def test_the_facts_of_the_store_in_use_are_shown(qapp, place, nowhere) -> None:
    seeded(place / "data" / "quantdesk.sqlite")

    async def act(desk: Desk) -> None:
        dialog = opened(desk)
        await reached(lambda: dialog.facts.head.text().startswith("SQLite"), "the facts")
        assert ("Trades", "500") in [row[:2] for row in dialog.facts.tables.rows()]
        assert dialog.fields.file.text() == str(place / "data" / "quantdesk.sqlite")
        dialog.refresh.click()
        await reached(dialog.refresh.isEnabled, "the facts again")

    drive(qapp, nowhere, act, "--data-dir", place / "data")


def test_a_server_that_is_away_is_told_in_words_while_the_window_lives(qapp, place, nowhere, caplog) -> None:
    caplog.set_level(logging.DEBUG)

    async def act(desk: Desk) -> None:
        dialog = opened(desk)
        port = await closed_port()
        dialog.propose(parse_address(f"postgresql://trader@127.0.0.1:{port}/desk", place).with_password(SECRET))
        begun = time.monotonic()
        dialog.store.test.click()
        assert time.monotonic() - begun < 0.5, "the click does not wait for the server"
        await reached(lambda: over(dialog), "the answer")
        assert dialog.store.outcome.level == "error" and f"127.0.0.1:{port}" in said(dialog)
        dialog.store.use.click()
        await reached(lambda: over(dialog) and dialog.store.use.isEnabled(), "the answer")
        assert dialog.store.outcome.level == "error"
        assert desk.feeding.session.address.path == place / "data" / "quantdesk.sqlite", "nothing was changed"

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    assert not settings_of(place / "data").get("database")
    told = caplog.text + "".join(p.read_text("utf-8", "replace") for p in (place / "data").rglob("*.log"))
    assert SECRET not in told


def test_another_file_is_used_at_once_and_at_the_next_start(qapp, place, nowhere) -> None:
    data, other = place / "data", place / "other folder" / "store.sqlite"

    async def act(desk: Desk) -> None:
        dialog = opened(desk)
        dialog.fields.file.setText(str(other))
        dialog.store.test.click()
        await reached(lambda: over(dialog), "the answer")
        assert "it is made when you use it" in said(dialog) and not other.exists()
        dialog.store.use.click()
        await reached(lambda: "from now on" in said(dialog), "the change")
        await reached(lambda: desk.feeding.session.address.path == other, "the other session")
        await reached(other.exists, "the other file")
        await reached(lambda: dialog.facts.fact("Place") == str(other), "its facts")

    async def look(desk: Desk) -> None:
        assert desk.feeding.session.address.path == other
        dialog = opened(desk)
        dialog.fields.file.setText(str(data / "quantdesk.sqlite"))
        dialog.store.use.click()
        await reached(lambda: "from now on" in said(dialog), "the way back")

    drive(qapp, nowhere, act, "--data-dir", data)
    assert settings_of(data)["database"] == f"sqlite:///{other}"
    drive(qapp, nowhere, look, "--data-dir", data)
    assert settings_of(data)["database"] == ""


def test_a_simulation_keeps_to_its_own_store(qapp, place, nowhere) -> None:
    async def act(desk: Desk) -> None:
        before = desk.feeding.session.address
        dialog = opened(desk)
        dialog.fields.file.setText(str(place / "real.sqlite"))
        dialog.store.use.click()
        await reached(lambda: over(dialog), "the answer")
        assert "live market" in said(dialog)
        assert desk.feeding.session.address == before and desk.feeding.session.plan.origin is Origin.SIMULATED

    drive(qapp, nowhere, act, "--simulate", "--data-dir", place / "data")
    assert not (place / "real.sqlite").exists()


def test_limits_count_at_once_and_are_remembered(qapp, place, nowhere) -> None:
    async def act(desk: Desk) -> None:
        await reached(lambda: desk.feeding.session.writer is not None, "the store")
        dialog = opened(desk)
        dialog.limits.days.setValue(30)
        dialog.limits.gigabytes.setValue(2.5)
        dialog.limits.apply.click()
        await reached(lambda: dialog.limits.said.text() != "", "the answer")
        assert "count from now on" in dialog.limits.said.text()
        assert desk.feeding.session.writer is not None
        kept = await asyncio.wrap_future(desk.feeding.session.writer.call(lambda store: store.retention()))
        assert (kept.keep_days, kept.keep_bytes) == (30, 2_500_000_000)
        assert desk.settings.settings.retention() == Retention(30, 2_500_000_000, 7)

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    assert settings_of(place / "data")["keep_ticks_days"] == 30


def test_a_password_in_the_keyring_is_shown_as_kept_and_can_be_forgotten(qapp, place, nowhere, memory) -> None:
    address = parse_address("postgresql://trader@127.0.0.1:9/desk", place)
    memory.set_password("quantdesk", address.words, SECRET)

    async def act(desk: Desk) -> None:
        dialog = opened(desk)
        dialog.propose(address)
        await reached(lambda: dialog.fields.password.placeholderText() == "kept in the keyring", "the keyring")
        assert dialog.fields.password.text() == ""
        dialog.fields.forget.click()
        await reached(lambda: "no longer" in said(dialog), "the answer")
        assert memory.held == {} and not dialog.fields.forget.isEnabled()

    drive(qapp, nowhere, act, "--data-dir", place / "data")


def test_where_there_is_no_keyring_the_password_can_go_to_libpqs_file(qapp, place, nowhere, monkeypatch) -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())
    monkeypatch.setenv("PGPASSFILE", str(place / "pgpass"))

    async def act(desk: Desk) -> None:
        dialog = opened(desk)
        dialog.propose(parse_address("postgresql://trader@db/desk", place).with_password("s3cret"))
        dialog.store.show_outcome("warning", "not kept", offer_pgpass=True)
        dialog.store.pgpass.click()
        await reached(lambda: "pgpass" in said(dialog), "the answer")
        assert (place / "pgpass").read_text("utf-8") == "db:5432:desk:trader:s3cret\n"

    drive(qapp, nowhere, act, "--data-dir", place / "data")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the desk find a database on a port, soon after its start."""
    answers = _ANSWERS

    def at(port: int) -> None:
        monkeypatch.setattr(local_database, "answers", partial(answers, port))

    monkeypatch.setattr(local_offer, "_LOOK_AFTER_MS", 50)
    return at


_ANSWERS = local_database.answers


def test_a_database_found_here_is_offered_until_it_is_declined(qapp, place, nowhere, found, monkeypatch) -> None:
    async def act(desk: Desk) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(8)
            writer.write(b"N")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        found(server.sockets[0].getsockname()[1])
        async with server:
            desk.storage.start()
            await reached(lambda: "database server answers" in notices(desk), "the offer")
        (notice,) = [n for n in desk.window.banner.notices() if "database" in n.text]
        use, copy, decline = notice.actions
        use.act()
        dialog = desk.window.storage.dialog
        assert dialog is not None and dialog.fields.url.text() == "postgresql://127.0.0.1:55432/quantdesk"
        dialog.reject()
        copy.act()
        copying = desk.window.storage.copying
        assert copying is not None and copying.fields.user.text() == "quantdesk"
        copying.reject()
        decline.act()
        assert "database server" not in notices(desk)

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    assert settings_of(place / "data")["server_offer_declined"] is True

    async def look(desk: Desk) -> None:
        asked: list[str] = []

        async def answers() -> bool:
            asked.append("again")
            return True

        monkeypatch.setattr(local_database, "answers", answers)
        desk.storage.start()
        await asyncio.sleep(0.3)
        assert asked == []

    drive(qapp, nowhere, look, "--data-dir", place / "data")


def test_the_local_database_is_started_and_proposed_with_its_password_kept(
    qapp, place, nowhere, docker, memory, caplog
) -> None:
    caplog.set_level(logging.DEBUG)
    docker.says("Pulling\nContainer Healthy\n", seconds=0.5)

    async def act(desk: Desk) -> None:
        dialog = opened(desk)
        dialog.store.local.click()
        await reached(lambda: "Container Healthy" in said(dialog), "what Docker says")
        assert not dialog.store.use.isEnabled()
        dialog.reject()
        dialog = opened(desk)
        await reached(lambda: not dialog.store.bar.isHidden(), "the same in a dialog opened later")
        await reached(lambda: over(dialog), "the database")
        assert dialog.store.outcome.level == "ok" and "local database runs" in said(dialog)
        assert dialog.tabs.currentWidget() is dialog.store
        assert dialog.fields.url.text() == "postgresql://127.0.0.1:55432/quantdesk"
        await reached(lambda: dialog.fields.password.placeholderText() == "kept in the keyring", "the keyring")

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    (call,) = docker.calls
    assert [f"QUANTDESK_DB_PASSWORD={password}\n" for password in memory.held.values()] == [call["file"]]
    assert not [password for password in memory.held.values() if password in caplog.text]


def test_without_a_keyring_the_local_password_stands_in_its_field(qapp, place, nowhere, docker) -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())

    async def act(desk: Desk) -> None:
        desk.window.storage.start_local_requested.emit()
        await reached(lambda: desk.window.storage.dialog is not None, "the proposal")
        dialog = desk.window.storage.dialog
        assert dialog is not None
        await reached(lambda: over(dialog), "the words")
        assert dialog.store.outcome.level == "warning" and dialog.store.pgpass.isVisible()
        password = dialog.fields.password.text()
        assert (place / "data" / "database" / ".env").read_text("utf-8") == f"QUANTDESK_DB_PASSWORD={password}\n"
        dialog.reject()
        dialog = opened(desk)
        dialog.propose(local_database.local_address(place / "data"))
        await reached(lambda: dialog.fields.password.text() == password, "the password that was made here")

    drive(qapp, nowhere, act, "--data-dir", place / "data")


def test_starting_the_database_can_be_cancelled_and_refusals_are_told(qapp, place, nowhere, docker) -> None:
    docker.says("Pulling\n", seconds=60)

    async def act(desk: Desk) -> None:
        dialog = opened(desk)
        dialog.store.local.click()
        await reached(lambda: "Pulling" in said(dialog), "Docker")
        dialog.store.cancel.click()
        await reached(lambda: over(dialog), "the end")
        assert "Stopped" in said(dialog) and docker.stopped
        docker.says("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", code=1)
        dialog.store.local.click()
        await reached(lambda: "Docker does not run" in said(dialog), "the refusal")
        assert dialog.store.outcome.level == "error"

    drive(qapp, nowhere, act, "--data-dir", place / "data")


def test_quitting_while_docker_works_ends_it(qapp, place, nowhere, docker) -> None:
    docker.says("Pulling\n", seconds=60)

    async def act(desk: Desk) -> None:
        desk.window.storage.start_local_requested.emit()
        await reached(lambda: docker.calls, "Docker")

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    assert docker.stopped


def test_a_store_named_by_the_settings_is_used_from_the_start_on(qapp, place, nowhere) -> None:
    (place / "data" / "config").mkdir(parents=True)
    path = place / "data" / "config" / "settings.json"
    path.write_text(json.dumps({"database": f"sqlite:///{place}/chosen.sqlite", "muted": True}), "utf-8")

    async def act(desk: Desk) -> None:
        assert desk.feeding.session.address.path == place / "chosen.sqlite"

    drive(qapp, nowhere, act, "--data-dir", place / "data")


def test_keyring_and_dialogs_are_not_imported_before_they_are_needed() -> None:
    late = ("keyring", "jeepney", "quantdesk.ui.storage_dialog", "quantdesk.ui.copy_dialog", "quantdesk.store.moving")
    code = f"import sys, quantdesk.app.desk\nprint([m for m in {late!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
