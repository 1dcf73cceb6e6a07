from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantdesk.analytics.attribution import attribute
from quantdesk.ui.charts.attribution import PARTS, part_colors, short_names
from quantdesk.ui.theme_tokens import DARK, LIGHT
from tests.ui.charts.acts import count, move, picture, settle, view
from tests.ui.charts.frames import tail_of


def words(spans) -> str:
    return " ".join(span.text for span in spans)


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_the_strip_shows_both_legs_in_their_colours(full, tokens):
    full.stack.set_tokens(tokens)
    image = picture(full, "attribution")
    body = image.copy(0, 30, image.width(), image.height() - 30)
    assert count(body, tokens.leg_y) > 200 and count(body, tokens.leg_x) > 200
    assert count(body, tokens.text) < 20, "a frozen ratio moves nothing"


def test_a_ratio_that_moves_has_its_own_colour_and_share(full):
    frame = full.pair.frame
    beta = 18.5 + np.random.default_rng(4).normal(0, 0.01, len(frame)).cumsum()
    moved = attribute(frame.y.close, frame.x.close, beta)
    full.pair.show(replace(frame, version=2, attribution=moved))
    image = picture(full, "attribution")
    assert count(image.copy(0, 30, image.width(), image.height() - 30), DARK.text) > 200
    strip = full.stack.panel("attribution").bars
    low, high = strip.extents()
    first = strip.cut.start
    parts = np.array([getattr(moved, name)[first : first + len(high)] for name in PARTS])
    np.testing.assert_allclose(high, np.where(parts > 0, parts, 0).sum(axis=0))
    np.testing.assert_allclose(low + high, moved.change[first : first + len(high)], atol=1e-9)


def test_bars_that_share_a_pixel_are_summed(desk, make):
    desk.pair.show(make(50_000))
    settle(desk)
    view(desk).show(0, 50_000)
    settle(desk)
    cut, frame = desk.stack.panel("attribution").bars.cut, desk.pair.frame
    assert cut.group > 10 and cut.size < 3_000
    for name in PARTS:
        summed = np.nansum(getattr(frame.attribution, name)[cut.group : 2 * cut.group])
        assert cut.columns[name][1] == pytest.approx(summed, abs=1e-6)
    assert count(picture(desk, "attribution"), DARK.leg_y) > 200


def test_the_crosshair_reads_the_parts_in_strip_and_spread(full):
    spread, strip = full.stack.panel("spread"), full.stack.panel("attribution")
    settle(full)
    assert "Δ" not in words(spread.legend(900)), "without a crosshair the spread's legend has other things to say"
    assert "Δ" in words(strip.legend(999))
    move(spread.viewport(), 400, 40)
    settle(full)
    row = full.stack._state.cursor_row
    parts = full.pair.frame.attribution
    said = words(spread.legend(row)).replace("\N{MINUS SIGN}", "-")
    for name, part in (("BTC", parts.from_y), ("ETH", parts.from_x)):
        assert f"{name} {part[row]:+.1f}" in said
    assert f"Δ {parts.change[row]:+.1f} = " in said and "β 0.0" in said
    assert said.index("Δ") < said.index("mean")
    assert "BTC" in words(strip.legend(row))


def test_the_forming_bar_is_read_too(desk, make):
    whole = make(301)
    desk.pair.show(make(300), tail_of(whole, slice(300, 301)))
    settle(desk)
    strip = desk.stack.panel("attribution")
    assert len(strip.bars.pyramid) == 301
    assert "Δ" in words(strip.legend(300))


def test_the_jump_of_a_refit_does_not_flatten_the_other_bars(full):
    frame, strip = full.pair.frame, full.stack.panel("attribution")
    view(full).show(700, 800)
    settle(full)
    usual = strip.high
    beta = np.where(np.arange(len(frame)) < 750, 18.5, 19.5)
    full.pair.show(replace(frame, version=2, attribution=attribute(frame.y.close, frame.x.close, beta)))
    settle(full)
    assert full.pair.frame.attribution.from_beta[750] < -3_000
    assert strip.high < 2 * usual and strip.low > -10 * usual


def test_without_two_legs_it_says_what_it_needs(desk, make):
    desk.pair.show(make(100, two=False))
    settle(desk)
    strip = desk.stack.panel("attribution")
    assert strip.empty_text() == "Attribution of the spread needs two legs"
    assert count(picture(desk, "attribution"), DARK.text_dim) > 5


def test_a_quote_that_both_symbols_share_is_left_out_of_the_legend():
    assert short_names("BTCUSDT", "ETHUSDT") == ("BTC", "ETH")
    assert short_names("BNBUSDT", "ARBUSDT") == ("BNB", "ARB")
    assert short_names("USDT", "ETHUSDT") == ("USDT", "ETHUSDT")
    assert short_names("first leg", "second leg") == ("first leg", "second leg")


#: Machado, Oliveira and Fernandes (2009), severity 1: what protanopes and deuteranopes see of linear RGB.
_SEEN = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "all": np.eye(3).tolist(),
}


def lab(color: str, eyes: str) -> np.ndarray:
    rgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(_SEEN[eyes]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    scaled = np.array(to_xyz) @ linear / np.array([0.9505, 1.0, 1.089])
    root = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


@pytest.mark.parametrize("eyes", _SEEN)
@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_colour_blind_eyes_tell_the_parts_apart(tokens, eyes):
    seen = [lab(color, eyes) for color in part_colors(tokens).values()] + [lab(tokens.panel, eyes)]
    gaps = [float(np.linalg.norm(a - b)) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(gaps) > 25, gaps
