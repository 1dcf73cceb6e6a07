"""The storage dialog shows the store, takes a URL apart, and leaves every act to others by signal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from quantdesk.store.address import StoreAddress, file_address, parse_address
from quantdesk.store.base import Retention, StoreFacts
from quantdesk.ui.storage_dialog import StorageDialog, StoreChoices
from quantdesk.ui.storage_facts import fact_words, kind_words, table_rows
from quantdesk.ui.theme_tokens import DARK

SECRET = "s3cret:/@wörd"
PASTED = "postgresql://trader:s3cret%3A%2F%40w%C3%B6rd@db.example.org:5433/desk?sslmode=require"
SQLITE = StoreFacts("SQLite 3.40.1", "tables", "/a/file", {"ticks": 1_234_567}, {"ticks": 55_000_000}, 60_000_000)
SERVER = StoreFacts(
    "TimescaleDB 2.23.1 on PostgreSQL 17.6",
    "continuous aggregates",
    "quantdesk@db:5432/desk",
    {"ticks": 5, "odd": 1},
    {"bars": 8_192},
    9_400_000_000,
    48_000_000_000,
    4_000_000_000,
    1.26,
    trouble="the refresher has failed: connection lost",
    jobs=("Columnstore Policy [1003] has not run yet",),
    notes=("a newer version is offered",),
    leases=(("BTCUSDT", "desk-7 (process 4711)"),),
    retention=Retention(90, 250_000_000_000, 3),
)


@pytest.fixture
def make(qtbot: QtBot, tmp_path: Path) -> Iterator[object]:
    def build(present: StoreAddress | None = None, no_docker: str = "") -> StorageDialog:
        file = tmp_path / "quantdesk.sqlite"
        choices = StoreChoices(tmp_path, file, present, (), no_docker, Retention(0, 10_000_000_000, 7))
        dialog = StorageDialog(choices, DARK, None)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    yield build


def test_the_facts_of_a_file_are_shown_with_rows_and_sizes(make) -> None:
    dialog = make()
    dialog.show_facts(SQLITE, None)
    assert dialog.facts.head.text() == "SQLite 3.40.1, bars in tables"
    assert dialog.facts.fact("Place") == "/a/file" and dialog.facts.fact("Size") == "60.0 MB"
    assert dialog.facts.tables.rows() == [("Trades", "1,234,567", "55.0 MB")]
    assert dialog.facts.leases.isHidden()


def test_the_facts_of_a_server_tell_health_compression_and_who_writes(make) -> None:
    dialog = make()
    dialog.show_facts(SERVER, SERVER.retention)
    words = fact_words(SERVER)
    assert words["Compressed"] == "48.00 GB became 4.00 GB, 12.0 times less"
    assert words["Bars are behind by"] == "1.3 s"
    assert "has not run yet" in words["Jobs of the database"]
    assert words["Good to know"] == "a newer version is offered"
    trouble = [label for label in dialog.facts.findChildren(QLabel) if label.text() == SERVER.trouble]
    assert [label.property("fault") for label in trouble] == [True]
    assert table_rows(SERVER) == [("Trades", "5", "–"), ("Bars from trades", "–", "8.2 kB"), ("odd", "1", "–")]
    assert dialog.facts.leases.rows() == [("BTCUSDT", "desk-7 (process 4711)")]
    dialog.show_facts(SQLITE, None)
    assert not dialog.facts.fact("Trouble") and dialog.facts.leases.isHidden(), "nothing of before stays"


def test_a_database_without_a_store_yet_is_told_by_its_kind_alone() -> None:
    assert kind_words(StoreFacts("PostgreSQL 17.5", "", "here", {}, {})) == "PostgreSQL 17.5"


def test_facts_are_asked_for_by_a_button_and_a_problem_is_said(make, qtbot: QtBot) -> None:
    dialog = make()
    with qtbot.waitSignal(dialog.facts_requested):
        dialog.refresh.click()
    assert not dialog.refresh.isEnabled()
    dialog.show_facts_problem("the store is away: start it")
    assert dialog.refresh.isEnabled() and dialog.facts.head.text() == "The store is away: start it."
    assert dialog.facts.head.property("fault")


def test_a_password_pasted_in_the_url_moves_into_its_field(make, tmp_path: Path) -> None:
    dialog = make()
    fields = dialog.fields
    fields.server_choice.setChecked(True)
    QGuiApplication.clipboard().setText(PASTED)
    fields.url.setFocus()
    fields.url.paste()
    assert fields.url.text() == "postgresql://db.example.org:5433/desk?sslmode=require"
    assert (fields.user.text(), fields.password.text()) == ("trader", SECRET)
    assert fields.password.echoMode() is QLineEdit.EchoMode.Password
    fields.url.undo()
    assert "s3cret" not in fields.url.text(), "undo does not bring it back"
    address = fields.address()
    assert address == parse_address(PASTED, tmp_path) and address.password == SECRET


def test_no_word_of_the_dialog_shows_a_password(make) -> None:
    dialog = make()
    dialog.propose(parse_address(PASTED, Path()))
    shown = [
        w.text() for kind in (QLabel, QLineEdit) for w in dialog.findChildren(kind) if w is not dialog.fields.password
    ]
    names = [w.accessibleName() + w.toolTip() for w in dialog.findChildren(QLineEdit)]
    assert not [text for text in [*shown, *names, dialog.windowTitle()] if "s3cret" in text]


def test_test_and_use_leave_by_signal_with_the_address(make, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = make()
    dialog.propose(parse_address(PASTED, tmp_path))
    with qtbot.waitSignal(dialog.test_requested) as tested:
        dialog.store.test.click()
    assert tested.args[0] == parse_address(PASTED, tmp_path) and tested.args[0].password == SECRET
    with qtbot.waitSignal(dialog.use_requested) as used:
        dialog.store.use.click()
    assert used.args[0] == tested.args[0] and used.args[1] == SECRET
    dialog.fields.file_choice.setChecked(True)
    with qtbot.waitSignal(dialog.use_requested) as used:
        dialog.store.use.click()
    assert used.args == [file_address(tmp_path / "quantdesk.sqlite"), ""], "a file has no password"


@pytest.mark.parametrize(
    ("url", "user", "words"),
    [
        ("", "trader", "postgresql://"),
        ("postgresql://db/desk", "", "Name the user"),
        ("mysql://db/desk", "trader", "postgresql://"),
        ("postgresql://db/desk?sslpassword=s3cret", "trader", "QUANTDESK_DATABASE_URL"),
    ],
)
def test_what_names_no_store_is_said_and_asks_nothing(make, url: str, user: str, words: str) -> None:
    dialog = make()
    asked: list[object] = []
    dialog.test_requested.connect(asked.append)
    dialog.fields.server_choice.setChecked(True)
    dialog.fields.url.setText(url)
    dialog.fields.user.setText(user)
    dialog.store.test.click()
    assert asked == [] and dialog.store.outcome.level == "error"
    assert words in dialog.store.outcome.text.text() and "s3cret" not in dialog.store.outcome.text.text()
    dialog.fields.user.setText("another")
    assert dialog.store.outcome.text.text() == "", "an edit takes the answer to another question away"


def test_the_keyring_is_asked_when_another_server_is_named(make, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = make()
    address = parse_address("postgresql://trader@db/desk", tmp_path)
    with qtbot.waitSignal(dialog.fields.kept_requested) as asked:
        dialog.propose(address)
    assert asked.args == [address] and not dialog.fields.forget.isEnabled()
    dialog.fields.show_kept(True)
    assert dialog.fields.password.placeholderText() == "kept in the keyring"
    with qtbot.waitSignal(dialog.fields.forget_requested) as forgotten:
        dialog.fields.forget.click()
    assert forgotten.args == [address]
    dialog.activateWindow()
    dialog.fields.user.setFocus()
    qtbot.waitUntil(dialog.fields.user.hasFocus)
    dialog.fields.user.selectAll()
    qtbot.keyClicks(dialog.fields.user, "somebody")
    with qtbot.waitSignal(dialog.fields.kept_requested) as again:
        qtbot.keyClick(dialog.fields.user, Qt.Key.Key_Tab)
    assert again.args[0].user == "somebody"
    dialog.fields.file_choice.setChecked(True)
    assert not dialog.fields.forget.isEnabled() and not dialog.fields.password.isEnabled()


def test_while_something_goes_on_no_other_order_is_taken_and_it_can_be_cancelled(make, qtbot: QtBot) -> None:
    dialog = make()
    page = dialog.store
    dialog.tabs.setCurrentWidget(page)
    page.show_busy("starting", can_cancel=True)
    assert not page.test.isEnabled() and not page.use.isEnabled() and not page.local.isEnabled()
    assert page.bar.isVisible() and page.outcome.text.text() == "starting"
    with qtbot.waitSignal(dialog.cancel_requested):
        page.cancel.click()
    page.show_outcome("warning", "no keyring: use .pgpass", offer_pgpass=True)
    assert page.test.isEnabled() and page.bar.isHidden() and page.cancel.isHidden() and page.pgpass.isVisible()
    page.show_busy("trying")
    assert page.cancel.isHidden() and page.pgpass.isHidden()


def test_the_offer_of_pgpass_names_server_and_password(make, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = make()
    dialog.propose(parse_address(PASTED, tmp_path))
    dialog.store.show_outcome("warning", "no keyring", offer_pgpass=True)
    with qtbot.waitSignal(dialog.pgpass_requested) as asked:
        dialog.store.pgpass.click()
    assert asked.args == [parse_address(PASTED, tmp_path), SECRET]


def test_a_local_database_is_offered_where_docker_is_and_explained_elsewhere(make, qtbot: QtBot) -> None:
    dialog = make()
    with qtbot.waitSignal(dialog.start_local_requested):
        dialog.store.local.click()
    other = make(no_docker="It needs Docker: install it.")
    assert not other.store.local.isEnabled()
    assert "It needs Docker: install it." in [label.text() for label in other.store.findChildren(QLabel)]
    other.store.show_outcome("ok", "well")
    assert not other.store.local.isEnabled()


def test_limits_are_applied_by_a_button_and_only_once_changed(make, qtbot: QtBot) -> None:
    dialog = make()
    limits = dialog.limits
    assert (limits.days.value(), limits.gigabytes.value(), limits.compress.value()) == (0, 10.0, 7)
    assert limits.days.text() == "ever" and not limits.apply.isEnabled()
    limits.days.setValue(30)
    dialog.show_facts(SERVER, SERVER.retention)
    assert limits.days.value() == 30, "what is being typed stays"
    with qtbot.waitSignal(limits.limits_changed) as changed:
        limits.apply.click()
    assert changed.args == [30, 10.0, 7] and not limits.apply.isEnabled()
    limits.say("Not changed: the store is away.", fault=True)
    assert limits.apply.isEnabled() and limits.said.property("fault")
    with qtbot.waitSignal(limits.limits_changed):
        limits.apply.click()
    limits.say("These count now.")
    assert not limits.apply.isEnabled() and limits.said.text() == "These count now."
    dialog.show_facts(SERVER, SERVER.retention)
    assert (limits.days.value(), limits.gigabytes.value(), limits.compress.value()) == (90, 250.0, 3)


def test_compression_is_offered_where_the_store_can_do_it(make) -> None:
    dialog = make()
    assert not dialog.limits.compress.isEnabled() and "not known" in dialog.limits.why_not.text()
    dialog.show_facts(SQLITE, None)
    assert not dialog.limits.compress.isEnabled() and "community edition" in dialog.limits.why_not.text()
    dialog.show_facts(SERVER, None)
    assert dialog.limits.compress.isEnabled() and dialog.limits.why_not.text() == ""


def test_the_store_in_use_is_filled_in_without_its_password(make, tmp_path: Path) -> None:
    dialog = make(parse_address(PASTED, tmp_path))
    assert dialog.fields.server_choice.isChecked() and dialog.fields.password.text() == ""
    assert dialog.fields.address() == parse_address(PASTED, tmp_path)
    other = make(file_address(tmp_path / "other.sqlite"))
    assert other.fields.file_choice.isChecked() and other.fields.file.text() == str(tmp_path / "other.sqlite")


def test_the_dialog_fits_a_small_screen(make) -> None:
    dialog = make(no_docker="A local database needs Docker, which is not on the PATH: install it, or name a server.")
    dialog.show_facts(SERVER, None)
    dialog.store.show_outcome("error", "word " * 60, offer_pgpass=True)
    assert dialog.minimumSizeHint().width() <= 900 and dialog.minimumSizeHint().height() <= 560
