"""Each check passes on a machine that is well, and tells what was broken on purpose."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from quantdesk.app.selftest import findings, known_answers, plan, program, screens
from quantdesk.app.selftest.findings import Finding, Ground, Result, Row, failed, ok, warning
from quantdesk.app.selftest.part import judged
from quantdesk.cli import COMMANDS, desk_parser
from quantdesk.commands.shared import paths_of
from quantdesk.store.address import StoreAddress
from quantdesk.store.embedded import EmbeddedStore
from tests.store.kinds import sql
from tests.store.samples import BTC, trades

Look = Callable[..., Finding]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Return what runs one check, as the program does, on a data folder of its own."""

    def run(name: str, *words: str) -> Finding:
        args: argparse.Namespace = desk_parser().parse_args(["--data-dir", str(tmp_path / "data"), *words])
        args.modules = tuple(COMMANDS.values())
        scratch = tmp_path / f"scratch {len(list(tmp_path.iterdir()))}"
        scratch.mkdir()
        check = next(check for check in plan.CHECKS if check.name == name)
        return judged(check, Ground(args, paths_of(args), scratch))

    return run


def test_the_table_says_result_check_and_words_and_counts_them() -> None:
    rows = [
        Row("store", ok("kept")),
        Row("tray", warning("none")),
        Row("picture", failed("word " * 40 + "end")),
    ]
    lines = findings.line_of(rows[2]).splitlines()
    assert lines[0].startswith("FAILED   picture           word word")
    assert len(lines) > 2
    assert all(line.startswith(" " * 27) and line[27] != " " for line in lines[1:])
    assert findings.tail(rows) == "3 checks, 1 warning, 1 failure"
    assert findings.tail(rows[:1]) == "1 check, 0 warnings, 0 failures"
    assert "quantdesk" in findings.head()
    assert "from source" in findings.head()


def test_the_parts_of_the_plan_are_each_in_one_piece() -> None:
    parts = [check.part for check in plan.CHECKS]
    assert sorted(set(parts), key=parts.index) == [part for i, part in enumerate(parts) if parts[:i][-1:] != [part]]
    assert len({check.name for check in plan.CHECKS}) == len(plan.CHECKS)


@pytest.mark.parametrize("name", ["libraries", "resources", "free disk", "certificates", "time zones", "statistics"])
def test_a_machine_that_is_well_passes(look: Look, name: str) -> None:
    found = look(name)
    assert found.result is Result.OK, found.words


