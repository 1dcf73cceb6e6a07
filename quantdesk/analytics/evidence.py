"""Gather every slow test of a pair on one sample, with the verdict on all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from quantdesk.analytics.breaks import CusumResult, RollingBeta, cusum, rolling_beta
from quantdesk.analytics.dickey_fuller import RollingTest, rolling_engle_granger
from quantdesk.analytics.effective_sample import EffectiveSample, effective_sample
from quantdesk.analytics.hedge import OlsFit, ols
from quantdesk.analytics.hurst import HurstResult, hurst
from quantdesk.analytics.johansen import JohansenResult, johansen
from quantdesk.analytics.kpss import KpssResult, kpss
from quantdesk.analytics.spread import spread_of
from quantdesk.analytics.stationarity import (
    Autolag,
    NoValueError,
    TestResult,
    adf,
    combined_p,
    engle_granger,
    half_life,
    no_half_life,
)
from quantdesk.analytics.verdict import Verdict, judge
from quantdesk.bars.arrays import FloatArray, IntArray

#: With fewer a unit root test has a number, but it says nothing worth showing on a desk.
FEWEST_TEST_BARS = 12
#: Rows of the rolling slope: a share of the sample, and no fewer than the z's window.
BETA_SHARE = 10
#: Rows of one window of the p over time: a share of the sample, between enough to say something and enough.
PATH_SHARE, FEWEST_PATH_BARS, MOST_PATH_BARS = 5, 100, 2_000
#: More windows than this are no more to see in one strip.
MOST_WINDOWS = 240

_Value = TypeVar("_Value")


def _none() -> FloatArray:
    out = np.empty(0)
    out.setflags(write=False)
    return out


def _no_times() -> IntArray:
    out = np.empty(0, np.int64)
    out.setflags(write=False)
    return out


class _Trial:
    """Run tests by name; keep the reason of each that does not exist."""

    def __init__(self, rows: int, fewest: int) -> None:
        self._rows, self._fewest = rows, fewest
        self.reasons: dict[str, str] = {}

    def __call__(self, name: str, run: Callable[[], _Value]) -> _Value | None:
        try:
            if self._rows < self._fewest:
                raise NoValueError(f"{self._rows} joint observations are too few for a unit root test")
            return run()
        except NoValueError as error:
            self.reasons[name] = str(error)
            return None


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """Hold the slow tests of the newest ``observations`` joined bars, from ``start`` to ``end`` (ms).

    ``fit`` is the regression of that sample; ``spread`` (n, with ``times``; read-only) is y - beta x
    with its beta, or with the one that was given (``beta_given``), and ``adf``, ``kpss``, ``half_life``
    (bars), ``hurst`` and ``effective`` are of it. ``engle_granger_reverse`` is x on y, ``combined_p``
    min(1, 2 min(p)) of both directions: the cointegration p wherever a single one is shown or judged;
    ``by_criterion`` is y on x under "AIC" and "BIC", ``p_over_time`` y on x over windows, its rows
    counting those of ``times``. ``reasons`` says by field name why a value is None.
    """

    observations: int
    start: int | None
    end: int | None
    fit: OlsFit
    engle_granger: TestResult | None
    adf: TestResult | None
    half_life: float | None
    reasons: Mapping[str, str]
    engle_granger_reverse: TestResult | None = None
    combined_p: float | None = None
    by_criterion: Mapping[str, TestResult] = field(default_factory=lambda: MappingProxyType({}))
    kpss: KpssResult | None = None
    johansen: JohansenResult | None = None
    hurst: HurstResult | None = None
    effective: EffectiveSample | None = None
    cusum: CusumResult | None = None
    rolling_beta: RollingBeta | None = None
    p_over_time: RollingTest | None = None
    beta: float = float("nan")
    beta_given: bool = False
    times: IntArray = field(default_factory=_no_times)
    spread: FloatArray = field(default_factory=_none)
    verdict: Verdict | None = None


def gather(
    times: IntArray,
    y: FloatArray,
    x: FloatArray,
    *,
    lag: int | None = None,
    autolag: Autolag | None = "BIC",
    beta: float | None = None,
    window: int = 60,
    fewest: int = FEWEST_TEST_BARS,
) -> PairEvidence:
    """Return all the evidence on n finite rows (prices or logs). Slow: run it in the pool.

    ``lag`` (of Engle-Granger, ADF and Johansen) is used as given, else ``autolag`` chooses it and
    Johansen takes 1. ``beta`` is one that was not fitted on these rows; without it the spread is that
    of the sample's own regression. ``window`` is the least one of the rolling slope; below ``fewest``
    rows nothing is tested.
    """
    fit = ols(y, x)
    used = fit.beta if beta is None else beta
    spread = spread_of(y, x, used)
    spread.setflags(write=False)
    tried = _Trial(len(y), fewest)
    reasons = tried.reasons
    forth = tried("engle_granger", lambda: engle_granger(y, x, lag, autolag))
    back = tried("engle_granger_reverse", lambda: engle_granger(x, y, lag, autolag, direction="x on y"))
    decay = half_life(spread)
    if decay is None:
        reasons["half_life"] = no_half_life(spread)
    rows = max(window, len(y) // BETA_SHARE)
    evidence = PairEvidence(
        observations=len(y),
        start=int(times[0]) if len(times) else None,
        end=int(times[-1]) if len(times) else None,
        fit=fit,
        engle_granger=forth,
        adf=tried("adf", lambda: adf(spread, lag, autolag, fitted_beta=beta is None)),
        half_life=decay,
        reasons=MappingProxyType(reasons),
        engle_granger_reverse=back,
        combined_p=combined_p(forth, back),
        by_criterion=_by_criterion(y, x, forth),
        kpss=tried("kpss", lambda: kpss(spread, fitted_beta=beta is None)),
        johansen=tried("johansen", lambda: johansen(y, x, 1 if lag is None else lag)),
        hurst=tried("hurst", lambda: hurst(spread)),
        effective=tried("effective", lambda: effective_sample(spread)),
        cusum=tried("cusum", lambda: cusum(y, x)),
        rolling_beta=rolling_beta(y, x, rows) if len(y) > rows else None,
        p_over_time=_path(y, x, lag, autolag),
        beta=used,
        beta_given=beta is not None,
        times=_read_only(times),
        spread=spread,
    )
    _explain(evidence, reasons, rows)
    return replace(evidence, verdict=judge(evidence))


def _explain(evidence: PairEvidence, reasons: dict[str, str], rows: int) -> None:
    """Say of what is made of several values, or of windows, why it is None."""
    if evidence.rolling_beta is None:
        reasons["rolling_beta"] = f"needs more than {rows} bars"
    if evidence.combined_p is None:
        reasons["combined_p"] = _lacking(evidence.engle_granger, evidence.engle_granger_reverse, reasons)
    if evidence.p_over_time is None:
        reasons["p_over_time"] = f"needs more than {FEWEST_PATH_BARS} bars"


def _lacking(forth: TestResult | None, back: TestResult | None, reasons: Mapping[str, str]) -> str:
    """Return why there is no p of both directions: the reason of the one that lacks its test."""
    if (forth is None) == (back is None):
        return reasons.get("engle_granger", "there is no test")
    key, direction = ("engle_granger", "y on x") if forth is None else ("engle_granger_reverse", "x on y")
    return f"no test of {direction}: {reasons.get(key, 'there is none')}"


def _by_criterion(y: FloatArray, x: FloatArray, known: TestResult | None) -> Mapping[str, TestResult]:
    """Return Engle-Granger (y on x) with the lag that each criterion chooses, without repeating a known one."""
    if known is None:
        return MappingProxyType({})
    found: dict[str, TestResult] = {}
    criteria: tuple[Autolag, ...] = ("AIC", "BIC")
    for criterion in criteria:
        if known.lag_method == criterion:
            found[criterion] = known
            continue
        try:
            found[criterion] = engle_granger(y, x, autolag=criterion)
        except NoValueError:
            continue  # its lag leaves no statistic: there is nothing to compare with
    return MappingProxyType(found)


def _path(y: FloatArray, x: FloatArray, lag: int | None, autolag: Autolag | None) -> RollingTest | None:
    """Return Engle-Granger over at most 240 windows of a fifth of the sample (100 to 2,000 bars)."""
    window = min(max(FEWEST_PATH_BARS, len(y) // PATH_SHARE), MOST_PATH_BARS)
    if len(y) <= window:
        return None
    step = -(-(len(y) - window) // MOST_WINDOWS)
    return rolling_engle_granger(y, x, window, step, lag if lag is not None else autolag or "BIC")


def _read_only(times: IntArray) -> IntArray:
    if not times.flags.writeable:
        return times
    copied = times.copy()
    copied.setflags(write=False)
    return copied
