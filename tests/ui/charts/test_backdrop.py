from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from quantdesk.ui.charts.scale import PriceScale
from tests.ui.charts.acts import count, move, settle, view
from tests.ui.charts.frames import part, tail_of

CLOSED, FORMING = 2_990, 2


@pytest.fixture
def live(desk, make):
    """Show 2,990 closed bars and two that form."""
    whole = make(CLOSED + FORMING)
    desk.pair.show(part(whole, slice(0, CLOSED)), tail_of(whole, slice(CLOSED, None)))
    desk.whole = whole
    settle(desk)
    desk.clock.flush()
    QApplication.processEvents()
    return desk


def trade(desk, share: float) -> None:
    """Let the forming bars move, and the clock tick for nothing else."""
    tail = tail_of(desk.whole, slice(CLOSED, None))
    size = 30.0 * share

    def moved(leg, scale):
        close = leg.close + size * scale
        return replace(leg, close=close, high=np.maximum(leg.high, close), low=np.minimum(leg.low, close))

    desk.pair._tail = replace(
        tail, y=moved(tail.y, 1.0), x=moved(tail.x, 0.05), spread=tail.spread + size, z=tail.z + share * 0.8
    )
    desk.clock.mark_newest()
    desk.clock.flush()
    assert desk.clock.newest_only
    QApplication.processEvents()


def painted(desk) -> dict[str, np.ndarray]:
    pictures = {}
    for name in desk.stack.panel_names:
        image = desk.stack.panel(name).grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
        pictures[name] = pixels & 0xFFFFFF
    return pictures


def serving(desk) -> set[str]:
    return {name for name in desk.stack.panel_names if desk.stack.panel(name)._backdrop._picture is not None}


def test_a_trade_paints_what_painting_everything_anew_would(live, subtests):
    looks = {
        "the latest bars": live.stack.go_latest,
        "wide candles": lambda: view(live).show(CLOSED - 30, CLOSED + 6),
        "a thousand bars": lambda: view(live).show(CLOSED - 1_000, CLOSED + 6),
        "all bars": lambda: view(live).show(0, CLOSED + 6),
        "between two pixels": lambda: view(live).show(CLOSED - 200.37, CLOSED + 3.61),
        "the past": lambda: view(live).show(500, 900),
        "the other leg": lambda: live.stack.set_price_leg("x"),
        "both legs": lambda: live.stack.set_both_legs(True),
        "logarithms": lambda: live.stack.set_scale(PriceScale.LOG),
        "percent": lambda: live.stack.set_scale(PriceScale.PERCENT),
        "far levels": lambda: live.stack.alert_level(0.3, (-0.3, 0.3)),
    }
    served_once: set[str] = set()
    for name, look in looks.items():
        look()
        live.clock.flush()
        QApplication.processEvents()
        for share in (0.0, 0.4, -0.3, 0.1):
            trade(live, share)
            over = painted(live)
            served = serving(live)
            live.stack._refresh()
            anew = painted(live)
            live.stack._refresh(newest_only=True)
            for panel, pixels in over.items():
                with subtests.test(look=name, share=share, panel=panel):
                    differing = np.argwhere(pixels != anew[panel])
                    # Where z lies beyond its level, a few pixels of the joint are laid over one another otherwise.
                    joint = live.stack.panel(panel).x_of(CLOSED - 1)
                    assert len(differing) <= (6 if panel == "z" else 0)
                    assert (np.abs(differing[:, 1] - joint) < 3).all()
            served_once |= served
    assert served_once == set(live.stack.panel_names)


def test_a_trade_that_leaves_the_scale_alone_paints_no_closed_bar_again(live, monkeypatch):
    trade(live, 0.0)
    trade(live, 0.01)
    assert serving(live) == set(live.stack.panel_names)
    kept = {name: live.stack.panel(name)._backdrop._picture for name in live.stack.panel_names}
    trade(live, 0.02)
    move(live.stack.panel("price").viewport(), 300, 80)
    live.clock.flush()
    QApplication.processEvents()
    assert all(live.stack.panel(name)._backdrop._picture is picture for name, picture in kept.items())
    assert count(live.stack.panel("spread").grab().toImage(), live.stack._state.tokens.crosshair) > 20


@pytest.mark.parametrize("change", ["level", "tokens", "frame", "view", "size", "marks"])
def test_whatever_else_changes_is_painted_with_everything(live, make, change):
    from quantdesk.ui.theme_tokens import LIGHT

    trade(live, 0.0)
    trade(live, 0.01)
    if change == "level":
        live.stack.alert_level(1.0, (-1.0, 1.0))
    elif change == "tokens":
        live.stack.set_tokens(LIGHT)
    elif change == "frame":
        frame = live.pair.frame
        live.pair.frame = replace(frame, version=frame.version + 1, z=frame.z * 0.9)
        live.clock.mark_newest()
    elif change == "view":
        view(live).pan(-3)
        live.clock.mark_newest()
    elif change == "size":
        live.stack.resize(1_100, 760)
    else:
        live.stack.set_marks(())
    QApplication.processEvents()
    live.clock.flush()
    QApplication.processEvents()
    over = painted(live)
    live.stack._refresh()
    for panel, pixels in painted(live).items():
        np.testing.assert_array_equal(over[panel], pixels, err_msg=panel)


def test_a_tick_for_forming_bars_alone_does_not_hide_what_else_was_marked(live):
    live.clock.mark_newest()
    live.clock.mark()
    live.clock.mark_newest()
    live.clock.flush()
    assert not live.clock.newest_only
    live.clock.mark_newest()
    live.clock.flush()
    assert live.clock.newest_only


def test_on_a_screen_of_more_pixels_the_kept_picture_is_made_anew(live, monkeypatch):
    panel = live.stack.panel("price")
    trade(live, 0.0)
    trade(live, 0.01)
    assert panel._backdrop._picture.devicePixelRatio() == 1.0
    monkeypatch.setattr(panel.viewport(), "devicePixelRatioF", lambda: 2.0)
    panel.grab()
    picture = panel._backdrop._picture
    assert picture.devicePixelRatio() == 2.0
    assert picture.size() == panel.viewport().size() * 2


def test_a_hidden_panel_keeps_no_picture_and_is_whole_when_it_comes_back(live):
    trade(live, 0.0)
    trade(live, 0.01)
    assert "z" in serving(live)
    live.stack.set_panel_visible("z", False)
    assert "z" not in serving(live)
    live.clock.flush()
    trade(live, 0.02)
    live.stack.hide()
    assert not serving(live)
    live.stack.show()
    live.stack.set_panel_visible("z", True)
    for _ in range(3):  # sizes settle, and each asks for one more
        live.clock.flush()
        QApplication.processEvents()
    trade(live, 0.03)
    over = painted(live)
    assert serving(live) == set(live.stack.panel_names)
    live.stack._refresh()
    for panel, pixels in painted(live).items():
        assert (over[panel] != pixels).sum() <= (6 if panel == "z" else 0), panel  # of the joint, as above
