"""The whole desk in this process, on a real exchange of its own: live, simulated, files, and back."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Comparison, Rule
from quantdesk.app.desk import Desk
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Instrument, Origin, Tick
from tests.app.driven import all_whole, bars, drive, held, is_live, notices, reached, settings_of
from tests.program.desks import write_pair


def test_live_bars_appear_without_a_hole_between_history_and_now(qapp, place, exchange) -> None:
    data = place / "data"

    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk) and bars(desk) > 100, "bars")
        # The history of one leg comes after the other's.
        await reached(lambda: np.isfinite(desk.pair.frame.x.close).all(), "the other leg's bars")
        frame = desk.pair.frame
        assert frame is not None
        assert frame.origin is Origin.LIVE
        assert set(np.diff(frame.times)) == {60_000}
        assert np.isfinite(frame.y.close).all()
        assert np.isfinite(frame.x.close).all()
        await reached(lambda: desk.pair.evidence is not None, "the statistics")
        desk.window.registry["pair.1s"].trigger()
        await reached(lambda: desk.pair.frame is not None and desk.pair.frame.settings.interval == "1s", "seconds")
        await reached(lambda: bars(desk) > 60, "bars of seconds")
        seconds = desk.feeding.market.series("BTCUSDT", "1s")
        assert seconds is not None
        await reached(lambda: all_whole(data), "every trade")

    drive(qapp, exchange, act, "--data-dir", data)
    found = held(data)
    assert set(found) == {("a market", "BTCUSDT"), ("a market", "ETHUSDT")}
    assert settings_of(data)["interval"] == "1s"


def test_a_second_start_shows_what_is_stored_and_fills_what_was_missed(qapp, place, exchange, nowhere) -> None:
    data = place / "data"

    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk) and bars(desk) > 100, "bars")

    drive(qapp, exchange, act, "--data-dir", data)
    before = held(data)

    async def look(desk: Desk) -> None:
        assert bars(desk) > 0, "the stored bars are there before anything else"
        await reached(lambda: "127.0.0.1" in notices(desk) or "connect" in notices(desk).lower(), "the banner")
        assert desk.window.mode.origin is Origin.LIVE

    async def fill(desk: Desk) -> None:
        await reached(lambda: is_live(desk) and all_whole(data), "every trade")
        await reached(lambda: all(held(data)[key][-1] > ids[-1] for key, ids in before.items()), "new trades")
        await reached(lambda: all_whole(data), "every trade")

    drive(qapp, nowhere, look, "--data-dir", data)
    drive(qapp, exchange, fill, "--data-dir", data)


def test_a_frozen_ratio_outlives_another_interval_and_a_restart_and_fires_no_rule_on_it(qapp, place, exchange) -> None:
    data = place / "data"
    (data / "config").mkdir(parents=True)
    chosen = {"interval": "1s", "formation_bars": 40, "window": 20, "correlation_window": 20}
    (data / "config" / "settings.json").write_text(json.dumps(chosen), "utf-8")
    lines: list[tuple[object, ...]] = []

    def line(desk: Desk, interval: str = "1s") -> tuple[object, ...] | None:
        frame = desk.pair.frame
        shown = frame is not None and frame.settings.interval == interval and frame.formation_settled
        return (frame.first_fit, frame.refits) if shown else None

    async def freeze(desk: Desk) -> None:
        await reached(lambda: is_live(desk) and line(desk), "a frozen ratio")
        first = line(desk)
        desk.window.registry["pair.1m"].trigger()
        await reached(lambda: line(desk, "1m"), "that of minutes")
        desk.window.registry["pair.1s"].trigger()
        await reached(lambda: line(desk), "that of seconds")
        assert line(desk) == first
        last = desk.pair.frame.last.time
        await reached(lambda: desk.pair.frame.last.time > last + 5_000, "other bars")
        desk.window.registry["pair.refit"].trigger()
        await reached(lambda: desk.pair.frame.refits, "the refit")
        lines.append(line(desk))
        beta = desk.pair.frame.beta
        sides = ((Comparison.AT_LEAST, 1e-9), (Comparison.AT_MOST, -1e-9))
        desk.alerts.set_rules(
            [Rule(f"beta {side}", "β", Metric.BETA, side, beta + step, beta + step / 2) for side, step in sides]
        )

    async def look(desk: Desk) -> None:
        assert line(desk) == lines[0], "the first paint draws with it"
        stored = bars(desk)
        await reached(lambda: is_live(desk) and bars(desk) > stored + 5, "live bars")
        assert line(desk) == lines[0]
        assert [event for event in desk.alerts.events if not event.earlier] == []

    drive(qapp, exchange, freeze, "--data-dir", data)
    drive(qapp, exchange, look, "--data-dir", data)


def test_a_window_beside_the_main_one_reads_stored_trades_for_its_candles(qapp, place, exchange, nowhere) -> None:
    data = place / "data"

    async def record(desk: Desk) -> None:
        await reached(lambda: is_live(desk) and bars(desk) > 100, "bars")
        desk.window.registry["pair.1s"].trigger()
        await reached(lambda: desk.pair.frame is not None and desk.pair.frame.settings.interval == "1s", "seconds")
        await reached(lambda: bars(desk) > 60, "bars of seconds")
        await reached(lambda: np.isfinite(desk.pair.frame.spread).sum() > 60, "a spread")
        await reached(lambda: all_whole(data), "every trade")

    async def look(desk: Desk) -> None:
        desk.window.charts.set_spread_candles(False)  # it asks for nothing itself
        second = desk.window.workspaces.windows.open_new()
        assert second is not None
        second.control.change(interval="1s")
        second.charts.set_price_leg("spread")

        def known() -> bool:
            held = second.spread.bars.latest
            return held is not None and bool(held.known.any())

        await reached(lambda: second.pair.frame is not None and second.pair.frame.settings.interval == "1s", "seconds")
        await reached(lambda: np.isfinite(second.pair.frame.spread).any(), "the spread of what is stored")
        await reached(known, "candles of trades that only the store has")

    drive(qapp, exchange, record, "--data-dir", data)
    drive(qapp, nowhere, look, "--data-dir", data)


def test_to_the_simulator_and_back(qapp, place, exchange) -> None:
    data = place / "data"

    async def act(desk: Desk) -> None:
        window, feeding = desk.window, desk.feeding
        await reached(lambda: is_live(desk) and bars(desk) > 60, "the market")
        window.registry["market.simulate"].trigger()
        await reached(lambda: window.mode.origin is Origin.SIMULATED and is_live(desk), "the simulator")
        await reached(lambda: bars(desk) > 60 and desk.pair.frame.origin is Origin.SIMULATED, "simulated bars")
        assert "SIMULATED" in window.windowTitle()
        assert len(list((place / "temporary").iterdir())) == 1
        window.registry["file.live"].trigger()
        await reached(lambda: window.mode.origin is Origin.LIVE and is_live(desk), "the market again")
        await reached(lambda: bars(desk) > 60 and desk.pair.frame.origin is Origin.LIVE, "live bars")
        assert not feeding.session.read_only
        assert list((place / "temporary").iterdir()) == []
        await reached(lambda: all_whole(data), "what was traded meanwhile")

    drive(qapp, exchange, act, "--data-dir", data)
    found = held(data)
    assert {venue for venue, _ in found} == {"a market"}


def test_impatient_clicks_leave_one_session(qapp, place, exchange) -> None:
    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk), "the market")
        for _ in range(3):
            desk.window.registry["market.reconnect"].trigger()
        await asyncio.sleep(0)
        await reached(lambda: not desk.feeding._others, "the clicks")
        await reached(lambda: is_live(desk) and bars(desk) > 60, "the market")
        assert not desk.feeding.session.read_only
        assert len([task for task in asyncio.all_tasks() if task.get_name() == "feed"]) == 1

    drive(qapp, exchange, act, "--data-dir", place / "data")


def test_quitting_in_the_middle_of_a_switch_ends_well(qapp, place, exchange) -> None:
    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk), "the market")
        desk.window.registry["market.simulate"].trigger()
        await asyncio.sleep(0.05)

    drive(qapp, exchange, act, "--data-dir", place / "data")
    assert list((place / "temporary").iterdir()) == []


def test_files_over_the_market_which_goes_on_being_recorded(qapp, place, exchange) -> None:
    first, second = write_pair(place)

    async def act(desk: Desk) -> None:
        window = desk.window
        await reached(lambda: is_live(desk) and bars(desk) > 60, "the market")
        window.open_files_requested.emit([first, second, first], False)
        assert "3 were given" in window.toasts.toasts[-1].accessibleName()
        assert not desk.opener.busy, "a pair has two legs: nothing is opened by chance"
        window.open_files_requested.emit([first, second], False)
        await reached(lambda: window.mode.origin is Origin.FILE and bars(desk) == 300, "the files")
        assert "first leg / zweites Bein ü" in window.windowTitle()
        assert window.mode.recording, "closing now would end a recording"
        before = desk.feeding.market.quote("BTCUSDT").last_trade_ts
        await reached(lambda: desk.feeding.market.quote("BTCUSDT").last_trade_ts > before, "trades behind the file")
        window.registry["file.live"].trigger()
        await reached(lambda: bars(desk) > 0 and desk.pair.frame.origin is Origin.LIVE, "the market again")
        settings = desk.pair.settings
        assert (settings.y, settings.x, settings.interval) == ("BTCUSDT", "ETHUSDT", "1m")

    drive(qapp, exchange, act, "--data-dir", place / "data")


def test_the_pair_that_was_shown_comes_back_after_files(qapp, place, exchange) -> None:
    first, second = write_pair(place)

    async def act(desk: Desk) -> None:
        window = desk.window
        await reached(lambda: is_live(desk) and bars(desk) > 60, "the market")
        window.control.swap()
        window.open_files_requested.emit([first, second], False)
        await reached(lambda: window.mode.origin is Origin.FILE and bars(desk) == 300, "the files")
        window.registry["file.live"].trigger()
        await reached(lambda: bars(desk) > 0 and desk.pair.frame.origin is Origin.LIVE, "the market again")
        assert (desk.pair.settings.y, desk.pair.settings.x) == ("ETHUSDT", "BTCUSDT")

    drive(qapp, exchange, act, "--data-dir", place / "data")


def test_a_symbol_added_stays_through_everything_until_it_is_removed(qapp, place, exchange) -> None:
    data = place / "data"

    async def act(desk: Desk) -> None:
        window = desk.window

        def streams(symbol: str) -> bool:
            return desk.feeding.market.quote(symbol).last_trade_ts is not None

        await reached(lambda: is_live(desk), "the market")
        window.add_symbol_requested.emit("SOLUSDT")
        await reached(lambda: streams("SOLUSDT"), "the new symbol")
        backfill = desk.feeding.session.feed.backfill
        assert backfill.preferred == {"BTCUSDT", "ETHUSDT"}
        window.control.change(x="SOLUSDT")
        assert backfill.preferred == {"BTCUSDT", "SOLUSDT"}, "gaps of what is on screen are filled first"
        window.registry["market.reconnect"].trigger()
        await reached(lambda: not desk.feeding._others and streams("SOLUSDT"), "the new symbol, connected again")
        window.registry["market.simulate"].trigger()
        await reached(lambda: window.mode.origin is Origin.SIMULATED, "the simulator")
        window.registry["file.live"].trigger()
        await reached(lambda: window.mode.origin is Origin.LIVE and streams("SOLUSDT"), "the new symbol, back again")
        window.save_settings()
        assert settings_of(data)["symbols"] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
        window.remove_symbol_requested.emit("SOLUSDT")
        await reached(lambda: "SOLUSDT" not in desk.feeding.market.symbols(), "its end")

    drive(qapp, exchange, act, "--data-dir", data)
    assert settings_of(data)["symbols"] == ["BTCUSDT", "ETHUSDT"]


def test_a_start_without_a_network_forgets_no_symbol(qapp, place, nowhere) -> None:
    data = place / "data"
    (data / "config").mkdir(parents=True)
    symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    (data / "config" / "settings.json").write_text(json.dumps({"symbols": symbols}), "utf-8")
    store = open_embedded(data / "quantdesk.sqlite")
    store.append_ticks(Instrument("a market", "BTCUSDT"), [Tick("BTCUSDT", 1, 2.0, 3.0, 1_700_000_000_000, True)])
    store.close()

    async def act(desk: Desk) -> None:
        await reached(lambda: desk.feeding.market.symbols() and notices(desk), "the stored symbol and the banner")

    drive(qapp, nowhere, act, "--data-dir", data)
    assert settings_of(data)["symbols"] == symbols


_HOLD = """
import sys
from pathlib import Path
from quantdesk.store.embedded import open_embedded
store = open_embedded(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
store.close()
"""


def every_row(path: Path) -> list[object]:
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        names = sorted(name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
        return [(name, sorted(base.execute(f'SELECT * FROM "{name}"'), key=repr)) for name in names]
    finally:
        base.close()


def test_where_another_program_writes_the_desk_shows_and_keeps_nothing(qapp, place, exchange) -> None:
    data = place / "data"
    path = data / "quantdesk.sqlite"
    data.mkdir()
    words = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        before = every_row(path)

        async def act(desk: Desk) -> None:
            await reached(lambda: is_live(desk) and bars(desk) > 60, "the market")
            await reached(lambda: desk.window.mode.read_only, "the mode")
            assert "keeps nothing" in notices(desk)
            assert "READ-ONLY" in desk.window.windowTitle()
            assert not desk.window.mode.recording
            desk.feeding.market.reload_wanted.emit("BTCUSDT", 0, 1)  # as after a gap is filled
            await reached(lambda: not desk.feeding._others, "the answer")

        drive(qapp, exchange, act, "--data-dir", data)
        assert every_row(path) == before
        other.stdin.close()


def test_a_store_that_cannot_be_opened_costs_the_recording_not_the_view(qapp, place, exchange) -> None:
    (place / "blocked").write_text("in the way", "utf-8")

    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk) and bars(desk) > 60, "the market")
        await reached(lambda: "othing is being kept" in notices(desk), "the banner")
        assert "Another quantdesk" not in notices(desk)

    database = f"sqlite:///{place}/blocked/store.sqlite"
    drive(qapp, exchange, act, "--data-dir", place / "data", "--database", database)


def test_simulated_alerts_are_rows_and_no_popups(qapp, place, nowhere) -> None:
    (place / "data" / "config").mkdir(parents=True)
    restless = {"interval": "1s", "window": 20, "alert_level": 0.5, "alert_rearm": 0.5}
    (place / "data" / "config" / "settings.json").write_text(json.dumps(restless), "utf-8")
    asked: list[str] = []

    async def act(desk: Desk) -> None:
        desk.window.notify_requested.connect(lambda title, text: asked.append(title))
        await reached(lambda: len(desk.alerts.events) >= 2, "two alerts")
        assert {event.origin for event in desk.alerts.events} == {Origin.SIMULATED}
        assert not any(event.popup for event in desk.alerts.events)

    drive(qapp, nowhere, act, "--simulate", "--data-dir", place / "data")
    assert asked == []


def test_a_replay_that_cannot_be_read_is_told_in_the_window(qapp, place, nowhere) -> None:
    other = place / "poem.txt"
    other.write_text("no frames\nin here\n", "utf-8")

    async def act(desk: Desk) -> None:
        await reached(lambda: "oem.txt" in notices(desk), "the banner")

    drive(qapp, nowhere, act, "--replay", other)
    assert list((place / "temporary").iterdir()) == []


def test_a_signal_ends_the_desk(qapp, place, exchange) -> None:
    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk), "the market")
        signal.raise_signal(signal.SIGTERM)

    drive(qapp, exchange, act, "--data-dir", place / "data", quits=False)
