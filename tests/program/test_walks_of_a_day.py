"""The walks of a day with real keys and a real pointer, against a market that the desk takes for the live one."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from quantdesk.ui.charts.inks import FIRST_INK, ink
from quantdesk.ui.theme_tokens import DARK
from tests.program.day import (
    AXIS,
    BANNER,
    CANDLES,
    LEFT,
    MAIN,
    MIDDLE,
    TABLE,
    Desk,
    Z,
    desk,
    extent,
    live_market,
    span_of,
    tray_double,
)
from tests.program.desks import Screen, quantdesk, until, write_pair

MINUTE = 60_000
#: Short windows, so that a market of one second's bars has a z at once.
SHORT = {"window": 20, "correlation_window": 20, "formation_bars": 30}


def test_a_morning_a_second_start_a_symbol_intervals_wheel_and_drag(folder: Path, desktop, screen: Screen) -> None:
    with live_market(desktop) as market, desk(market.desk_env, screen, folder) as at:
        at.titled("^BTCUSDT / ETHUSDT · 1m · LIVE – quantdesk$")
        screen.minimise(at.window)
        screen.gone("quantdesk$")
        later = quantdesk(market.desk_env, "--data-dir", at.data)
        assert (later.returncode, later.stdout, later.stderr) == (0, "", "")
        screen.front("LIVE – quantdesk$", at.program)

        at.shows_candles()
        screen.point(at.window, MIDDLE)
        screen.write("sol")
        screen.key("Return")
        screen.front("^Add symbol", at.program)
        until(lambda: screen.key("Return") or not screen.window("^Add symbol"), "the symbol to be taken")
        at.titled("^SOLUSDT / ETHUSDT · 1m · LIVE")
        screen.write("btc")
        screen.key("Return")
        at.titled("^BTCUSDT / ETHUSDT · 1m · LIVE")

        screen.key("5")
        at.titled("· 5m ·")
        at.interval("15s")
        at.interval("1m")
        at.shows_candles()
        before = at.visible()
        screen.wheel(at.window, LEFT, 5)
        zoomed = at.visible()
        assert len(before) / 3 < len(zoomed) < len(before) / 1.7
        assert abs(span_of(zoomed)[0] - span_of(before)[0]) <= 3 * MINUTE, "it zooms at the pointer"

        screen.drag(at.window, (300, 270), (800, 270))
        dragged = at.visible()
        assert span_of(dragged)[0] < span_of(zoomed)[0] - 10 * MINUTE
        assert abs(len(dragged) - len(zoomed)) <= 2

        def tall() -> int:
            return extent(at.rows_in(CANDLES, DARK.up, DARK.down))

        first = tall()
        screen.drag(at.window, AXIS, (AXIS[0], AXIS[1] + 120))
        until(lambda: tall() < 0.75 * first, "candles that are squeezed by the axis")
        screen.click(at.window, AXIS, times=2)
        until(lambda: abs(tall() - first) < 0.1 * first, "the automatic scale again")

        at.interval("1s")
        screen.key("Home")
        screen.key("End")
        seen = span_of(at.visible())[1]
        assert abs(seen - time.time() * 1000) < 20_000
        until(lambda: span_of(at.visible())[1] > seen, "the newest bar to be followed")
        at.quit()
        assert at.kept("settings")["symbols"] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
        assert at.kept("settings")["interval"] == "1s"


def test_lines_are_drawn_moved_taken_back_and_outlive_a_kill(folder: Path, desktop, screen: Screen) -> None:
    with live_market(desktop) as market:
        with desk(market.desk_env, screen, folder) as at:
            at.shows_candles()

            def lines() -> list[dict[str, object]]:
                places = at.kept("drawings").get("places", [])
                return [line for place in places for line in place["drawings"]]

            screen.key("alt+t")
            screen.click(at.window, (300, 330))
            screen.click(at.window, (800, 220))
            until(lambda: [line["kind"] for line in lines()] == ["trend"], "the trend line")
            (early, low), (late, high) = lines()[0]["anchors"]
            assert early < late and low < high
            screen.key("Escape", "alt+h")
            screen.click(at.window, (500, 380))
            until(lambda: len(lines()) == 2, "the horizontal line")
            level = lines()[1]["anchors"]
            screen.drag(at.window, (640, 380), (640, 330))
            until(lambda: lines()[1]["anchors"][0][1] > level[0][1], "the line where it was dragged")
            moved = lines()[1]["anchors"]
            screen.key("ctrl+z")
            until(lambda: lines()[1]["anchors"] == level, "the line where it was")
            screen.key("ctrl+shift+z")
            until(lambda: lines()[1]["anchors"] == moved, "the line where it was dragged again")
            kept = lines()
            at.program.process.kill()
            at.program.process.wait()
        with desk(market.desk_env, screen, folder) as at:
            at.shows_candles()
            blue = ink(FIRST_INK, DARK)
            until(lambda: at.rows_in(CANDLES, blue).max() > 1_000, "the horizontal line across the plot")
            screen.key("n", "n", "Delete")
            until(lambda: [line["kind"] for line in lines()] == ["trend"], "one line less")
            assert lines()[0] == kept[0]
            at.quit()
        with desk(market.desk_env, screen, folder) as at:
            assert lines() == kept[:1]
            at.quit()


def test_a_rule_made_with_keys_pops_up_and_its_popup_leads_to_the_bar(folder: Path, desktop, screen: Screen) -> None:
    with tray_double(folder) as tray:
        env = {**desktop, "DBUS_SESSION_BUS_ADDRESS": tray.address}
        with live_market(env) as market, desk(market.desk_env, screen, folder, **SHORT) as at:
            at.shows_candles()
            screen.key("ctrl+shift+a")
            screen.front("^Alert rules", at.program)
            screen.key("Insert")
            screen.front("^New alert rule", at.program)
            screen.type("restless")
            for field, number in (("alt+l", "0.3"), ("alt+r", "0.2")):
                screen.key(field)
                screen.type(number)
            screen.key("Return")
            screen.gone("^New alert rule")
            screen.key("Escape")
            screen.gone("^Alert rules")
            until(lambda: rules(at) == {"|z|": 2.0, "restless": 0.3}, "the rule in the settings")
            screen.front("quantdesk$", at.program)
            at.interval("1s")
            until(lambda: [one for one in tray.entries("popup") if "restless" in one["text"]], "a popup", 60)
            until(lambda: at.rows_in(TABLE, DARK.up, DARK.down, DARK.text).sum() > 30, "rows in the table")

            at.interval("4h")
            screen.key("Home")
            popups = tray.entries("popup")
            assert "BTCUSDT / ETHUSDT" in popups[-1]["title"]
            tray.click(len(popups))
            at.titled("· 1s ·")
            clock = re.search(r"1s bar of (\d\d:\d\d:\d\d) UTC", popups[-1]["text"])
            assert clock is not None, popups[-1]
            bar = f"T{clock[1]}Z"
            until(lambda: any(row["open_time_utc"].endswith(bar) for row in at.visible()), "the bar of the popup")

            screen.key("ctrl+m")
            until(lambda: at.kept("settings")["muted"], "the desk to be muted")
            told, kept = len(tray.entries("popup")), alerts_kept(at.data)
            until(lambda: alerts_kept(at.data) >= kept + 2, "more alerts", 60)
            assert len(tray.entries("popup")) == told
            at.quit()


def test_a_level_is_put_on_the_chart_dragged_and_taken_back(folder: Path, desktop, screen: Screen) -> None:
    files = write_pair(folder)  # nothing moves in them between a look and a press
    with live_market(desktop) as market, desk(market.desk_env, screen, folder, *files, **SHORT) as at:
        at.shows_z()
        screen.point(at.window, Z)
        screen.key("alt+n")
        until(lambda: len(rules(at)) == 2, "a rule where the pointer is")
        level = added(rules(at))
        screen.drag(at.window, Z, (Z[0], Z[1] - 25))
        until(lambda: added(rules(at)) > level + 0.1, "the rule where it was dragged")
        screen.key("ctrl+z")
        until(lambda: added(rules(at)) == level, "the rule where it was")
        screen.key("ctrl+z")
        until(lambda: list(rules(at)) == ["|z|"], "the rule to be gone")
        at.quit()


def rules(at: Desk) -> dict[str, float]:
    """Return the levels of the kept rules by their names; of the desk's own where none was chosen."""
    kept = at.kept("settings").get("alert_rules", {}).get("rules", [])
    return {rule["name"]: rule["enter"] for rule in kept} or {"|z|": 2.0}