def test_folders_are_tried_and_left_as_they_were(look: Look, tmp_path: Path) -> None:
    for name in ("data folder", "settings folder", "log folder"):
        assert look(name).result is Result.OK
    assert not (tmp_path / "data").exists()
    kept = tmp_path / "data" / "quantdesk.sqlite"
    kept.parent.mkdir()
    kept.write_bytes(b"kept")
    assert look("data folder").result is Result.OK
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_data_folder_that_is_a_file_has_failed(look: Look, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way", "utf-8")
    for name in ("data folder", "settings folder", "log folder"):
        found = look(name)
        assert found.result is Result.FAILED
        assert str(tmp_path / "data") in found.words
    assert (tmp_path / "data").read_text("utf-8") == "in the way"


def test_settings_that_cannot_be_read_are_a_warning(look: Look, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "config"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text('{"theme": "dark"}', "utf-8")
    assert look("settings folder").result is Result.OK
    (folder / "settings.json").write_text("{", "utf-8")
    assert look("settings folder").result is Result.WARNING


def test_a_full_disk_has_failed(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1_500_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert look("free disk").result is Result.WARNING
    usage.free = 100_000_000
    assert look("free disk").result is Result.FAILED


def test_lost_certificates_have_failed(look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "none.pem"
    empty.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(empty))
    found = look("certificates")
    assert found.result is Result.FAILED
    assert "no certificate authority" in found.words


def test_a_library_without_a_record_of_its_version_fails_a_package_only(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(name: str) -> str:
        if name == "keyring":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(program, "version", lacking)
    assert look("libraries").result is Result.WARNING
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    found = look("libraries")
    assert found.result is Result.FAILED
    assert "keyring has no record" in found.words


def test_a_module_that_cannot_be_imported_has_failed(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)
    found = look("libraries")
    assert found.result is Result.FAILED
    assert found.words.startswith("msgspec: ")
    monkeypatch.setitem(sys.modules, "quantdesk.commands.analyze", None)
    found = look("program")
    assert found.result is Result.FAILED
    assert "quantdesk.commands.analyze: " in found.words


def test_a_store_that_loses_a_trade_has_failed(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    assert look("store").result is Result.OK
    insert = EmbeddedStore._insert_ticks
    monkeypatch.setattr(EmbeddedStore, "_insert_ticks", lambda self, to, held, ticks: insert(self, to, held, ticks[1:]))
    assert look("store").result is Result.FAILED


def test_statistics_that_answer_otherwise_have_failed(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    regress = "statsmodels.regression.linear_model.OLS"
    from statsmodels.regression.linear_model import OLS

    with monkeypatch.context() as broken:
        broken.setattr(regress, lambda y, x: OLS(y * (1 + 1e-6), x))
        assert look("statistics").result is Result.FAILED
    with monkeypatch.context() as broken:
        broken.setattr("statsmodels.tsa.adfvalues.mackinnonp", lambda *_: 0.06)
        assert look("statistics").result is Result.FAILED
    tau = known_answers._UNIT_ROOT["5%"]
    monkeypatch.setitem(known_answers._UNIT_ROOT, "5%", (tau[0] + 1e-5, *tau[1:]))
    assert look("statistics").result is Result.FAILED


def test_letters_and_charts_are_drawn(look: Look, qapp: QApplication) -> None:
    assert look("fonts").result is Result.OK
    found = look("picture")
    assert found.result is Result.OK, found.words


def test_boxes_in_place_of_letters_have_failed(look: Look, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "drawn", lambda text, font: b"\0" * 6_400)
    assert look("fonts").result is Result.FAILED
    monkeypatch.setattr(screens, "drawn", lambda text, font: b"\xff" * 6_400)
    found = look("fonts")
    assert found.result is Result.FAILED
    assert "without ink" in found.words


def test_charts_without_candles_have_failed(look: Look, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantdesk.ui.charts.candles.CandleItem.paint", lambda *_: None)
    found = look("picture")
    assert found.result is Result.FAILED
    assert "not whole; drawn: 0 columns of rising candles" in found.words


@contextmanager
def closed_port() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_database_is_a_warning_where_there_is_none_and_a_failure_where_it_is_away(
    look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert look("database").result is Result.WARNING
    with closed_port() as port:
        monkeypatch.setenv("QUANTDESK_DATABASE_URL", f"postgresql://me:geheim@127.0.0.1:{port}/base")
        found = look("database")
    assert found.result is Result.FAILED
    assert "nothing listens there" in found.words
    assert "geheim" not in found.words
    monkeypatch.setenv("QUANTDESK_DATABASE_URL", "postgresql://me:geheim@host/base?nonsense=1")
    found = look("database")
    assert found.result is Result.FAILED
    assert "geheim" not in found.words
    damaged = tmp_path / "other.sqlite"
    damaged.write_bytes(b"no database at all" * 100)
    monkeypatch.setenv("QUANTDESK_DATABASE_URL", f"sqlite:///{damaged}")
    assert look("database").result is Result.FAILED


def test_a_server_says_what_it_is_and_what_one_may_do(
    look: Look, timescale_address: StoreAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quantdesk.store.opening import open_store

    def use(address: StoreAddress) -> Finding:
        account = f"{address.user}:{address.password}" if address.password else address.user
        place = f"{address.host}:{address.port}/{address.database}"
        monkeypatch.setenv("QUANTDESK_DATABASE_URL", f"postgresql://{account}@{place}")
        return look("database")

    found = use(timescale_address)
    assert found.result is Result.OK
    assert "PostgreSQL" in found.words
    assert "no store in it yet; may make the store" in found.words
    store = open_store(timescale_address)
    store.append_ticks(BTC, trades(50))
    store.close()
    found = use(timescale_address)
    assert found.result is Result.OK
    assert "50 trades, bars as tables" in found.words
    assert found.words.endswith("may write the store")
    reader = f"reader_{timescale_address.database[-12:]}"
    sql(
        timescale_address,
        f"CREATE ROLE {reader} LOGIN PASSWORD 'liest nur'",
        f"GRANT USAGE ON SCHEMA quantdesk TO {reader}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA quantdesk TO {reader}",
    )
    try:
        found = use(replace(timescale_address, user=reader, password="liest%20nur"))
    finally:
        sql(timescale_address, f"DROP OWNED BY {reader} CASCADE", f"DROP ROLE {reader}")
    assert found.result is Result.WARNING, found.words
    assert "may only read" in found.words
    assert "liest" not in found.words
