from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QApplication

from quantdesk.ui.charts.lettering import MOST_KEPT, Lettering
from quantdesk.ui.charts.state import chart_font

TEXTS = ("−64,123.5", "18 Jul", "<b>ΔβA</b>")


def written(draw) -> np.ndarray:
    image = QImage(160, 40, QImage.Format.Format_RGB32)
    image.fill(QColor("#131722"))
    painter = QPainter(image)
    painter.setPen(QColor("#d6dae3"))
    draw(painter)
    painter.end()
    return np.frombuffer(image.constBits(), np.uint32).reshape(40, 160).copy()


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_looks_the_same_however_often_it_is_written(qapp: QApplication, text, bold):
    font = chart_font(qapp.font(), bold=bold)
    letters = Lettering(font)
    for x, y in ((10.0, 25.0), (10.37, 25.0), (11.5, 24.61)):

        def plain(painter, x=x, y=y):
            painter.setFont(font)
            painter.drawText(QPointF(x, y), text)

        def ours(painter, x=x, y=y):
            letters.write(painter, x, y, text)

        for _ in range(3):
            np.testing.assert_array_equal(written(ours), written(plain))


def test_an_advance_is_the_metrics_own(qapp: QApplication):
    font = chart_font(qapp.font())
    letters = Lettering(font)
    for text in TEXTS * 2:
        assert letters.advance(text) == QFontMetricsF(font).horizontalAdvance(text)


def test_what_is_kept_does_not_grow_without_end(qapp: QApplication):
    letters = Lettering(chart_font(qapp.font()))

    def many(painter):
        for number in range(3 * MOST_KEPT):
            letters.advance(str(number))
            letters.write(painter, 0, 20, str(number))

    written(many)
    assert len(letters._advances) <= MOST_KEPT and len(letters._laid_out) <= MOST_KEPT
