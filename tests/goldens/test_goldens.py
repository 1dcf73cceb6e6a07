"""Every panel looks as in the pictures that were looked at, dark and light, at scale factors 1 and 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

from tests.goldens.draw import THEMES, VIEWS

PICTURES = Path(__file__).parent / "pictures"
ROOT = Path(__file__).resolve().parents[2]
NAMES = ("price", "spread", "attribution", "z", "correlation", "axis")
#: Another version of the letters' shapes may move a pixel of their edges; a line that is gone moves hundreds.
_NEAR = 40
_SHARE = 0.002
_LEAST = 40


def pixels(path: Path) -> np.ndarray:
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4)[..., :3].astype(int)


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Return how many pixels differ for the eye, as a multiple of what is borne; infinite for another size."""
    if first.shape != second.shape:
        return float("inf")
    far = np.abs(first - second).max(axis=2) > _NEAR
    return float(far.sum() / max(_LEAST, _SHARE * far.size))


@pytest.fixture(scope="session", params=[1, 2])
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    folder: Path = tmp_path_factory.mktemp("drawn")
    scale: int = request.param
    env = {**os.environ, "QT_SCALE_FACTOR": str(scale), "TZ": "UTC"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.goldens.draw", str(folder)],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(scale)
    return folder, scale


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("view", VIEWS)
def test_the_panels_look_as_they_did_when_somebody_looked(drawn: tuple[Path, int], view: str, theme: str) -> None:
    folder, scale = drawn
    names = [f"{name}-{view}-{theme}-{scale}x.png" for name in NAMES]
    off = {
        name: round(found, 1)
        for name in names
        if (found := difference(pixels(folder / name), pixels(PICTURES / name))) > 1
    }
    assert not off, f"{off} times what is borne; drawn in {folder}. As meant? CONTRIBUTING.md says how to take them"


def test_no_picture_is_left_of_a_panel_that_is_gone() -> None:
    wanted = {f"{n}-{v}-{t}-{s}x.png" for n in NAMES for v in VIEWS for t in THEMES for s in (1, 2)}
    assert {path.name for path in PICTURES.glob("*.png")} == wanted


def test_a_line_that_is_gone_is_seen() -> None:
    picture = pixels(PICTURES / "z-normal-dark-1x.png")
    without = picture.copy()
    orange = np.abs(picture - np.array([0x5A, 0x9A, 0xEF])).max(axis=2) < 60
    assert orange.sum() > 100
    without[orange] = picture[5, 5]
    assert difference(picture, without) > 1
    assert difference(picture, picture) == 0
    assert difference(picture, picture[:-1]) == float("inf")
