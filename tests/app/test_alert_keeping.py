"""Alerts outlive the session: they are stored as they fire, later where the store is away, and followed further."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantdesk.analytics.alerts.outcome import Ended
from quantdesk.analytics.alerts.record import outcome_from_json
from quantdesk.app import alert_keeping
from quantdesk.app.desk import Desk
from quantdesk.store.embedded import open_embedded
from quantdesk.store.left_alerts import LeftAlert, LeftOutcome, keep, left_of
from quantdesk.types import AlertRow, Origin
from tests.app.driven import drive, reached
from tests.model.conftest import MINUTE, START
from tests.model.test_alerts import frame
from tests.store.test_outage import locked


def stored(data: Path) -> list[AlertRow]:
    reader = open_embedded(data / "quantdesk.sqlite", read_only=True)
    try:
        return reader.firings()
    finally:
        reader.close()


def fire(desk: Desk, z: list[float]) -> None:
    """Let bars close one by one, as they would on a market."""
    for end in range(1, len(z) + 1):
        desk.alerts.judge(frame(z[:end]))


def seen(data: Path) -> list[AlertRow]:
    return stored(data) if (data / "quantdesk.sqlite").exists() else []


def test_a_restart_brings_firings_back_and_follows_an_open_one_to_its_end(qapp, place, nowhere) -> None:
    data = place / "data"

    async def first(desk: Desk) -> None:
        fire(desk, [0.0, 2.5, -0.1, -3.0, -2.9])
        await reached(lambda: len(seen(data)) == 2, "both firings")

    drive(qapp, nowhere, first, "--data-dir", data)
    before = stored(data)
    assert [(row.bar_time, row.outcome is None) for row in before] == [
        (START + MINUTE, False),
        (START + 3 * MINUTE, True),
    ]

    async def second(desk: Desk) -> None:
        await reached(lambda: len(desk.alerts.events) == 2, "the earlier alerts")
        table = desk.window.table.rows
        assert [table.event_at(row).z for row in range(2)] == [-3.0, 2.5]
        assert all(event.earlier for event in desk.alerts.events)
        assert "3 Jul" in table.cells(table.event_at(0))[0] and "earlier session" in table.tip(table.event_at(0))
        record = desk.alerts.record_of(desk.alerts.rules[0])
        assert (record.firings, record.reverted, record.open) == (2, 1, 1)
        fire(desk, [0.0, 2.5, -0.1, -3.0, -2.9, -2.0, 0.4])
        assert table.cells(table.event_at(0))[5] == "reverted in 3 bars"
        assert desk.alerts.record_of(desk.alerts.rules[0]).reverted == 2
        await reached(lambda: all(row.outcome for row in stored(data)), "the end of the open one")

    drive(qapp, nowhere, second, "--data-dir", data)
    after = stored(data)
    assert [row.id for row in after] == [row.id for row in before], "nothing was kept twice"
    outcome = outcome_from_json(str(after[1].outcome))
    assert (outcome.ended, outcome.bars) == (Ended.REVERTED, 3)


def test_what_fires_at_the_very_end_is_still_stored(qapp, place, nowhere) -> None:
    data = place / "data"

    async def act(desk: Desk) -> None:
        await reached(lambda: desk.feeding.session.writer is not None, "the store")
        fire(desk, [0.0, 2.5])

    drive(qapp, nowhere, act, "--data-dir", data)
    assert len(stored(data)) == 1
    assert not (data / "alerts.left").exists(), "the store took it as it closed"


def test_a_store_that_is_away_gets_everything_once_it_is_back(qapp, place, nowhere, monkeypatch) -> None:
    monkeypatch.setattr("quantdesk.store.sqlite_file.BUSY_SECONDS", 0.02)
    monkeypatch.setattr(alert_keeping, "_AFTER_TROUBLE", 0.2)
    data = place / "data"

    async def act(desk: Desk) -> None:
        fire(desk, [0.0, 2.5])
        await reached(lambda: len(seen(data)) == 1, "the first firing")
        with locked_file(data):
            fire(desk, [0.0, 2.5, -0.1, 3.0])
            await reached(lambda: desk.keeping._rests_until > 0, "a refusal")
            assert desk.keeping.waiting == 2
        await reached(lambda: desk.keeping.waiting == 0, "the writes")
        assert [row.outcome is None for row in stored(data)] == [False, True]

    drive(qapp, nowhere, act, "--data-dir", data)
    assert len(stored(data)) == 2


def test_a_store_that_stays_away_does_not_keep_the_desk_from_closing_and_gets_it_at_the_next_start(
    qapp, place, nowhere, monkeypatch
) -> None:
    monkeypatch.setattr("quantdesk.store.sqlite_file.BUSY_SECONDS", 0.02)
    data = place / "data"
    held = []

    async def act(desk: Desk) -> None:
        await reached(lambda: desk.keeping._read_from is not None, "the store")
        held.append(locked_file(data))
        held[0].__enter__()
        fire(desk, [0.0, 2.5])

    drive(qapp, nowhere, act, "--data-dir", data)
    held[0].__exit__(None, None, None)
    assert stored(data) == []
    (waits,) = left_of(data / "alerts.left")
    assert isinstance(waits.work, AlertRow) and waits.work.bar_time == START + MINUTE

    async def later(desk: Desk) -> None:
        await reached(lambda: len(stored(data)) == 1, "what the last session left")
        await reached(lambda: len(desk.alerts.events) == 1, "its row in the table")
        assert not (data / "alerts.left").exists()

    drive(qapp, nowhere, later, "--data-dir", data)
    assert stored(data) == [waits.work]


def test_what_waits_for_another_store_waits_on_over_many_starts(qapp, place, nowhere) -> None:
    data = place / "data"
    keep(data / "alerts.left", [LeftAlert("another store", LeftOutcome("key", "{}", 5))])

    async def act(desk: Desk) -> None:
        await reached(lambda: desk.keeping._read_from is not None, "the store")
        fire(desk, [0.0, 2.5])
        await reached(lambda: desk.keeping.waiting == 1, "the writes")

    for _ in range(2):
        drive(qapp, nowhere, act, "--data-dir", data)
        assert left_of(data / "alerts.left") == [LeftAlert("another store", LeftOutcome("key", "{}", 5))]
    assert len(stored(data)) == 1


def test_simulated_alerts_do_not_go_to_the_markets_store(qapp, place, nowhere) -> None:
    data = place / "data"

    async def act(desk: Desk) -> None:
        await reached(lambda: desk.keeping._read_from is not None, "the store")
        desk.window.simulate_requested.emit()
        await reached(lambda: desk.feeding.session.plan.origin is Origin.SIMULATED, "the simulation")
        desk.alerts.judge(frame([0.0], Origin.SIMULATED))
        desk.alerts.judge(frame([0.0, 3.0], Origin.SIMULATED))
        assert any(event.origin is Origin.SIMULATED for event in desk.alerts.events)
        desk.window.live_requested.emit()
        await reached(lambda: desk.feeding.session.plan.origin is Origin.LIVE, "the market")
        desk.alerts.judge(frame([0.0], epoch=5))
        desk.alerts.judge(frame([0.0, 4.0], epoch=5))
        await reached(lambda: len(stored(data)) == 1, "the market's alert")

    drive(qapp, nowhere, act, "--data-dir", place / "other", "--database", f"sqlite:///{data}/quantdesk.sqlite")
    assert [row.origin for row in stored(data)] == [Origin.LIVE]


def test_rows_of_a_newer_version_are_left_out_with_a_word(qapp, place, nowhere) -> None:
    data = place / "data"

    async def first(desk: Desk) -> None:
        fire(desk, [0.0, 2.5])
        await reached(lambda: len(seen(data)) == 1, "the firing")

    drive(qapp, nowhere, first, "--data-dir", data)
    store = open_embedded(data / "quantdesk.sqlite")
    (row,) = store.firings()
    newer = {**json.loads(row.snapshot), "schema": 99}
    store.save_firing(AlertRow("newer", *(getattr(row, name) for name in AlertRow.__slots__[1:11]), json.dumps(newer)))
    store.close()

    async def second(desk: Desk) -> None:
        await reached(lambda: len(desk.alerts.events) == 1, "the alert that can be read")
        await reached(lambda: desk.window.toasts.toasts, "a word")
        assert "1 of 2 stored alerts" in desk.window.toasts.toasts[0].accessibleName()

    drive(qapp, nowhere, second, "--data-dir", data)


def locked_file(data: Path):
    """Hold the desk's database as another program would."""
    link = data / "store.sqlite"
    if not link.exists():
        link.symlink_to(data / "quantdesk.sqlite")
    return locked(data)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_keeping, "LOOK_MS", 30)


