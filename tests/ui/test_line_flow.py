"""The frozen hedge ratio of the window on screen goes from one session to the next."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import Refit
from quantdesk.model.kept_lines import LineKey
from quantdesk.ui.kept_lines import plain_of

from .conftest import MINUTE, START, Desk

KEY = LineKey("binance-um", "BTCUSDT", "ETHUSDT", "1m")
LINE = Refit(START + 100 * MINUTE, 1.0, 0.75, -500.0, 2.0, START, START + 99 * MINUTE, 100)
OLD = Refit(START - 2_000 * MINUTE, 1.0, 0.75, -500.0, 2.0, START - 2_100 * MINUTE, START - 2_001 * MINUTE, 100)


def put(folder: Path, line: Refit = LINE) -> Path:
    path = folder / "hedge_lines.json"
    path.write_text(json.dumps(plain_of({KEY: HedgeLines(line, settled=True)})), "utf-8")
    return path


def notices(desk: Desk) -> str:
    return " ".join(notice.text for notice in desk.window.banner.notices())


def test_a_kept_line_draws_in_every_window_and_a_refit_is_kept_at_the_end(
    make_desk: Callable[..., Desk], tmp_path: Path, qtbot: QtBot
) -> None:
    put(tmp_path)
    desk = make_desk(data=True)
    assert desk.pair.frame.fit == LINE and notices(desk) == ""
    second = desk.window.workspaces.windows.open_new()
    qtbot.waitUntil(lambda: second.pair.frame is not None and len(second.pair.frame) > 0, timeout=10_000)
    assert second.pair.frame.fit == LINE
    second.pair.refit()
    qtbot.waitUntil(lambda: len(desk.pair.frame.refits) == 1, timeout=10_000)
    refit = desk.pair.frame.fit
    qtbot.waitUntil(lambda: not desk.jobs.busy(), timeout=20_000)
    desk.window.close_for_good()
    again = make_desk(data=True)
    assert again.pair.frame.first_fit == LINE and again.pair.frame.refits == (refit,)


def test_a_broken_file_is_kept_aside_and_said_and_a_new_line_is_fitted(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    put(tmp_path).write_text("{", "utf-8")
    desk = make_desk(data=True)
    assert desk.pair.frame.fit is not None and desk.pair.frame.fit != LINE
    assert "hedge ratios file was damaged" in notices(desk)
    assert list(tmp_path.glob("hedge_lines.broken-*.json"))


def test_a_line_that_cannot_be_is_said_and_the_file_is_copied(make_desk: Callable[..., Desk], tmp_path: Path) -> None:
    path = put(tmp_path)
    path.write_text(path.read_text("utf-8").replace("0.75", "NaN"), "utf-8")
    desk = make_desk(data=True)
    assert "1 of 1 frozen hedge ratios cannot be read" in notices(desk)
    assert desk.pair.frame.fit != LINE and list(tmp_path.glob("hedge_lines.unread-*.json"))


def test_a_line_older_than_all_bars_says_how_old_it_is(make_desk: Callable[..., Desk], tmp_path: Path) -> None:
    put(tmp_path, OLD)
    desk = make_desk(data=True)
    desk.window.show()
    desk.window.charts._refresh()
    panel = desk.window.charts.panel("spread")
    words = " ".join(span.text for span in panel.legend(300))
    assert "fitted on 17 Jul 01:00 – 02:39 UTC, 38.7 h before the newest bar" in words
