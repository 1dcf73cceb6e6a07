from __future__ import annotations

from quantdesk.model.paint_latency import PaintLatency
from tests.ui.charts.acts import settle


class Paints(PaintLatency):
    """Count the panels that were painted."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def painted(self) -> None:
        super().painted()
        self.count += 1


def test_a_frame_paints_each_panel_once(full, qtbot):
    settle(full)
    qtbot.wait(60)
    paints = full.stack._state.latency = Paints()
    for bars in (5, -3, 2):
        paints.count = 0
        full.stack.pan(bars)
        qtbot.waitUntil(lambda: paints.count >= len(full.stack.panel_names))
        qtbot.wait(60)
        assert paints.count == len(full.stack.panel_names)


def test_the_plot_has_its_place_before_the_first_event_tells_the_size(full):
    panel = full.stack.panel("price")
    panel.resize(700, 333)
    panel.set_axis_width(90.0)
    panel.refresh()
    assert (panel.plot.width(), panel.plot.height()) == (610.0, 333.0)
    assert panel.box.geometry() == panel.plot
