"""Every test is worded with its lag, method and sample; what is impossible, clipped or missing says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantdesk.analytics.evidence import PairEvidence, gather
from quantdesk.analytics.pairs import PairSnapshot
from quantdesk.model.frame import Refit
from quantdesk.model.frozen_line import test_frozen as tests_of
from quantdesk.ui.evidence_rows import NONE, EvidenceRow, evidence_groups, p_text

MINUTE = 60_000


def tied(rows: int = 900, jump: float = 0.0, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (times, y, x) of a pair whose spread is an AR(0.9), with a jump at half time."""
    rng = np.random.default_rng(seed)
    x = 1_000 + rng.normal(0, 1, rows).cumsum()
    spread, noise = np.zeros(rows), rng.normal(0, 1, rows)
    for row in range(1, rows):
        spread[row] = 0.9 * spread[row - 1] + noise[row]
    y = 0.5 * x + spread + jump * (np.arange(rows) > rows / 2)
    return 1_721_304_000_000 + MINUTE * np.arange(rows, dtype=np.int64), y, x


def rows_of(evidence: PairEvidence, **options: object) -> dict[str, EvidenceRow]:
    groups = evidence_groups(evidence, None, MINUTE, **options)
    return {row.name.replace("\N{NO-BREAK SPACE}", " "): row for group in groups for row in group.rows}


@pytest.fixture(scope="module")
def evidence() -> PairEvidence:
    return gather(*tied())


def test_every_test_has_a_row_with_lag_method_and_sample(evidence):
    rows = rows_of(evidence)
    assert list(rows) == [
        "Engle-Granger, y on x",
        "Engle-Granger, x on y",
        "Engle-Granger, both ways",
        "Engle-Granger, lag by AIC",
        "Johansen trace, r = 0",
        "Johansen trace, r = 1",
        "Johansen max-eigen, r = 0",
        "Johansen max-eigen, r = 1",
        "ADF of the spread",
        "KPSS",
        "Half-life",
        "Hurst exponent",
        "Effective sample",
        "CUSUM of residuals",
        "Rolling β",
    ]
    for row in rows.values():
        assert row.lag != NONE and row.method != NONE and row.sample.startswith("n = "), row
        assert row.lag in row.how and row.sample in row.how and row.method in row.how
        assert row.says and row.name in row.text


def test_numbers_are_those_of_the_tests(evidence):
    rows = rows_of(evidence)
    test = evidence.engle_granger
    assert rows["Engle-Granger, y on x"].value.startswith(f"{test.statistic:.2f}".replace("-", "−"))
    assert f"lag {test.lags} (BIC)" == rows["Engle-Granger, y on x"].lag
    assert rows["Engle-Granger, y on x"].says == "rejects “no cointegration”"
    assert rows["Half-life"].value == f"{evidence.half_life:.1f} bars = {round(evidence.half_life * 60) // 60} min " + (
        f"{round(evidence.half_life * 60) % 60} s"
    )
    assert rows["Effective sample"].value == f"{evidence.effective.size:.1f} of 900"
    assert rows["Hurst exponent"].value == f"{evidence.hurst.exponent:.3f}"
    assert "0.314, Shin" in rows["KPSS"].value


def test_clipped_values_say_so(evidence):
    assert (p_text(1e-9), p_text(0.0), p_text(1.0), p_text(float("nan"))) == ("<0.001", "<0.001", ">0.999", NONE)
    kpss = rows_of(evidence)["KPSS"]
    assert kpss.p == ">0.10" and "p clipped to its table" in kpss.method
    far = replace(evidence, engle_granger=replace(evidence.engle_granger, p_value=0.0))
    assert "p clipped: the statistic is beyond MacKinnon's table" in rows_of(far)["Engle-Granger, y on x"].method


def test_an_impossible_hurst_exponent_is_not_valid(evidence):
    odd = replace(evidence, hurst=replace(evidence.hurst, exponent=1.07))
    row = rows_of(odd)["Hurst exponent"]
    assert row.value == "not valid (1.070)" and row.says == "impossible value: outside 0 to 1" and row.tone == "odd"


def test_what_does_not_exist_says_why():
    times, _, x = tied(40)
    rows = rows_of(gather(times, 2 * x + 1, x))
    assert "no value" in rows["Engle-Granger, y on x"].says and rows["Engle-Granger, y on x"].p == NONE
    assert "needs more than 60 bars" in rows["Rolling β"].says
    assert all(row.says for row in rows.values())
    assert "—," not in rows["Engle-Granger, y on x"].text


def test_a_spread_that_does_not_revert_has_no_half_life():
    times, _, x = tied(400)
    walks = gather(times, np.exp(np.linspace(0, 4, 400)), x)
    life = rows_of(walks)["Half-life"]
    assert walks.half_life is not None or "does not revert" in life.says
    assert "no value" in rows_of(replace(walks, half_life=None))["Half-life"].says


def test_a_half_life_of_too_few_bars_is_a_dash_with_its_reason():
    times, y, x = tied(29)
    few = rows_of(gather(times, y, x))
    assert few["Half-life"].value == NONE and "29 observations are too few for a half-life" in few["Half-life"].says
    assert few["ADF of the spread"].value != NONE, "the tests themselves go by a bound of their own"
    assert rows_of(gather(*tied(30)))["Half-life"].value != NONE


def test_a_break_is_dated():
    broken = gather(*tied(3_000, jump=5.0))
    row = rows_of(broken)["CUSUM of residuals"]
    assert broken.cusum.breaks and row.says.startswith("a break near 1") and row.tone == "odd"


def test_a_given_beta_names_its_window_and_its_sample():
    times, y, x = tied()
    line = Refit(int(times[300]), 0.0, 0.5, 0.0, 1.0, int(times[0]), int(times[299]), 300)
    found = tests_of(PairSnapshot(times, y, times, x), line)
    group = next(g for g in evidence_groups(gather(times, y, x), found, MINUTE) if g.title.startswith("Frozen β 0.5"))
    assert "fitted on 300 bars" in group.note and "tested on the 600 bars after it" in group.note
    assert "The tests agree: the spread reverts" in group.note
    assert [row.name for row in group.rows] == [
        "ADF, β given",
        "KPSS",
        "Half-life",
        "Hurst exponent",
        "Effective sample",
    ]
    assert "p too small" not in group.rows[0].method and group.rows[0].sample == "n = 600"


def test_a_line_without_bars_after_it_says_how_many_are_missing():
    times, y, x = tied()
    line = Refit(int(times[895]), 0.0, 0.5, 0.0, 1.0, int(times[0]), int(times[894]), 895)
    found = tests_of(PairSnapshot(times, y, times, x), line)
    group = next(g for g in evidence_groups(gather(times, y, x), found, MINUTE) if g.title.startswith("Frozen"))
    assert group.rows == () and "7 more bars after it are needed" in group.note


def test_a_moving_ratio_and_bars_left_out_are_said(evidence):
    groups = evidence_groups(evidence, None, MINUTE, left_out=3, moving=True)
    assert "3 partial left out" in groups[0].note
    assert any("moves with every bar" in group.note for group in groups)
