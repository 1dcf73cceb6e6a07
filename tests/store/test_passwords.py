"""A password is kept by the keyring or refused in words; it never reaches a log or an error."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest

from quantdesk.config import ConfigError
from quantdesk.store.address import StoreAddress, file_address, parse_address
from quantdesk.store.keyring_secrets import SERVICE
from quantdesk.store.passwords import (
    find_password,
    forget_password,
    keep_in_pgpass,
    keep_password,
)

from .keyrings import ForgetfulKeyring, LockedKeyring, MemoryKeyring, TalkativeKeyring

SECRET = "pa:ss\\wörd s3cret"


@pytest.fixture(autouse=True)
def _former_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.fixture
def memory() -> MemoryKeyring:
    held = MemoryKeyring()
    keyring.set_keyring(held)
    return held


@pytest.fixture
def address(tmp_path: Path) -> StoreAddress:
    return parse_address("postgresql://trader@db.example.org:5433/desk?sslmode=require", tmp_path)


def test_a_password_is_kept_found_and_forgotten(memory: MemoryKeyring, address: StoreAddress) -> None:
    assert find_password(address) is None
    keep_password(address, SECRET)
    assert memory.held == {(SERVICE, "trader@db.example.org:5433/desk"): SECRET}
    assert find_password(address) == SECRET
    forget_password(address)
    forget_password(address)
    assert find_password(address) is None


def test_a_file_has_no_password(memory: MemoryKeyring, tmp_path: Path) -> None:
    address = file_address(tmp_path / "quantdesk.sqlite")
    assert find_password(address) is None
    with pytest.raises(ConfigError):
        keep_password(address, SECRET)


def test_without_a_keyring_the_words_name_the_other_ways(address: StoreAddress) -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())
    assert find_password(address) is None
    with pytest.raises(ConfigError, match=r"no keyring.*~/\.pgpass.*QUANTDESK_DATABASE_URL"):
        keep_password(address, SECRET)
    with pytest.raises(ConfigError, match="no keyring"):
        forget_password(address)


@pytest.mark.parametrize("backend", [LockedKeyring, TalkativeKeyring, ForgetfulKeyring])
def test_a_keyring_that_fails_is_told_without_the_secret(
    backend: type[MemoryKeyring], address: StoreAddress, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keyring.set_keyring(backend())
    assert find_password(address) is None
    with pytest.raises(ConfigError) as refused:
        keep_password(address, SECRET)
    told = "".join(traceback.format_exception(refused.value)) + caplog.text
    assert SECRET not in told and "~/.pgpass" in str(refused.value) and "\n" not in str(refused.value)


def test_the_keyrings_library_is_imported_only_when_it_is_asked() -> None:
    code = "import sys, quantdesk.store.passwords; sys.exit('keyring' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_password_in_libpqs_file_stands_first_and_is_private(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "home" / "pgpass"
    monkeypatch.setenv("PGPASSFILE", str(path))
    assert keep_in_pgpass(address, "old") == path
    path.write_text(path.read_text("utf-8") + "*:*:*:*:everybody's\n", "utf-8")
    keep_in_pgpass(address, SECRET)
    lines = path.read_text("utf-8").splitlines()
    assert lines == ["db.example.org:5433:desk:trader:pa\\:ss\\\\wörd s3cret", "*:*:*:*:everybody's"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["pgpass"]


def test_libpqs_file_that_cannot_be_written_is_said(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("in the way", "utf-8")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "blocked" / "pgpass"))
    with pytest.raises(ConfigError, match="cannot be written") as refused:
        keep_in_pgpass(address, SECRET)
    assert SECRET not in str(refused.value)
    with pytest.raises(ConfigError, match="another one"):
        keep_in_pgpass(address, "two\nlines")