def test_what_waits_for_one_store_is_not_given_to_another(qapp, place, nowhere) -> None:
    data = place / "data"

    async def act(desk: Desk) -> None:
        await reached(lambda: desk.keeping._read_from is not None, "the store")
        desk.keeping._timer.stop()
        fire(desk, [0.0, 2.5])
        desk.keeping._timer.start()
        desk.keeping._rests_until = float("inf")
        desk.window.simulate_requested.emit()
        await reached(lambda: desk.feeding.session.plan.origin is Origin.SIMULATED, "the simulation")
        desk.keeping._rests_until = 0.0
        await reached(lambda: desk.keeping._read_from is desk.feeding.session, "the simulation's store")
        assert desk.keeping.waiting == 1 and not stored(data)
        desk.keeping._rests_until = float("inf")
        desk.alerts.judge(frame([0.0], Origin.SIMULATED, epoch=7))
        desk.alerts.judge(frame([0.0, 3.0], Origin.SIMULATED, epoch=7))
        assert desk.keeping.waiting > 1
        desk.window.live_requested.emit()
        await reached(lambda: desk.feeding.session.plan.origin is Origin.LIVE, "the market")
        assert desk.keeping.waiting == 1, "the simulation's store is gone"
        desk.keeping._rests_until = 0.0
        await reached(lambda: desk.keeping.waiting == 0, "the market's store")

    drive(qapp, nowhere, act, "--data-dir", place / "other", "--database", f"sqlite:///{data}/quantdesk.sqlite")
    assert [row.origin for row in stored(data)] == [Origin.LIVE]
