"""Analyse two joined legs whole: every hedge ratio, the spread, the z, the correlations and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from quantdesk.analytics.align import inner_join
from quantdesk.analytics.base_rate import BaseRate, base_rate
from quantdesk.analytics.correlation import logs_of, returns_correlation
from quantdesk.analytics.evidence import PairEvidence, gather
from quantdesk.analytics.hayashi_yoshida import HayashiYoshida, hayashi_yoshida
from quantdesk.analytics.hedge import ols, ols_through_origin, total_least_squares
from quantdesk.analytics.kalman import FEWEST_FORMATION, kalman_hedge
from quantdesk.analytics.pairs import PairSnapshot
from quantdesk.analytics.stationarity import Autolag
from quantdesk.analytics.ticks import TickLeg
from quantdesk.analytics.zscore import FEWEST, ZKind, ZScores, z_series
from quantdesk.bars.arrays import FloatArray, IntArray

#: A z that brings no line of its own is of the spread whose line is fitted on so many first windows.
FORMATION_WINDOWS = 4
#: Charts, alerts and base rates mark a z from here on.
Z_LEVEL = 2.0

#: The Kalman filter's variances are weighed on no more rows than this, in some tenths of a second.
MOST_FORMATION = 1_000
#: How the methods of hedge ratios are written.
HEDGE_NAMES = {
    "ols": "OLS",
    "ols_reverse": "OLS, x on y",
    "ols_no_intercept": "OLS, no intercept",
    "tls": "TLS",
    "johansen": "Johansen",
    "kalman": "Kalman",
    "desk": "on the desk",
}


@dataclass(frozen=True, slots=True)
class PairInput:
    """Hold two legs joined on time: n closed bars, closes as statistics use them, y the dependent leg.

    ``notes`` say what was read and what was left out, one sentence each. ``ticks_*`` are the trades
    of a leg where they are at hand. The arrays are frozen.
    """

    name_y: str
    name_x: str
    interval: str
    times: IntArray
    closes_y: FloatArray
    closes_x: FloatArray
    notes: tuple[str, ...] = ()
    ticks_y: TickLeg | None = None
    ticks_x: TickLeg | None = None

    def __post_init__(self) -> None:
        for name in ("times", "closes_y", "closes_x"):
            array = getattr(self, name)
            if array.flags.writeable:
                array = array.copy()
                array.setflags(write=False)
                object.__setattr__(self, name, array)
        if not len(self.times) == len(self.closes_y) == len(self.closes_x):
            raise ValueError("each bar needs one time and one close of each leg")


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """Choose how a pair is analysed; ``lag`` is used as given, without it ``autolag`` chooses.

    ``window`` is the z's (for "ewm" its half-life). Raises ValueError for one that its kind cannot have.
    ``kalman_delta`` (0 .. 1, neither) states how fast the Kalman ratio may move; None = by likelihood.
    """

    log: bool = False
    window: int = 60
    lag: int | None = None
    autolag: Autolag = "BIC"
    z_kind: ZKind = ZKind.WALK_FORWARD
    kalman_delta: float | None = None

    def __post_init__(self) -> None:
        fewest = FEWEST if self.z_kind.takes_ratio else 3
        fewest = 1 if self.z_kind is ZKind.EWM else fewest
        if self.window < fewest:
            raise ValueError(f"must be at least {fewest} for the {self.z_kind} z, not {self.window}")

    @property
    def formation(self) -> int | None:
        """Return how many first bars fit the hedge ratio of a z without a line of its own; None for the others."""
        return max(FEWEST, FORMATION_WINDOWS * self.window) if self.z_kind.takes_ratio else None


@dataclass(frozen=True, slots=True)
class HedgeRatio:
    """Hold the hedge ratio of one method on the whole sample; None where it does not exist.

    ``label`` says how it was made, ``reason`` why it is None, ``details`` are further numbers of the
    method by name. Its unit: units of x per unit of y for prices, value of x per value of y for logs.
    """

    beta: float | None
    label: str
    alpha: float | None = None
    reason: str = ""
    details: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, eq=False)
class DeskLine:
    """Hold the hedge line that a desk draws the spread with, at the bars that are analysed (n).

    ``label`` says how it was made, ``beta`` and ``alpha`` are the newest, ``betas`` those in force at each bar,
    ``z`` is that of the kind chosen where the kind judges the spread of this line.
    """

    label: str
    beta: float
    alpha: float
    betas: FloatArray
    z: FloatArray

    def __post_init__(self) -> None:
        for column in (self.betas, self.z):
            column.setflags(write=False)


@dataclass(frozen=True, slots=True)
class PairAnalysis:
    """Hold everything that is known of a pair over its n usable bars; arrays read-only, NaN = no value.

    ``closes_*`` are prices, ``y`` and ``x`` what was analysed: prices or their logs. ``hedges`` by method.
    ``scores`` are the z of the kind chosen with the lines they come from; ``base_rate`` says how often
    they are beyond ±2, here and on a random walk.
    ``notes`` are those of the input and what was left out or does not exist here.
    """

    pair: PairInput
    options: AnalysisOptions
    times: IntArray
    closes_y: FloatArray
    closes_x: FloatArray
    y: FloatArray
    x: FloatArray
    hedges: Mapping[str, HedgeRatio]
    evidence: PairEvidence
    scores: ZScores
    base_rate: BaseRate
    returns_correlation: float | None
    tick_correlation: HayashiYoshida | None
    notes: tuple[str, ...]

    @property
    def z(self) -> FloatArray:
        """Return the z of the kind chosen (n)."""
        return self.scores.z

    @property
    def looks_ahead(self) -> bool:
        """Return whether the z of a bar knows later bars."""
        return self.scores.look_ahead

    @property
    def z_name(self) -> str:
        """Return the kind of the z."""
        kind = self.options.z_kind
        return f"{kind} regression" if kind is ZKind.WALK_FORWARD else kind.value

    @property
    def z_window(self) -> str:
        """Return what the z looks at, short."""
        kind, window = self.options.z_kind, self.options.window
        if kind is ZKind.FULL_SAMPLE:
            return "whole sample"
        return f"half-life {window} bars" if kind is ZKind.EWM else f"window {window} bars"

    @property
    def z_label(self) -> str:
        """Return the kind of the z with everything a reader needs to repeat it."""
        formation = self.options.formation
        fitted = "" if formation is None else f"; β fitted on the first {formation} bars"
        if fitted and "desk" in self.hedges:
            fitted = f"; β as on the desk: {self.hedges['desk'].label}"
        return self.scores.label + fitted

    @property
    def unit(self) -> str:
        """Return what was analysed."""
        return "ln prices" if self.options.log else "prices"


def input_of(snapshot: PairSnapshot, name_y: str, name_x: str, interval: str, notes: tuple[str, ...] = ()) -> PairInput:
    """Return the legs of a snapshot joined on time, for a report of what is on screen."""
    rows_y, rows_x = inner_join(snapshot.times_y, snapshot.times_x)
    closes = snapshot.closes_y[rows_y], snapshot.closes_x[rows_x]
    return PairInput(name_y, name_x, interval, snapshot.times_y[rows_y], *closes, notes)


def analyse(pair: PairInput, options: AnalysisOptions, desk: DeskLine | None = None) -> PairAnalysis:
    """Return everything on the bars at which both legs have a finite price (and logarithm, if asked for).

    A z without a line of its own is of the spread of ``desk`` where that is given, which has one value for
    each of those bars (ValueError).
    """
    y, x = (logs_of(pair.closes_y), logs_of(pair.closes_x)) if options.log else (pair.closes_y, pair.closes_x)
    good = np.isfinite(y) & np.isfinite(x)
    notes = list(pair.notes)
    if not bool(good.all()):
        what = "a price above zero in both legs" if options.log else "a price of both legs"
        notes.append(f"{int((~good).sum())} common bars lack {what} and are left out")
    times, closes_y, closes_x = pair.times[good], pair.closes_y[good], pair.closes_x[good]
    y, x = y[good], x[good]
    for column in (times, closes_y, closes_x, y, x):
        column.setflags(write=False)
    evidence = gather(times, y, x, lag=options.lag, autolag=options.autolag, window=options.window, fewest=1)
    hedges = _hedges(y, x, evidence, options.kalman_delta)
    scores = _scores(y, x, options, desk)
    if desk is not None:
        line = (desk.beta, desk.label, desk.alpha) if np.isfinite(desk.beta) else (None, "", None, desk.label)
        hedges["desk"] = HedgeRatio(*line)
    ticks = None
    if pair.ticks_y is not None and pair.ticks_x is not None:
        ticks = hayashi_yoshida(pair.ticks_y, pair.ticks_x)
    return PairAnalysis(
        pair=pair,
        options=options,
        times=times,
        closes_y=closes_y,
        closes_x=closes_x,
        y=y,
        x=x,
        hedges=MappingProxyType(hedges),
        evidence=evidence,
        scores=scores,
        base_rate=base_rate(options.z_kind, options.window, Z_LEVEL, scores.z),
        returns_correlation=returns_correlation(closes_y, closes_x),
        tick_correlation=ticks,
        notes=(*notes, *_missing(evidence, scores.z, hedges, options)),
    )


def _scores(y: FloatArray, x: FloatArray, options: AnalysisOptions, desk: DeskLine | None) -> ZScores:
    """Return the z; its line is blank over the bars that it was fitted on, unless all z look ahead."""
    if desk is not None and not len(y) == len(desk.z) == len(desk.betas):
        raise ValueError(f"the desk's line has {len(desk.z)} bars, not the {len(y)} that are analysed")
    if desk is not None and options.formation is not None:
        none = np.full(len(y), np.nan)
        none.setflags(write=False)
        return ZScores(options.z_kind, options.window, desk.z, desk.betas, none, none, False)
    scores = z_series(options.z_kind, y, x, options.window, formation=options.formation)
    if options.formation is None:
        return scores
    beta, centre = scores.beta.copy(), scores.centre.copy()
    for column in (beta, centre):
        column[: options.formation] = np.nan
        column.setflags(write=False)
    return replace(scores, beta=beta, centre=centre)


def _first_row(options: AnalysisOptions) -> int:
    """Return the first row that can have a z."""
    if options.formation is not None:
        return options.formation
    return {ZKind.WALK_FORWARD: options.window, ZKind.REGRESSION: options.window - 1}.get(options.z_kind, FEWEST - 1)


def _hedges(y: FloatArray, x: FloatArray, evidence: PairEvidence, delta: float | None) -> dict[str, HedgeRatio]:
    """Return the hedge ratio by every method, on the series as they are."""
    return {
        "ols": _ols(evidence),
        "ols_reverse": _reverse(y, x),
        "ols_no_intercept": _origin(y, x),
        "tls": _tls(y, x),
        "johansen": _johansen(evidence),
        "kalman": _kalman(y, x, delta),
    }


def _ols(evidence: PairEvidence) -> HedgeRatio:
    fit = evidence.fit
    if not np.isfinite(fit.beta):
        return HedgeRatio(None, "", reason="x does not vary: there is no line through it")
    error = f"standard error {fit.stderr_beta:.3g}, R² {fit.r_squared:.4f}"
    return HedgeRatio(fit.beta, f"OLS of y on x with a constant, n={fit.n}, {error}", fit.alpha)


def _reverse(y: FloatArray, x: FloatArray) -> HedgeRatio:
    """Return the line of x on y turned round: the other bound of what errors in both legs allow."""
    fit = ols(x, y)
    if not np.isfinite(fit.beta) or fit.beta == 0:
        return HedgeRatio(None, "", reason="y does not vary with x: there is no line to turn round")
    beta = 1 / fit.beta
    error = fit.stderr_beta * beta**2
    label = (
        f"OLS of x on y with a constant, turned round, n={fit.n}, standard error {error:.3g}, R² {fit.r_squared:.4f}"
    )
    return HedgeRatio(beta, label, -fit.alpha * beta, details={"stderr": error, "r_squared": fit.r_squared})


def _origin(y: FloatArray, x: FloatArray) -> HedgeRatio:
    fit = ols_through_origin(y, x)
    if not np.isfinite(fit.beta):
        return HedgeRatio(None, "", reason="x is zero throughout")
    details = {"stderr": fit.stderr_beta, "r_squared": fit.r_squared}
    return HedgeRatio(fit.beta, f"OLS through the origin, n={fit.n}; mixes level with slope", details=details)


def _tls(y: FloatArray, x: FloatArray) -> HedgeRatio:
    fit = total_least_squares(y, x)
    if not np.isfinite(fit.beta):
        return HedgeRatio(None, "", reason="the legs do not vary together: there is no line of total least squares")
    label = f"total least squares, n={fit.n}; not scale-invariant, logs recommended"
    return HedgeRatio(fit.beta, label, fit.alpha)


def _kalman(y: FloatArray, x: FloatArray, delta: float | None) -> HedgeRatio:
    """Return the ratio that the filter holds after the last bar, set up on the first third of them."""
    formation = min(max(FEWEST_FORMATION, len(y) // 3), MOST_FORMATION)
    found = kalman_hedge(y, x, formation, delta=delta)
    if found.live is None:
        return HedgeRatio(None, "", reason=found.reason or "there is no filter")
    live = found.live
    details = {
        "beta_deviation": live.beta_deviation,
        "delta": found.delta,
        "noise": found.noise,
        "formation": float(formation),
    }
    label = f"Kalman filter after the last bar, ± {live.beta_deviation:.3g}, δ = {found.delta:.3g}"
    label += f"{'' if delta is None else ' as given'}, V_e = {found.noise:.3g}"
    label += f" by likelihood on the first {formation} bars, standardised; n={len(y)}"
    return HedgeRatio(live.beta, label, live.alpha, details=details)


def _johansen(evidence: PairEvidence) -> HedgeRatio:
    found = evidence.johansen
    if found is None:
        return HedgeRatio(None, "", reason=evidence.reasons["johansen"])
    return HedgeRatio(found.beta, f"{found.label}; eigenvector of the largest eigenvalue, -v_x/v_y")


def _missing(
    evidence: PairEvidence, z: FloatArray, hedges: Mapping[str, HedgeRatio], options: AnalysisOptions
) -> list[str]:
    """Say what does not exist for these data, and why."""
    notes = [f"hedge {name}: {ratio.reason}" for name, ratio in hedges.items() if ratio.reason]
    if len(z) and not np.isfinite(z[-1]):
        needed = _first_row(options) + 1
        why = (
            f"needs {needed} rows"
            if len(z) < needed and "desk" not in hedges
            else "the window before the last row has no spread to judge by"
        )
        notes.append(f"z: {why}")
    return notes + [f"{name}: {reason}" for name, reason in evidence.reasons.items()]