def added(levels: dict[str, float]) -> float:
    """Return the level of the one rule beside the desk's own."""
    (level,) = (level for name, level in levels.items() if name != "|z|")
    return level


def alerts_kept(data: Path) -> int:
    """Count the alerts in the store."""
    with closing(sqlite3.connect(f"file:{data / 'quantdesk.sqlite'}?mode=ro", uri=True)) as store:
        return int(store.execute("SELECT count(*) FROM alerts").fetchone()[0])


def test_what_is_on_screen_is_exported_files_are_opened_and_the_market_comes_back(
    folder: Path, desktop, screen: Screen
) -> None:
    first, second = write_pair(folder)
    second = second.rename(folder / "second leg.csv")
    with live_market(desktop) as market, desk(market.desk_env, screen, folder) as at:
        at.shows_candles()
        shown = at.visible()
        assert {row["y_symbol"] for row in shown} == {"BTCUSDT"}
        picture, page = folder / "my desk.png", folder / "my report.html"
        screen.choose_file("ctrl+shift+s", "^Export the picture", at.program, picture)
        until(picture.exists, "the picture")
        screen.choose_file("ctrl+shift+h", "^Save the report", at.program, page)
        until(page.exists, "the report")
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert "BTCUSDT" in page.read_text("utf-8")

        screen.choose_file("alt+f o", "^Open one file", at.program, folder, f'"{first.name}" "{second.name}"')
        at.titled("^first leg / second leg .* FILE – quantdesk$")
        rows = at.visible()
        assert {row["origin"] for row in rows} == {"file"}
        screen.key("ctrl+l")
        at.titled("^BTCUSDT / ETHUSDT · 1m · LIVE – quantdesk$")
        at.shows_candles()
        assert span_of(at.visible())[1] >= span_of(shown)[1]
        at.quit()
        assert at.kept("settings")["recent"] == [str(second), str(first)]


