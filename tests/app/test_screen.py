"""Whatever Qt draws on, it finds letters there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from quantdesk.app import screen


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "")
    monkeypatch.setenv("SYSTEMROOT", "D:/Win dows")
    monkeypatch.setenv("QT_QPA_FONTDIR", "undone afterwards")
    monkeypatch.delenv("QT_QPA_FONTDIR")


def test_a_picture_on_windows_is_drawn_with_the_systems_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    screen.prepare(offscreen=True)
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"
    assert Path(os.environ["QT_QPA_FONTDIR"]) == Path("D:/Win dows/Fonts")


def test_fonts_that_somebody_named_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("QT_QPA_FONTDIR", "mine")
    screen.prepare(offscreen=True)
    assert os.environ["QT_QPA_FONTDIR"] == "mine"


@pytest.mark.parametrize(("system", "platform"), [("win32", ""), ("linux", "offscreen"), ("darwin", "offscreen")])
def test_elsewhere_qt_finds_them_itself(monkeypatch: pytest.MonkeyPatch, system: str, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    screen.lend_fonts()
    assert "QT_QPA_FONTDIR" not in os.environ
