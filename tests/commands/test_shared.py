"""What sub-commands share says in words what is wrong with a store's place."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from quantdesk.commands.shared import UsageError, add_store_arguments, open_reader, open_writer, store_file
from quantdesk.config import ConfigError


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


@pytest.mark.parametrize("url", ["postgresql://host/base", "mysql://x", "sqlite://", "sqlite:///", "desk.sqlite", "x"])
def test_another_database_than_a_sqlite_file_is_wrong_use(url: str) -> None:
    with pytest.raises(UsageError, match="sqlite:///FILE only"):
        store_file(parse("--database", url))


def test_a_database_url_names_a_relative_or_an_absolute_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert store_file(parse("--database", "sqlite:///a b/ü.db")) == tmp_path / "a b" / "ü.db"
    assert store_file(parse("--database", f"sqlite:///{tmp_path}/x.db")) == tmp_path / "x.db"
