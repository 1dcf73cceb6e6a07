"""What sub-commands share says in words what is wrong with a store's place."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quantdesk.commands.shared import (
    UsageError,
    add_store_arguments,
    open_reader,
    open_writer,
    store_address,
    store_limits,
)
from quantdesk.config import ConfigError
from tests.program.desks import ROOT, environment, until
from tests.store.test_migrations import first_version, tables

#: The program, with a backup that takes until it is given up.
SLOW_BACKUP = """
import signal, sys, time
from quantdesk.store import backup

def slowly(source, target, told, stopped):
    told("backing up the store before an update: 1 of 10 GB")
    while not stopped():
        time.sleep(0.01)
    real(source, target, told, stopped)

real, backup._copy = backup._copy, slowly
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever started the tests may ignore it
from quantdesk.cli import main

sys.exit(main(sys.argv[1:]))
"""


def parse(*words: str | Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_store_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def test_a_data_dir_that_is_a_file_is_named_in_words(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(ConfigError, match="taken cannot be the folder of the store"):
        open_writer(parse("--data-dir", taken))
    with pytest.raises(ConfigError, match="there is no store"):
        open_reader(parse("--data-dir", taken))
    assert taken.read_text() == "mine"


@pytest.mark.parametrize("url", ["mysql://x", "sqlite://", "sqlite:///", "desk.sqlite", "x", "postgresql://host/base"])
def test_what_names_no_store_is_wrong_use(url: str) -> None:
    with pytest.raises(UsageError, match=r"sqlite:///FILE"):
        store_address(parse("--database", url))


def test_a_database_url_names_a_relative_or_an_absolute_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert store_address(parse("--database", "sqlite:///a b/ü.db")).path == tmp_path / "a b" / "ü.db"
    assert store_address(parse("--database", f"sqlite:///{tmp_path}/x.db")).path == tmp_path / "x.db"


def test_a_password_on_the_command_line_is_refused_without_repeating_it() -> None:
    with pytest.raises(UsageError, match="command line can be read") as caught:
        store_address(parse("--database", "postgresql://me:s3cret@host/desk"))
    assert "s3cret" not in str(caught.value)


def test_the_environment_comes_before_the_desks_choice_and_behind_the_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data dir"
    assert store_address(parse("--data-dir", folder)).path == folder / "quantdesk.sqlite"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "settings.json").write_text('{"database": "postgresql://me@chosen/desk"}')
    assert store_address(parse("--data-dir", folder)).host == "chosen"
    monkeypatch.setenv("QUANTDESK_DATABASE_URL", "postgresql://me:s3cret@environment/desk")
    found = store_address(parse("--data-dir", folder))
    assert (found.host, found.password) == ("environment", "s3cret")
    assert store_address(parse("--data-dir", folder, "--database", "postgresql://me@named/desk")).host == "named"


@pytest.mark.parametrize("text", ["", "[", "[]", '{"database": 7}', "\x00"])
def test_damaged_settings_name_no_database(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.json").write_text(text)
    assert store_address(parse("--data-dir", tmp_path)).path == tmp_path / "quantdesk.sqlite"


def test_a_chosen_database_that_cannot_be_read_is_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.json").write_text('{"database": "mysql://me@host/desk"}')
    assert store_address(parse("--data-dir", tmp_path)).path == tmp_path / "quantdesk.sqlite"
    assert "the chosen database is left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "days", "size"),
    [
        ('{"keep_ticks_days": 30, "keep_ticks_gb": 250.0}', 30, 250_000_000_000),
        ('{"keep_ticks_days": -1, "keep_ticks_gb": "many"}', 0, 10_000_000_000),
        ("nonsense", 0, 10_000_000_000),
    ],
)
def test_a_recorder_keeps_trades_as_long_as_the_desk_was_told_to(
    tmp_path: Path, text: str, days: int, size: int
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.json").write_text(text)
    bounds = store_limits(parse("--data-dir", tmp_path))
    assert (bounds.max_tick_age_days, bounds.max_tick_bytes) == (days, size)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(("told", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_told_to_stop_during_a_backup_it_leaves_the_store_and_no_half_a_copy(
    tmp_path: Path, told: signal.Signals, code: int
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    store = first_version(data / "quantdesk.sqlite")
    before = tables(store)
    command = [sys.executable, "-c", SLOW_BACKUP, "record", "--seconds", "60", "--data-dir", str(data)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(tmp_path), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as program:
        until(lambda: list(data.glob("*.part")), "a backup")
        program.send_signal(told)
        said = program.communicate(timeout=60)[1]
    assert (program.returncode, said) == (code, "quantdesk: backing up the store before an update\n")
    assert tables(store) == before
    assert not list(data.glob("*.part")) + list(data.glob("*.backup"))
