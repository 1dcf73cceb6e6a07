"""A person at the keyboard: the real desk under X, driven by keys."""

from __future__ import annotations

import csv
import json
import signal
from pathlib import Path

import pytest

from quantdesk.ui.theme_tokens import DARK
from tests.program.desks import Screen, dead_port, pixels_of, quantdesk, running, until, write_pair

HEADER = (
    "open_time_ms,open_time_utc,interval,origin,"
    "y_symbol,y_open,y_high,y_low,y_close,y_volume,y_trades,"
    "x_symbol,x_open,x_high,x_low,x_close,x_volume,x_trades,"
    "beta,spread_open,spread_high,spread_low,spread,spread_lower,spread_upper,"
    "spread_from_y,spread_from_x,spread_from_beta,z,z_kind,correlation"
)
OPEN, EXPORT, EXPORT_ALL, PICTURE = (
    "^Open one file",
    "^Export the visible range",
    "^Export all bars",
    "^Export the picture",
)
PNG = b"\x89PNG\r\n\x1a\n"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def settings_of(data: Path) -> dict[str, object]:
    return json.loads((data / "config" / "settings.json").read_text("utf-8"))


def banner_pixels(screen: Screen, folder: Path) -> int:
    """Count what is drawn in the colour of an error; elsewhere a desk without data has next to none."""
    picture = folder / "screen.png"
    screen.picture(picture)
    return pixels_of(picture, DARK.error)


@pytest.fixture
def offline(desktop: dict[str, str]):
    """Return the environment of a desk whose exchange does not answer."""
    with dead_port() as port:
        yield {
            **desktop,
            "QUANTDESK_WS_URL": f"ws://127.0.0.1:{port}",
            "QUANTDESK_REST_URL": f"http://127.0.0.1:{port}",
        }


@pytest.mark.parametrize("options", [("-X", "dev"), ()], ids=["dev", "plain"])
def test_files_are_opened_exported_and_left_with_keys_alone(folder, desktop, screen: Screen, options) -> None:
    first, second = write_pair(folder)
    second = second.rename(folder / "second leg.csv")  # keys can type this
    data = folder / "data dir"
    with running(desktop, "--simulate", "--data-dir", data, options=options) as desk:
        screen.wait("SIMULATED – quantdesk$", desk)
        if options:
            screen.choose_file("ctrl+o", OPEN, desk, folder, f'"{first.name}" "{second.name}"')
        else:
            screen.choose_file("ctrl+o", OPEN, desk, first)
            screen.wait("^first leg ·.*FILE.* – quantdesk$", desk)
            screen.choose_file("ctrl+o", OPEN, desk, second)
        screen.wait("^first leg / second leg .*FILE.* – quantdesk$", desk)
        everything, visible, picture = folder / "all bars.csv", folder / "visible.csv", folder / "desk.png"
        screen.choose_file("ctrl+shift+e", EXPORT_ALL, desk, everything)
        until(everything.exists, "all bars")
        screen.choose_file("ctrl+e", EXPORT, desk, visible)
        until(visible.exists, "the visible bars")
        screen.choose_file("alt+f p", PICTURE, desk, picture)
        until(picture.exists, "the picture")
        screen.front("quantdesk$", desk)
        screen.key("ctrl+q")
        assert desk.ended() == (0, "")
    assert everything.read_text("utf-8").splitlines()[0] == HEADER
    rows = rows_of(everything)
    assert len(rows) == 300
    assert {row["origin"] for row in rows} == {"file"}
    assert (rows[0]["open_time_utc"], rows[0]["y_symbol"], rows[0]["x_symbol"]) == (
        "2020-09-13T00:00:00Z", "first leg", "second leg",
    )  # fmt: skip
    typed = rows_of(first)
    assert [float(row["y_close"]) for row in rows] == [float(row["Close"]) for row in typed]
    shown = rows_of(visible)
    assert 0 < len(shown) <= 300
    assert shown == rows[-len(shown) :]
    assert picture.read_bytes().startswith(PNG)
    assert settings_of(data)["recent"] == [str(second), str(first)]


