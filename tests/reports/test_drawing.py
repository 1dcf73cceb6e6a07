import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.reports.drawing import WIDTH, Band, Level, Line, Picture, draw, ribbon, tick_text

DAY = 86_400_000


def _picture(values: np.ndarray, **changes: object) -> Picture:
    times = np.arange(len(values), dtype=np.int64) * DAY
    return Picture("p", times, (Line(values, "y"),), **changes)  # type: ignore[arg-type]


def _points(svg: str, css: str) -> np.ndarray:
    path = next(p for p in ElementTree.fromstring(svg).iter("path") if p.get("class") == css)
    return np.array([[float(n) for n in pair] for pair in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d") or "")])


def test_the_line_runs_through_its_values_from_edge_to_edge() -> None:
    points = _points(draw(_picture(np.array([0.0, 10.0, 5.0]))), "y")
    assert points[0, 0] < points[1, 0] < points[2, 0] <= WIDTH
    low, high, middle = points[:, 1]
    assert low > middle > high  # a picture counts downwards
    assert middle == pytest.approx((low + high) / 2, abs=0.11)


@pytest.mark.parametrize("height", [50.0, -50.0])
def test_a_spike_survives_any_number_of_bars(height: float) -> None:
    values = np.zeros(200_000)
    values[123_456] = height
    points = _points(draw(_picture(values)), "y")
    assert len(points) < 4_000
    spike = points[np.abs(points[:, 1] - points[0, 1]).argmax()]
    assert np.sign(points[0, 1] - spike[1]) == np.sign(height)
    assert abs(spike[1] - points[0, 1]) > 100
    assert spike[0] == pytest.approx(64 + (WIDTH - 78) * 123_456 / 199_999, abs=1.5)


@pytest.mark.parametrize("rows", [10, 5_000])
def test_holes_part_the_line(rows: int) -> None:
    values = np.arange(rows, dtype=np.float64)
    values[rows // 3 : rows // 2] = np.nan
    svg = draw(_picture(values))
    path = next(p.get("d") or "" for p in ElementTree.fromstring(svg).iter("path") if p.get("class") == "y")
    assert path.count("M") == 2
    assert "nan" not in svg


def test_a_level_outside_the_limits_is_not_drawn_and_values_stay_at_the_edge() -> None:
    levels = (Level(2.0, "level", "two"), Level(99.0, "level", "far"))
    svg = draw(_picture(np.array([0.0, 1e6, 0.0]), levels=levels, limits=(-3.0, 3.0)))
    assert "two" in svg and "far" not in svg
    assert _points(svg, "y")[:, 1].min() >= 10


@pytest.mark.parametrize("values", [np.full(5, np.nan), np.empty(0), np.array([1.0]), np.full(5, np.inf)])
def test_nothing_to_draw_is_no_picture(values: np.ndarray) -> None:
    assert draw(_picture(values)) == ""
    assert ribbon("p", np.arange(len(values)), values, ((1.0, "a"),)) in ("", *[""])[:1] or np.isinf(values).all()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12) | st.just(float("nan")), min_size=2, max_size=40), st.floats(1e-9, 1e9))
def test_every_picture_is_sound_xml_with_finite_coordinates(numbers: list[float], scale: float) -> None:
    values = np.array(numbers) * scale
    band = Band(values - 1, values + 1, "band")
    svg = draw(_picture(values, bands=(band,), levels=(Level(0.0, "mean", "<&>"),)))
    if svg:
        ElementTree.fromstring(svg)
        assert "nan" not in svg and "inf" not in svg


def test_a_ribbon_colours_each_value_by_its_bound() -> None:
    values = np.array([np.nan, 0.001, 0.02, 0.02, 0.5])
    svg = ribbon("p", np.arange(5) * DAY, values, ((0.01, "low"), (0.05, "mid"), (2.0, "high")))
    kinds = [rect.get("class") for rect in ElementTree.fromstring(svg).iter("rect")]
    assert kinds == ["empty", "low", "mid", "high"]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(-1.5, 1, "−1.5"), (0.0, 2, "0.00"), (-0.0001, 2, "0.00"), (12_000.0, 0, "12,000"), (3e9, 0, "3e+09")],
)
def test_ticks_are_written_plainly(value: float, decimals: int, text: str) -> None:
    assert tick_text(value, decimals) == text
