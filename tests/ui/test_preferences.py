"""The settings show what counts, change it at once, and are reached by keys alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QWidget

from quantdesk.ui.preferences_dialog import PreferencesDialog
from quantdesk.ui.settings_store import SettingsStore
from quantdesk.ui.theme_tokens import DARK, DARK_SAFE, LIGHT, LIGHT_SAFE, Tokens

from .conftest import Desk

#: Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency (2009),
#: severity 1; rows of linear RGB.
SEEN_BY = {
    "protanopes": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopes": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopes": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    xyz = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(first: str, second: str, eyes: str) -> float:
    seen = np.array(SEEN_BY[eyes])
    return float(np.linalg.norm(lab(seen @ linear(first)) - lab(seen @ linear(second))))


def open_settings(desk: Desk) -> PreferencesDialog:
    desk.window.registry["file.settings"].trigger()
    dialog = desk.window.preferences.dialog
    assert dialog is not None
    return dialog


def box(dialog: PreferencesDialog, name: str) -> QComboBox:
    return next(one for one in dialog.findChildren(QComboBox) if one.accessibleName() == name)


def pick(found: QComboBox, value: object) -> None:
    found.setCurrentIndex(found.findData(value))
    found.activated.emit(found.currentIndex())


@pytest.mark.parametrize("eyes", SEEN_BY)
@pytest.mark.parametrize("tokens", [DARK_SAFE, LIGHT_SAFE])
def test_the_safe_colours_are_told_apart_by_colour_blind_eyes(tokens: Tokens, eyes: str) -> None:
    for first, second in ((tokens.up, tokens.down), (tokens.ok, tokens.error)):
        assert apart(first, second, eyes) > 80
    assert apart(tokens.leg_y, tokens.leg_x, eyes) > 25
    plain = DARK if tokens.dark else LIGHT
    assert eyes == "tritanopes" or apart(plain.up, plain.down, eyes) < 60, "the plain pair would do"


def test_colours_and_theme_change_at_once_and_are_kept(desk: Desk, tmp_path: Path) -> None:
    dialog = open_settings(desk)
    pick(box(dialog, "Rising and falling"), True)
    assert desk.theme.tokens == DARK_SAFE and desk.window.registry["view.safe_colours"].isChecked()
    pick(box(dialog, "Rising and falling"), True)
    assert desk.theme.tokens == DARK_SAFE, "chosen twice is chosen"
    pick(box(dialog, "Theme"), "light")
    assert desk.theme.tokens == LIGHT_SAFE
    pick(box(dialog, "Times of day in the window"), "local")
    pick(box(dialog, "Price scale"), "log")
    kept = SettingsStore(tmp_path).settings
    assert (kept.safe_colours, kept.theme, kept.time_zone, kept.price_scale) == (True, "light", "local", "log")


def test_what_closing_means_can_be_chosen_again(desk: Desk) -> None:
    settings = desk.store.settings
    found = box(open_settings(desk), "Closing the window")
    assert found.currentData() == "ask"
    for way, asked, tray in (("tray", False, True), ("quit", False, False), ("ask", True, False)):
        pick(found, way)
        assert (settings.ask_on_close, settings.close_to_tray) == (asked, tray)


def test_every_page_is_reached_by_keys_and_every_control_has_a_name(desk: Desk, qapp: QApplication) -> None:
    desk.window.show()
    dialog = open_settings(desk)
    dialog.show()
    titles = []
    for _ in range(dialog.names.count()):
        titles.append(dialog.stack.currentWidget().accessibleName())
        page = dialog.stack.currentWidget()
        for control in page.findChildren(QWidget):
            if (
                isinstance(control, QAbstractButton | QComboBox | QLineEdit)
                and control.focusPolicy() != Qt.FocusPolicy.NoFocus
            ):
                assert control.accessibleName(), control
                assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
        QTest.keyClick(dialog.names, Qt.Key.Key_Down)
    assert len(set(titles)) == 5


def test_the_data_held_are_one_button_away(desk: Desk) -> None:
    dialog, asked = open_settings(desk), []
    desk.window.registry["data.holdings"].triggered.connect(lambda: asked.append(1))
    next(one for one in dialog.findChildren(QAbstractButton) if "Data held" in one.text().replace("&", "")).click()
    assert asked


def test_the_settings_open_once_and_close_by_escape(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    desk.window.show()
    dialog = open_settings(desk)
    assert open_settings(desk) is dialog
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert desk.window.preferences.dialog is None


@pytest.mark.parametrize(
    ("name", "bad"),
    [("proxy", "socks5://x:1"), ("ws_url", "ftp://x"), ("rest_url", "nonsense"), ("archive_url", "x"), ("proxy", 5)],
)
def test_a_broken_connection_in_the_settings_file_falls_back(tmp_path: Path, name: str, bad: object) -> None:
    import json

    (tmp_path / "settings.json").write_text(json.dumps({name: bad}), "utf-8")
    settings = SettingsStore(tmp_path).settings
    assert getattr(settings, name) == ("system" if name == "proxy" else "")


def test_a_password_written_into_the_settings_file_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"proxy": "http://joe:secret@a:80"}', "utf-8")
    store = SettingsStore(tmp_path)
    assert store.settings.proxy == "http://joe@a:80" and store.save()
    assert "secret" not in (tmp_path / "settings.json").read_text("utf-8")
