"""The window opens the storage dialogs, forwards their wishes, and shows the answers where they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from quantdesk.store.address import StoreAddress, file_address, parse_address
from quantdesk.store.base import StoreFacts
from quantdesk.types import Light, StoreStatus
from quantdesk.ui.copy_dialog import CopiedDialog, same_store
from quantdesk.ui.storage_dialog import StoreChoices

from .conftest import Desk
from .test_main_window import button

SERVER = parse_address("postgresql://trader@db.example.org/desk", Path("data"))
LOCAL = parse_address("postgresql://quantdesk@127.0.0.1:55432/quantdesk", Path("data"))


@pytest.fixture
def shown(make_desk: Callable[..., Desk], tmp_path: Path) -> Desk:
    desk = make_desk()
    file = tmp_path / "quantdesk.sqlite"
    desk.window.storage.choices = lambda: StoreChoices(Path("data"), file, file_address(file), (SERVER,))
    desk.window.show()
    return desk


def test_the_menu_opens_the_dialog_which_asks_for_its_facts(shown: Desk, qtbot: QtBot) -> None:
    flow = shown.window.storage
    with qtbot.waitSignal(flow.facts_requested):
        shown.window.registry["data.storage"].trigger()
    dialog = flow.dialog
    assert dialog is not None and dialog.isVisible()
    shown.window.registry["data.storage"].trigger()
    assert flow.dialog is dialog, "there is one"
    flow.show_facts(StoreFacts("SQLite 3", "tables", "here", {}, {}), None)
    assert dialog.facts.head.text() == "SQLite 3, bars in tables"
    dialog.reject()
    assert flow.dialog is None
    flow.show_facts(StoreFacts("SQLite 3", "tables", "here", {}, {}), None)
    flow.show_facts_problem("too late")
    flow.show_limits("too late")
    flow.show_busy("too late")


def test_wishes_of_the_dialog_leave_the_window(shown: Desk, qtbot: QtBot) -> None:
    flow = shown.window.storage
    flow.show_storage(SERVER.with_password("pw"))
    dialog = flow.dialog
    assert dialog is not None and dialog.tabs.currentWidget() is dialog.store
    for clicked, signal in (
        (dialog.store.test, flow.test_requested),
        (dialog.store.use, flow.use_requested),
        (dialog.store.pgpass, flow.pgpass_requested),
        (dialog.store.local, flow.start_local_requested),
        (dialog.store.cancel, flow.cancel_requested),
    ):
        with qtbot.waitSignal(signal):
            clicked.click()
    with qtbot.waitSignal(flow.limits_changed) as changed:
        dialog.limits.days.setValue(5)
        dialog.limits.apply.click()
    assert changed.args[0] == 5


def test_an_outcome_is_a_message_once_the_dialog_is_closed(shown: Desk) -> None:
    flow = shown.window.storage
    flow.show_storage()
    dialog = flow.dialog
    assert dialog is not None
    flow.show_outcome("error", "Not connected", "the server is away: start it")
    assert dialog.store.outcome.text.text() == "The server is away: start it."
    assert not shown.window.toasts.toasts
    dialog.reject()
    flow.show_outcome("error", "Not connected", "the server is away: start it")
    assert "Not connected" in shown.window.toasts.toasts[-1].accessibleName()


def test_an_answer_of_the_keyring_reaches_only_the_server_it_is_about(shown: Desk) -> None:
    flow = shown.window.storage
    asked: list[StoreAddress] = []
    flow.kept_requested.connect(asked.append)
    flow.show_storage(SERVER)
    dialog = flow.dialog
    assert dialog is not None and SERVER in asked
    flow.show_kept(LOCAL, True, "another's")
    assert not dialog.fields.forget.isEnabled() and dialog.fields.password.text() == ""
    flow.show_kept(SERVER, True)
    assert dialog.fields.forget.isEnabled()
    flow.show_kept(SERVER, False, "made here")
    assert dialog.fields.password.text() == "made here"
    dialog.fields.password.setText("typed")
    flow.show_kept(SERVER, False, "made here")
    assert dialog.fields.password.text() == "typed"


def test_a_server_found_here_is_offered_and_declined_for_good(shown: Desk, qtbot: QtBot) -> None:
    flow, banner = shown.window.storage, shown.window.banner
    flow.offer_server(LOCAL)
    (notice,) = banner.notices()
    assert "55432" in notice.text and notice.level == "info"
    button(banner, "Use TimescaleDB").click()
    assert flow.dialog is not None and flow.dialog.fields.address() == LOCAL
    flow.dialog.reject()
    button(banner, "Copy what is here").click()
    assert flow.copying is not None and flow.copying.fields.address() == LOCAL
    flow.copying.reject()
    assert banner.notices() == [notice], "looking is no answer yet"
    with qtbot.waitSignal(flow.offer_declined):
        button(banner, "Not now").click()
    assert banner.notices() == []


def test_a_copy_names_both_stores_and_closes(shown: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    flow = shown.window.storage
    shown.window.registry["data.copy_store"].trigger()
    dialog = flow.copying
    assert dialog is not None
    assert dialog.source.currentText() == str(tmp_path / "quantdesk.sqlite")
    assert dialog.fields.address() == SERVER, "another store that is known comes first"
    dialog.fields.password.setText("pw")
    with qtbot.waitSignal(flow.copy_requested) as asked:
        dialog.copy.click()
    source, target = asked.args
    assert (source, target, target.password) == (file_address(tmp_path / "quantdesk.sqlite"), SERVER, "pw")
    assert flow.copying is None


def test_a_store_is_not_copied_onto_itself(shown: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    flow = shown.window.storage
    flow.show_copy()
    dialog = flow.copying
    assert dialog is not None
    asked: list[object] = []
    flow.copy_requested.connect(lambda *both: asked.append(both))
    dialog.fields.file_choice.setChecked(True)
    dialog.copy.click()
    assert asked == [] and "same store" in dialog.problem.text()
    dialog.fields.server_choice.setChecked(True)
    assert dialog.problem.text() == ""
    dialog.fields.url.setText("nonsense")
    dialog.copy.click()
    assert asked == [] and "postgresql://" in dialog.problem.text()


def test_two_users_of_one_database_name_one_store(tmp_path: Path) -> None:
    other = parse_address("postgresql://reader:pw@db.example.org:5432/desk?sslmode=require", tmp_path)
    assert same_store(SERVER, other) and not same_store(SERVER, LOCAL)
    assert not same_store(SERVER, file_address(tmp_path / "a")) and same_store(
        file_address(tmp_path / "a"), file_address(tmp_path / "a")
    )


def test_a_finished_copy_is_reported_and_the_new_store_offered(shown: Desk) -> None:
    flow = shown.window.storage
    flow.show_copied(SERVER, ("BTCUSDT: 5 ticks: verified",), verified=True, offer_use=True)
    dialog = shown.window.prompts.dialog("copied")
    assert isinstance(dialog, CopiedDialog)
    button(dialog, "Use the new store…").click()
    assert flow.dialog is not None and flow.dialog.fields.address() == SERVER
    flow.dialog.reject()
    flow.show_copied(SERVER, ("BTCUSDT: 2 ticks differ",), verified=False, offer_use=False)
    dialog = shown.window.prompts.dialog("copied")
    assert isinstance(dialog, CopiedDialog)
    assert "differs" in " ".join(label.text() for label in dialog.findChildren(type(dialog.words(""))))
    dialog.reject()


def test_kind_and_bar_mode_stand_in_the_status_bar(shown: Desk) -> None:
    bar = shown.window.status
    assert bar.store_kind.isHidden()
    words = "TimescaleDB 2.23.1 on PostgreSQL 17.6, continuous aggregates"
    shown.market.set_store_status(StoreStatus(Light.GREEN, "recording", place=words))
    assert bar.store_kind.text() == "TimescaleDB · aggregates" and bar.store_kind.toolTip() == words
    shown.market.set_store_status(StoreStatus(Light.GREEN, "recording", place="embedded store"))
    assert bar.store_kind.text() == "embedded store"


def test_progress_says_what_it_is_at(shown: Desk, qtbot: QtBot) -> None:
    task = shown.window.start_progress("Copying")
    task.describe("BTCUSDT: copied")
    qtbot.waitUntil(lambda: not shown.window.progress.isHidden())
    assert task._row is not None and task._row.text.text() == "Copying · BTCUSDT: copied"
    task.describe("")
    assert task._row.text.text() == "Copying"
    task.finish()
