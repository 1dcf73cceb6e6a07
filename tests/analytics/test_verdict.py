from dataclasses import replace

import numpy as np
import pytest

from quantdesk.analytics.evidence import PairEvidence, gather
from quantdesk.analytics.verdict import Agreement, judge

DAY = 86_400_000


@pytest.fixture(scope="module")
def found() -> PairEvidence:
    """Return the evidence of a pair whose tests all agree that it is cointegrated."""
    rng = np.random.default_rng(0)
    x = 100 + rng.normal(size=800).cumsum()
    noise = rng.normal(size=800)
    for row in range(1, 800):
        noise[row] += 0.5 * noise[row - 1]
    return gather(np.arange(800, dtype=np.int64) * DAY, 2 * x + noise, x)


def _said(evidence: PairEvidence, words: str) -> bool:
    return any(words in remark for remark in judge(evidence).remarks)


def _with(evidence: PairEvidence, **p_values: float) -> PairEvidence:
    tests = {name: replace(getattr(evidence, name), p_value=p) for name, p in p_values.items()}
    forth, back = (tests.get(n, getattr(evidence, n)) for n in ("engle_granger", "engle_granger_reverse"))
    return replace(evidence, **tests, combined_p=min(1.0, 2 * min(forth.p_value, back.p_value)))


def test_agreeing_tests_are_said_to_agree(found: PairEvidence) -> None:
    assert found.verdict == judge(found)
    assert (found.verdict.agreement, found.verdict.cointegrated) == (Agreement.AGREE, True)
    assert found.verdict.headline == "The tests agree: the legs are cointegrated (5 %)"
    assert _said(found, "the spread looks stationary")


@pytest.mark.parametrize(
    ("rejects_unit_root", "rejects_stationarity", "words", "agreement"),
    [
        (True, False, "looks stationary", Agreement.AGREE),
        (False, True, "looks like a walk", Agreement.CONFLICT),  # Johansen still finds a relation
        (True, True, "a break or long memory", Agreement.CONFLICT),
        (False, False, "low power", Agreement.CONFLICT),
    ],
)
def test_unit_root_and_kpss_are_read_together(
    found: PairEvidence, rejects_unit_root: bool, rejects_stationarity: bool, words: str, agreement: Agreement
) -> None:
    p = 0.001 if rejects_unit_root else 0.6
    evidence = _with(found, engle_granger=p, engle_granger_reverse=p)
    assert evidence.kpss is not None
    evidence = replace(evidence, kpss=replace(evidence.kpss, statistic=0.9 if rejects_stationarity else 0.1))
    assert words in judge(evidence).remarks[0]
    assert judge(evidence).agreement is agreement


def test_kpss_of_a_fitted_beta_is_held_against_shins_value(found: PairEvidence) -> None:
    assert found.kpss is not None
    between = replace(found.kpss, statistic=0.4)
    assert _said(replace(found, kpss=between), "a break or long memory")
    given = replace(found, beta_given=True, kpss=replace(between, fitted_beta=False))
    assert _said(given, "the spread looks stationary: the ADF rejects a unit root")


def test_low_power_alone_leaves_it_undecided(found: PairEvidence) -> None:
    evidence = replace(_with(found, engle_granger=0.4, engle_granger_reverse=0.4), johansen=None)
    verdict = judge(evidence)
    assert (verdict.agreement, verdict.cointegrated) == (Agreement.UNDECIDED, None)
    assert verdict.headline.startswith("Undecided: the sample has low power")


def test_one_direction_alone_carries_no_verdict(found: PairEvidence) -> None:
    alone = replace(
        found, engle_granger_reverse=None, combined_p=None, reasons={"combined_p": "no test of x on y: flat"}
    )
    assert (judge(alone).agreement, judge(alone).cointegrated) == (Agreement.UNDECIDED, None)
    assert judge(alone).headline == "Undecided: no test of x on y: flat"


def test_directions_that_disagree_are_a_conflict(found: PairEvidence) -> None:
    evidence = _with(found, engle_granger=0.001, engle_granger_reverse=0.2)
    assert judge(evidence).headline.startswith("The tests conflict: Engle-Granger depends on the direction: p 0.001")
    assert judge(evidence).cointegrated is None


def test_johansen_against_engle_granger_is_a_conflict(found: PairEvidence) -> None:
    assert found.johansen is not None
    none = replace(found.johansen, trace=np.array([9.0, 1.0]), max_eigen=np.array([8.0, 1.0]))
    assert judge(replace(found, johansen=none)).agreement is Agreement.CONFLICT
    assert _said(
        replace(found, johansen=none), "Johansen finds no relation (trace 9.00 against 15.49), Engle-Granger says"
    )
    both = replace(found.johansen, trace=np.array([90.0, 9.0]), max_eigen=np.array([81.0, 9.0]))
    assert _said(replace(found, johansen=both), "each leg may be stationary by itself")
    assert judge(replace(found, johansen=both)).agreement is Agreement.AGREE
    split = replace(found.johansen, trace=np.array([16.0, 3.0]), max_eigen=np.array([13.0, 3.0]))
    assert _said(replace(found, johansen=split), "Johansen's two statistics differ")


def test_a_lag_that_flips_the_verdict_is_a_conflict(found: PairEvidence) -> None:
    flipped = {"AIC": replace(found.by_criterion["AIC"], p_value=0.2), "BIC": found.by_criterion["BIC"]}
    assert judge(replace(found, by_criterion=flipped)).agreement is Agreement.CONFLICT
    assert _said(
        replace(found, by_criterion=flipped), "the choice of the lag flips Engle-Granger's verdict on y on x: AIC lag"
    )


def test_slow_small_trending_and_broken_spreads_are_named(found: PairEvidence) -> None:
    assert found.effective is not None and found.hurst is not None and found.cusum is not None
    assert _said(replace(found, half_life=60.0), "the half-life of 60.0 bars is 7.5 % of the sample")
    assert not _said(replace(found, half_life=30.0), "half-life")
    assert _said(replace(found, effective=replace(found.effective, size=7.0)), "worth 7.0 independent")
    assert _said(replace(found, hurst=replace(found.hurst, exponent=1.2)), "not valid: 1.200")
    assert _said(replace(found, hurst=replace(found.hurst, exponent=0.6)), "shows no reversion")
    broken = replace(found.cusum, statistic=2.5, row=31)
    assert _said(replace(found, cusum=broken), "CUSUM of 2.50 leaves the 5 % bound of 1.358, near 1970-02-01")


def test_independent_walks_are_no_sign_of_cointegration() -> None:
    rng = np.random.default_rng(0)
    y, x = rng.normal(size=(2, 800)).cumsum(axis=1)
    verdict = gather(np.arange(800, dtype=np.int64) * DAY, y, x).verdict
    assert verdict is not None
    assert (verdict.agreement, verdict.cointegrated) == (Agreement.AGREE, False)
    assert verdict.headline == "The tests agree: no sign of cointegration (5 %)"


def test_without_a_test_the_verdict_says_why() -> None:
    verdict = gather(np.arange(5, dtype=np.int64), np.arange(5.0), np.arange(5.0) ** 2).verdict
    assert verdict is not None
    assert verdict.headline == "Undecided: 5 joint observations are too few for a unit root test"
