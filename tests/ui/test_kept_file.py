"""A small file is written whole, whatever letters names on this system have."""

from __future__ import annotations

from pathlib import Path

from quantdesk.ui.kept_file import KeptFile
from quantdesk.ui.settings_store import SettingsStore

#: What Python makes of a byte in a name that is no UTF-8.
FOLDER = "/data/r\udce9sum\udce9"


def test_a_name_of_bytes_that_are_no_text_is_kept_and_comes_back(tmp_path: Path) -> None:
    file = KeptFile(tmp_path / "kept.json", "choices", "the defaults")
    assert file.write({"folder": FOLDER}) and not file.problem
    assert file.read() == {"folder": FOLDER}
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


def test_settings_are_saved_after_a_file_from_such_a_folder(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path)
    store.settings.remember_file(Path(FOLDER, "a.csv"))
    assert store.save()
    again = SettingsStore(tmp_path)
    assert not again.problem and again.settings.recent == store.settings.recent
