from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from quantdesk.ui.charts.rects import Columns, Rects, premultiplied

WIDE, TALL = 40, 130
boxes = st.lists(
    st.tuples(st.integers(-5, WIDE), st.integers(-5, TALL), st.integers(0, 9), st.integers(0, 120)), max_size=30
)


def painted(draw) -> np.ndarray:
    """Return the pixels (rows, columns, blue green red) of a grey image that was drawn on."""
    image = QImage(WIDE, TALL, QImage.Format.Format_RGB32)
    image.fill(QColor("#405060"))
    painter = QPainter(image)
    draw(painter)
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).reshape(TALL, WIDE, 4)[:, :, :3].astype(int)


@settings(max_examples=60, deadline=None)
@given(boxes, st.integers(0, 40))
def test_rectangles_fill_exactly_their_pixels(chosen, before):
    rects = Rects()
    rects.put(*(np.zeros(before) for _ in range(4)))  # what was held before leaves nothing behind
    rects.put(*np.array(chosen, np.float64).reshape(-1, 4).T)
    found = painted(lambda painter: rects.paint(painter, QColor("#ff0000")))
    expected = np.zeros((TALL, WIDE), bool)
    for x, y, width, height in chosen:
        expected[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = True
    np.testing.assert_array_equal((found == [0, 0, 255]).all(axis=2), expected)


@settings(max_examples=40, deadline=None)
@given(boxes, st.integers(1, 254))
def test_columns_blend_as_translucent_rectangles_do_within_their_clip(chosen, alpha):
    color, clip = QColor(200, 30, 90, alpha), QRect(3, 10, 30, 100)
    chosen = [(3 * place, y, min(width, 3), height) for place, (_, y, width, height) in enumerate(chosen)]
    x, y, width, height = np.array(chosen, np.float64).reshape(-1, 4).T
    columns = Columns()
    columns.put(clip, (x, x + width), (y, y + height), premultiplied(color))

    def one_by_one(painter: QPainter) -> None:
        painter.setClipRect(clip)
        for box in chosen:
            painter.fillRect(QRectF(*box), color)

    difference = np.abs(painted(columns.paint) - painted(one_by_one))
    assert difference.max() <= 2


def test_each_column_has_its_own_colour_and_the_later_one_shows_where_two_meet():
    ink = np.array([premultiplied(QColor(name)) for name in ("#ff0000", "#0000ff")], np.uint32)
    columns, edges = Columns(), (np.array([0.0, 5.0]), np.array([8.0, 12.0]))
    columns.put(QRect(0, 0, WIDE, TALL), edges, (np.zeros(2), np.full(2, 4.0)), ink)
    row = painted(columns.paint)[2]
    assert row[:5].tolist() == [[0, 0, 255]] * 5
    assert row[5:12].tolist() == [[255, 0, 0]] * 7


def test_columns_outside_the_clip_show_nothing_and_forget_those_before():
    columns, color = Columns(), premultiplied(QColor(255, 0, 0, 128))
    plain = painted(lambda painter: painter.setPen(Qt.PenStyle.NoPen))
    inside, outside = (np.array([1.0]), np.array([9.0])), (np.array([90.0]), np.array([99.0]))
    columns.put(QRect(0, 0, WIDE, TALL), inside, inside, color)
    assert (painted(columns.paint) != plain).any()
    columns.put(QRect(0, 0, WIDE, TALL), outside, inside, color)
    np.testing.assert_array_equal(painted(columns.paint), plain)