def banner(at: Desk) -> bool:
    """Tell whether a banner in the colour of an error stands above the charts."""
    return int(at.rows_in(BANNER, DARK.error).sum()) > 30


def test_a_pulled_cable_is_told_and_leaves_no_hole(folder: Path, desktop, screen: Screen) -> None:
    with live_market(desktop) as market, desk(market.desk_env, screen, folder, interval="1s") as at:
        at.shows_candles()
        until(lambda: len(at.visible()) > 60, "a minute of seconds")
        assert not banner(at)
        market.kill()
        pulled = time.time() * 1000
        until(lambda: banner(at), "the banner")
        at.titled("LIVE")
        market.come_back()
        back = time.time() * 1000
        until(lambda: not banner(at), "the banner to go", 60)
        outage = set(range(int(pulled // 1000) * 1000 - 2_000, int(back // 1000) * 1000 + 1_000, 1_000))
        until(lambda: outage <= seconds_traded(at), "every second of the outage", 60)
        ledger = "ledger", "--data-dir", at.data
        until(lambda: quantdesk(market.desk_env, *ledger).returncode == 0, "a ledger without holes", 90)
        # What a quit cuts short is open in the ledger and filled by the next start: not this walk's matter.
        at.quit()


def seconds_traded(at: Desk) -> set[int]:
    """Return the open times (ms) of the bars in sight in which both legs have prices."""
    return {int(row["open_time_ms"]) for row in at.visible() if row["y_close"] and row["x_close"]}


def test_windows_are_opened_linked_left_and_found_again(folder: Path, desktop, screen: Screen) -> None:
    second = "window 2 – quantdesk$"
    with live_market(desktop) as market:
        with desk(market.desk_env, screen, folder) as at:
            at.shows_candles()
            screen.key("alt+g")
            screen.key("ctrl+shift+n")
            screen.front(second, at.program)
            screen.key("alt+g")
            until(lambda: [one["link_group"] for one in windows(at)] == ["A", "A"], "both windows in one group")
            screen.write("5m")
            screen.key("Return")
            screen.wait(f"· 5m · .*{second}", at.program)
            at.titled(f"· 5m · {MAIN}")
            screen.front(MAIN, at.program)
            screen.choose_file("alt+w n", "^New workspace", at.program, "Evening")
            at.titled("Evening – quantdesk$")
            screen.gone(second)
            screen.key("ctrl+alt+1")
            at.titled(f"· 5m · {MAIN}")
            screen.wait(f"· 5m · .*{second}", at.program)
            at.quit()
        with desk(market.desk_env, screen, folder) as at:
            at.titled(f"· 5m · {MAIN}")
            screen.wait(f"· 5m · .*{second}", at.program)
            screen.front(MAIN, at.program)
            screen.key("ctrl+alt+2")
            at.titled("Evening – quantdesk$")
            at.quit()


def windows(at: Desk) -> list[dict[str, object]]:
    """Return what is kept of the windows of the workspace on screen."""
    kept = at.kept("workspaces")
    return next((one["windows"] for one in kept.get("workspaces", []) if one["name"] == kept["active"]), [])


def test_what_was_stored_is_replayed_paused_stepped_and_left(folder: Path, desktop, screen: Screen) -> None:
    restless = {**SHORT, "alert_level": 0.9, "alert_rearm": 0.9}
    with live_market(desktop) as market, desk(market.desk_env, screen, folder, **restless) as at:
        at.shows_z()
        screen.key("ctrl+shift+o")
        screen.front("^Replay", at.program)
        until(lambda: screen.key("Return") or not screen.window("^Replay"), "what the store holds, to be replayed")
        at.titled("1m · REPLAY – quantdesk$")
        screen.key("space", "period")
        until(lambda: at.rows_in(CANDLES, DARK.up, DARK.down).sum() > 100, "the first bar")
        first = at.ends_at()
        assert at.ends_at() == first < time.time() * 1000 - 10 * MINUTE, "it is paused, in the past"
        screen.key("period")
        until(lambda: at.ends_at() == first + MINUTE, "the next bar")
        screen.key("ctrl+period")
        until(lambda: at.ends_at() > first + 10 * MINUTE, "the bar of the next alert")
        until(lambda: at.rows_in(TABLE, DARK.up, DARK.down, DARK.text).sum() > 30, "rows in the table")
        screen.key("ctrl+l")
        at.titled("1m · LIVE – quantdesk$")
        at.quit()
