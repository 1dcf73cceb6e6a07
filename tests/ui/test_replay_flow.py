"""The window steers a replay by buttons, keys and a slider, and asks in words what to replay."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox

from quantdesk.ingest.merged_tape import Held, Span
from quantdesk.ingest.transport import FASTEST, News, Transport, TransportState
from quantdesk.model.playback import Playback
from quantdesk.types import Instrument
from quantdesk.ui.replay_actions import STEERING
from quantdesk.ui.replay_dialog import ReplayDialog
from quantdesk.ui.settings_store import SettingsStore
from tests.ui.conftest import START, Desk

HOUR = 3_600_000
A, B, C = (Instrument("a market", symbol) for symbol in ("A", "B", "C"))
HELD = (
    Held(A, 5_000, START, START + 30 * HOUR, (START + 10 * HOUR, START + 30 * HOUR)),
    Held(B, 0, START + HOUR, START + 20 * HOUR, None),
    Held(C, 9, 1, 2_000, (1, 2_000)),
)


@pytest.fixture
def transport() -> Transport:
    made = Transport(1.0)
    made.know_span((START, START + 50 * HOUR))
    made.reach(START + 25 * HOUR, News())
    return made


def shown(desk: Desk, transport: Transport) -> Playback:
    playback = Playback("a span", transport, desk.window)
    desk.window.replay.show(playback)
    desk.window.show()
    return playback


def asked(desk: Desk, held: tuple[Held, ...] = HELD) -> ReplayDialog:
    desk.window.registry["replay.choose"].trigger()
    dialog = desk.window.replay.dialog
    assert dialog is not None
    desk.window.replay.show_held(held)
    return dialog


def test_the_bar_is_there_only_while_something_is_replayed(desk: Desk, transport: Transport) -> None:
    flow, on = desk.window.replay, desk.window.registry
    assert flow.bar is None
    assert not any(on[name].isEnabled() for name in STEERING)
    shown(desk, transport)
    assert flow.bar is not None and flow.bar.isVisible()
    assert all(on[name].isEnabled() for name in STEERING)
    assert "13:00:00 UTC" in flow.bar.place.text() and flow.bar.state.text() == "playing"
    flow.show(None)
    assert not flow.bar.isVisible()
    assert not any(on[name].isEnabled() for name in STEERING)


def test_actions_play_pause_step_and_change_the_speed(desk: Desk, transport: Transport) -> None:
    shown(desk, transport)
    on = desk.window.registry
    on["replay.toggle"].trigger()
    assert transport.state is TransportState.PAUSED
    on["replay.step"].trigger()
    assert transport.state is TransportState.SEEKING
    on["replay.toggle"].trigger()
    assert transport.state is TransportState.PAUSED
    for _ in range(20):
        on["replay.faster"].trigger()
    assert transport.speed == FASTEST
    on["replay.slower"].trigger()
    assert transport.speed == 1_000.0
    bar = desk.window.replay.bar
    assert bar is not None and bar.speed.currentText() == "1,000×"
    assert desk.store.settings.replay_speed == 1_000.0


def test_a_chosen_speed_outlives_the_session_and_a_broken_one_falls_back(desk: Desk, transport, tmp_path: Path) -> None:
    shown(desk, transport)
    transport.set_speed(1_000.0)
    desk.window.registry["replay.faster"].trigger()
    desk.window.save_settings()
    assert Transport(SettingsStore(tmp_path).settings.replay_speed).speed == FASTEST
    path = desk.store.path
    path.write_text(path.read_text().replace('"replay_speed": 0.0', '"replay_speed": -4.0'))
    assert SettingsStore(tmp_path).settings.replay_speed == 1.0


def test_space_pauses_but_still_presses_the_button_that_has_the_focus(desk: Desk, transport: Transport, qtbot) -> None:
    shown(desk, transport)
    window, bar = desk.window, desk.window.replay.bar
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5_000)
    window.charts.setFocus()
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert transport.state is TransportState.PAUSED
    assert bar is not None
    left: list[bool] = []
    window.live_requested.connect(lambda: left.append(True))
    bar.leave.setFocus()
    QTest.keyClick(bar.leave, Qt.Key.Key_Space)
    assert left and transport.state is TransportState.PAUSED


def test_letting_go_of_the_slider_asks_for_that_place_once(desk: Desk, transport: Transport) -> None:
    shown(desk, transport)
    bar = desk.window.replay.bar
    assert bar is not None
    track, wanted = bar.track, []
    track.place_wanted.connect(wanted.append)
    place = QPoint(track.width() * 3 // 4, track.height() // 2)
    QTest.mousePress(track, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    QTest.mouseMove(track, place)
    assert not wanted
    QTest.mouseRelease(track, Qt.MouseButton.LeftButton, pos=place)
    assert len(wanted) == 1
    assert abs(track.x_of(wanted[0]) - place.x()) < 2 or abs(track.x_of(wanted[0]) - 20) < 2
    assert transport.state is TransportState.SEEKING
    QTest.keyClick(track, Qt.Key.Key_Home)
    assert wanted[-1] == START


def test_on_the_way_to_a_place_there_is_progress_that_cancels_and_no_toast(
    desk: Desk, transport: Transport, qtbot
) -> None:
    shown(desk, transport)
    window = desk.window
    transport.seek(START + 40 * HOUR)
    transport.reach(START + 30 * HOUR, News())
    assert window.flow.quiet
    qtbot.waitUntil(window.progress.isVisible, timeout=3_000)
    cancel = next(b for b in window.progress.findChildren(QAbstractButton) if "Cancel" in b.text())
    cancel.click()
    assert transport.state is TransportState.PAUSED
    assert not window.flow.quiet
    qtbot.waitUntil(lambda: not window.progress.isVisible(), timeout=3_000)


def test_toasts_rest_while_bars_fly_by_but_not_on_the_way_to_the_next_alert(desk: Desk, transport: Transport) -> None:
    shown(desk, transport)
    assert not desk.window.flow.quiet
    transport.set_speed(1_000.0)
    assert desk.window.flow.quiet
    desk.window.registry["replay.next_alert"].trigger()
    assert not desk.window.flow.quiet
    transport.reach(START + 26 * HOUR, News(alerted=True))
    assert transport.state is TransportState.PAUSED


def test_escape_in_the_bar_and_its_last_button_lead_back_to_the_market(desk: Desk, transport: Transport) -> None:
    shown(desk, transport)
    bar, left = desk.window.replay.bar, []
    desk.window.live_requested.connect(lambda: left.append(True))
    assert bar is not None
    bar.leave.click()
    QTest.keyClick(bar.track, Qt.Key.Key_Escape)
    assert len(left) == 2


def test_times_follow_the_zone_of_the_charts(desk: Desk, transport: Transport, monkeypatch) -> None:
    from quantdesk.ui.charts.zone import Zone

    monkeypatch.setattr(Zone, "local", classmethod(lambda cls: cls("Asia/Tokyo")))
    shown(desk, transport)
    desk.window.registry["view.zone_local"].trigger()
    bar = desk.window.replay.bar
    assert bar is not None and "22:00:00" in bar.place.text()
    dialog = asked(desk)
    dialog.set_times(START + 2 * HOUR, START + 3 * HOUR)
    assert dialog.start.time().hour() == 23
    assert dialog.times() == (START + 2 * HOUR, START + 3 * HOUR)


def test_the_dialog_offers_what_both_legs_have_and_says_what_is_wrong(desk: Desk) -> None:
    dialog = asked(desk)
    dialog.leg_y.setCurrentIndex(0)
    dialog.leg_x.setCurrentIndex(2)
    chosen: list[Span] = []
    dialog.span_chosen.connect(chosen.append)
    assert "5,000 trades" in dialog.said.text() and "bars only" in dialog.said.text()
    assert dialog.times() == (START + 19 * HOUR, START + 20 * HOUR)
    dialog.set_times(START + 5 * HOUR, START + 5 * HOUR)
    dialog.replay.click()
    assert "after the start" in dialog.problem.text()
    dialog.set_times(START + 50 * HOUR, START + 60 * HOUR)
    dialog.replay.click()
    assert "Nothing is held" in dialog.problem.text()
    dialog.leg_x.setCurrentIndex(1)
    dialog.replay.click()
    assert "twice" in dialog.problem.text()
    assert not chosen
    dialog.leg_x.setCurrentIndex(2)
    dialog.set_times(START + 2 * HOUR, START + 3 * HOUR)
    dialog.replay.click()
    assert chosen == [Span((A, B), START + 2 * HOUR, START + 3 * HOUR)]
    settings = desk.store.settings
    assert (settings.replay_y, settings.replay_x, settings.replay_start) == ("A", "B", START + 2 * HOUR)


def test_the_newest_hour_that_both_legs_have_trades_of_is_proposed(desk: Desk) -> None:
    traded = (START + 10 * HOUR, START + 14 * HOUR + 1_234)
    dialog = asked(desk, (HELD[0], Held(B, 70, START, START + 40 * HOUR, traded)))
    assert dialog.times() == (START + 13 * HOUR + 2_000, START + 14 * HOUR + 2_000), (
        "its bars reach on, its trades do not"
    )
    assert "B: 70 trades, " in dialog.said.text() and "; bars before" in dialog.said.text()
    desk.window.replay.show_held((HELD[0], Held(B, 70, START, START + 40 * HOUR, (START, START + 9 * HOUR))))
    assert dialog.times() == (START + 29 * HOUR, START + 30 * HOUR), "no trade is shared: the bars are"
    few = Held(A, 3, START, START + 20 * HOUR, (START + 10 * HOUR, START + 10 * HOUR + 30_250))
    desk.window.replay.show_held((few,))
    assert dialog.times() == (START + 9 * HOUR + 31_000, START + 10 * HOUR + 31_000), "few trades, and bars before"
    desk.window.replay.show_held((Held(A, 3, START, START + 60_000, (START + 5_500, START + 30_250)),))
    assert dialog.times() == (START, START + 31_000)


def test_the_last_span_is_proposed_again(desk: Desk) -> None:
    settings = desk.store.settings
    settings.replay_y, settings.replay_x = "A", "B"
    settings.replay_start, settings.replay_end = START + 2 * HOUR, START + 4 * HOUR
    dialog = asked(desk)
    assert dialog.leg_x.currentData() is HELD[1]
    assert dialog.times() == (START + 2 * HOUR, START + 4 * HOUR)


def test_an_empty_or_broken_store_is_said_and_the_others_can_be_chosen(desk: Desk) -> None:
    desk.window.replay.opened = lambda: "a / b"
    dialog = asked(desk, ())
    assert "holds nothing yet" in dialog.said.text()
    assert dialog.file.isChecked() and dialog.replay.isEnabled()
    dialog.stored.setChecked(True)
    assert not dialog.replay.isEnabled()
    desk.window.replay.show_held((), "the server is away")
    assert dialog.said.text() == "the server is away"
    files: list[bool] = []
    desk.window.replay.files_requested.connect(lambda: files.append(True))
    dialog.file.setChecked(True)
    dialog.replay.click()
    assert files


def test_everything_in_dialog_and_bar_has_a_name_to_be_read_out(desk: Desk, transport: Transport) -> None:
    shown(desk, transport)
    for part in (desk.window.replay.bar, asked(desk)):
        assert part is not None
        parts = [*part.findChildren(QAbstractButton), *part.findChildren(QComboBox)]
        assert all(
            p.accessibleName() or p.text() for p in parts if p.isVisible() and p.objectName() != "qt_spinbox_lineedit"
        )
