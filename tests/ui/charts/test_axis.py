from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from quantdesk.ui.charts import overlay
from quantdesk.ui.theme_tokens import DARK, LIGHT, Tokens
from tests.ui.charts.acts import settle, view

SPANS = ((940.0, 1_003.0), (700.0, 1_003.0), (-0.5, 999.5), (500.5, 507.0))

pytestmark = [
    pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"]),
    pytest.mark.parametrize("ratio", [1, 2]),
]


def ink(size: QSize, ratio: int, background: str, draw: Callable[[QPainter], object]) -> np.ndarray:
    """Return which device pixels differ from the background clearly."""
    image = QImage(size * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(background))
    painter = QPainter(image)
    draw(painter)
    painter.end()
    bytes_ = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[:, : image.width(), 2::-1]
    paper = np.array(QColor(background).getRgb()[:3])
    return np.abs(bytes_.astype(int) - paper).max(axis=2) > 48


def runs(there: np.ndarray, gap: int = 1) -> list[tuple[int, int]]:
    """Return first and last of each run of True, runs less than ``gap`` apart joined."""
    places = np.flatnonzero(there)
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > gap)
    return list(zip(places[np.r_[0, breaks + 1]].tolist(), places[np.r_[breaks, -1]].tolist(), strict=True))


def value_strip(panel, ratio: int, tokens: Tokens) -> np.ndarray:
    def draw(painter: QPainter) -> None:
        panel.drawBackground(painter, QRectF())
        panel.drawForeground(painter, QRectF())

    return ink(panel.size(), ratio, tokens.panel, draw)[:, int(panel.plot.right() + 2) * ratio :]


@pytest.mark.parametrize("name", ["price", "spread", "z", "correlation"])
def test_value_labels_stand_apart_and_none_is_cut(full, tokens, ratio, name):
    full.stack.set_tokens(tokens)
    panel = full.stack.panel(name)
    for span in SPANS:
        view(full).show(*span)
        settle(full)
        strip = value_strip(panel, ratio, tokens)
        half = panel.state.metrics.height() / 2
        taken = [overlay.tag_middle(panel.plot, panel.y_of(tag.value)) for tag in panel.tags()]
        drawn = [tag for tag in panel.tags() if 0 <= panel.y_of(tag.value) <= panel.plot.bottom()]
        ys = [panel.y_of(value) for value in panel._ticks.values]
        free = [
            y
            for y in ys
            if half <= y <= panel.height() - half
            and all(abs(y - other) >= overlay.TAG_HEIGHT / 2 + half - 1 for other in taken)
        ]
        found = runs(strip.any(axis=1))
        assert len(found) == len(free) + len(drawn), "each label and tag is a block of its own"
        assert len(free) + len(taken) >= 2
        assert found[0][0] > 0 and found[-1][1] < strip.shape[0] - 1, "nothing is cut at the top or foot"
        assert not strip[:, -ratio:].any(), "nothing is cut at the right"
        for y in free:
            assert any(first <= y * ratio <= last for first, last in found), "a label stands at its value"


def time_strip(axis, ratio: int, tokens: Tokens) -> np.ndarray:
    return ink(axis.size(), ratio, tokens.panel, axis.draw)[2 * ratio :]


@pytest.mark.parametrize("beside", [None, -95.0, 0.0, 95.0])
def test_time_labels_stand_apart_and_none_is_cut(full, tokens, ratio, beside):
    """Also where the crosshair's tag covers a label, or a part of it."""
    full.stack.set_tokens(tokens)
    axis, state = full.stack._axis, full.stack._state
    for span in SPANS:
        view(full).show(*span)
        settle(full)
        if beside is not None:
            full.stack._pointing.put(axis._x_of(state.ticks[len(state.ticks) // 2].x) + beside, 0.0)
            settle(full)
        strip = time_strip(axis, ratio, tokens)
        box = axis._tag_box()
        shown = 0
        for tick in state.ticks:
            wide = (state.bold_metrics if tick.major else state.metrics).horizontalAdvance(tick.label)
            left = (tick.x - state.view.left) / state.view.span * axis.plot_width - wide / 2
            free = box is None or left >= box.right() + 4 or left + wide <= box.left() - 4
            shown += left >= 2 and left + wide <= axis.plot_width - 2 and free
        found = runs(strip.any(axis=0), gap=7 * ratio)
        tag = 0 if box is None else 1
        assert len(found) == shown + tag + 1, "each label, the tag and the zone are a block of their own"
        assert shown >= 2
        if box is not None:
            block = next(run for run in found if run[0] <= box.center().x() * ratio <= run[1])
            assert box.left() - 1 <= block[0] / ratio and block[1] / ratio <= box.right() + 1, "no label joins the tag"
        assert found[0][0] >= ratio and found[-1][1] < strip.shape[1] - ratio, "nothing is cut at the sides"
        rows = runs(strip.any(axis=1), gap=strip.shape[0])
        assert rows[0][1] < strip.shape[0] - ratio, "nothing is cut at the foot"


def test_what_was_laid_out_before_looks_as_it_did(full, tokens, ratio):
    """The second time a text is written it is kept, from then on it is written from there."""
    full.stack.set_tokens(tokens)
    settle(full)
    panel, axis = full.stack.panel("price"), full.stack._axis
    for draw in (lambda: value_strip(panel, ratio, tokens), lambda: time_strip(axis, ratio, tokens)):
        full.stack._state.set_font(full.stack.font())
        first, second, third = draw(), draw(), draw()
        assert first.sum() > 100
        np.testing.assert_array_equal(second, third)
        # A third of a pixel is all that text may move.
        assert (first != second).sum() <= first.sum() * 0.25