def test_without_a_network_the_desk_says_so_and_a_signal_ends_it_with_its_settings(folder, offline, screen) -> None:
    data = folder / "data"
    with running(offline, "--data-dir", data, "--theme", "dark", options=("-X", "dev")) as desk:
        screen.front("LIVE.* – quantdesk$", desk)
        until(lambda: banner_pixels(screen, folder) > 30, "the banner in the colour of an error")
        screen.key("ctrl+m")
        desk.process.send_signal(signal.SIGTERM)
        assert desk.ended() == (0, "")
    settings = settings_of(data)
    assert (settings["muted"], settings["theme"]) == (True, "dark")
    assert settings["symbols"] == ["BTCUSDT", "ETHUSDT"]
    with running(offline, "--data-dir", data, options=("-X", "dev")) as desk:
        screen.wait("LIVE.* – quantdesk$", desk)
        desk.process.send_signal(signal.SIGINT)
        assert desk.ended() == (0, "")


def test_closing_while_recording_asks_once(folder, offline, screen: Screen) -> None:
    with running(offline, "--data-dir", folder / "data", options=("-X", "dev")) as desk:
        screen.ask_to_close("LIVE.* – quantdesk$", desk)
        screen.front("^Close quantdesk", desk)
        screen.key("Escape")
        screen.gone("^Close quantdesk")
        assert desk.runs
        screen.ask_to_close("LIVE.* – quantdesk$", desk)
        screen.front("^Close quantdesk", desk)
        screen.key("Tab", "space")
        assert desk.ended() == (0, "")


def test_a_second_start_gives_its_file_to_the_first(folder, offline, screen: Screen) -> None:
    first, second = write_pair(folder)
    data = folder / "data"
    with running(offline, "--data-dir", data, options=("-X", "dev")) as desk:
        screen.wait("LIVE.* – quantdesk$", desk)
        later = quantdesk(offline, "--data-dir", data, first, second, options=("-X", "dev"))
        assert (later.returncode, later.stdout, later.stderr) == (0, "", "")
        screen.front("^first leg / zweites Bein ü .*FILE.* – quantdesk$", desk)
        again = quantdesk(offline, "--data-dir", data)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
        assert desk.runs
        screen.key("ctrl+q")
        assert desk.ended() == (0, "")


def test_a_killed_desk_leaves_nothing_that_stops_the_next(folder, offline, screen: Screen) -> None:
    first, _ = write_pair(folder)
    data = folder / "data"
    with running(offline, "--data-dir", data) as desk:
        screen.wait("LIVE.* – quantdesk$", desk)
        until((data / "quantdesk.sqlite").exists, "the store")
        desk.process.kill()
        desk.process.wait()
        assert (data / "desk.sock").exists(), "this test is about a socket that is left behind"
    screen.gone("quantdesk$")
    with running(offline, "--data-dir", data, first, options=("-X", "dev")) as desk:
        screen.front("^first leg .*FILE.* – quantdesk$", desk)
        later = quantdesk(offline, "--data-dir", data)
        assert (later.returncode, later.stderr) == (0, "")
        screen.key("ctrl+q")
        assert desk.ended() == (0, "")


def test_a_file_that_cannot_be_read_is_told_in_a_dialog(folder, offline, screen: Screen) -> None:
    bad = folder / "no prices.csv"
    bad.write_text("Date,Open,High,Low,Close,Volume\n2024-01-02,1,2,0.5,oops,3\n2024-01-03,1,2,1,1,3\n", "utf-8")
    with running(offline, "--data-dir", folder / "data", bad, options=("-X", "dev")) as desk:
        screen.front("^Nothing was opened", desk)
        screen.key("Escape")
        screen.gone("^Nothing was opened")
        screen.front("LIVE.* – quantdesk$", desk)
        screen.key("ctrl+q")
        assert desk.ended() == (0, "")
