"""Word the tests of a pair: one row each, with its lag, method and sample, and what it says at 5 %."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.evidence import FEWEST_TEST_BARS, PairEvidence
from quantdesk.analytics.johansen import JohansenResult
from quantdesk.analytics.kpss import KpssResult
from quantdesk.analytics.stationarity import TestResult
from quantdesk.analytics.verdict import FEWEST_EFFECTIVE
from quantdesk.model.frozen_line import FrozenTest
from quantdesk.ui.charts.ticks import decimals_of_scale, number, span_text
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.metrics import duration

NONE = "—"


def _tr(text: str) -> str:
    return QCoreApplication.translate("evidence", text)


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """Hold one test in words. ``tone`` is "for" or "against" a relation, "odd" (mind it) or "".

    ``value`` is the statistic with its 5 % bound, ``lag`` with how it was chosen; ``p`` says "<" or ">"
    where it is clipped. What a test does not have is "—".
    """

    name: str
    value: str
    p: str
    says: str
    lag: str
    sample: str
    method: str
    tone: str = ""

    @property
    def how(self) -> str:
        """Return lag, sample and method in one line."""
        return " · ".join(part for part in (self.lag, self.sample, self.method) if part and part != NONE)

    @property
    def text(self) -> str:
        """Return the row as one line of plain text."""
        numbers = ", ".join(part for part in (self.value, f"p {self.p}") if not part.endswith(NONE))
        says = f"{numbers} – {self.says}" if numbers else self.says
        return f"{self.name}: {says} [{self.how}]"


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Hold the rows under one heading, with a sentence on what they are of."""

    title: str
    note: str
    rows: tuple[EvidenceRow, ...]


def evidence_groups(
    evidence: PairEvidence,
    frozen: FrozenTest | None,
    interval_ms: int,
    *,
    left_out: int = 0,
    moving: bool = False,
    zone: Zone = UTC_ZONE,
) -> tuple[RowGroup, ...]:
    """Return every row of a pair's evidence; ``left_out`` bars of its span lacked trades.

    ``moving`` says that the hedge ratio in force moves with every bar, so that there is no frozen one to test.
    Times of bars below a day are written in ``zone``.
    """
    zone = zone.of_bars(interval_ms)
    bars = _tr("{0:,} bars, {1}").format(evidence.observations, _span(evidence, zone))
    if left_out:
        bars += _tr(", {0:,} partial left out").format(left_out)
    groups = [
        RowGroup(_tr("Cointegration"), bars, (*_engle_granger(evidence), *_johansen(evidence))),
        RowGroup(
            _tr("Spread, β fitted on the same bars"),
            _tr("β {0}; bars as above").format(_beta(evidence.beta)),
            tuple(_spread(evidence, interval_ms)),
        ),
    ]
    if frozen is not None:
        groups.append(_frozen(frozen, interval_ms, zone))
    elif moving:
        words = _tr("the hedge ratio in force moves with every bar: none was given beforehand")
        groups.append(RowGroup(_tr("Frozen β"), words, ()))
    groups.append(RowGroup(_tr("Breaks in the line"), _tr("bars as above"), tuple(_breaks(evidence, zone))))
    return tuple(groups)


def p_text(p: float) -> str:
    """Return a p-value with three decimals; what is too near 0 or 1 to tell is "<0.001" or ">0.999"."""
    if not math.isfinite(p):
        return NONE
    return "<0.001" if p < 0.001 else ">0.999" if p > 0.999 else number(p, 3)


def _span(evidence: PairEvidence, zone: Zone) -> str:
    return NONE if evidence.start is None or evidence.end is None else span_text(evidence.start, evidence.end, zone)


def _beta(beta: float) -> str:
    return number(beta, decimals_of_scale(abs(beta), 5))


def _n(count: int) -> str:
    return f"n = {count:,}"


def _bound(value: float, bound: float, decimals: int = 2, source: str = "") -> str:
    return _tr("{0} (5 %: {1}{2})").format(number(value, decimals), number(bound, decimals), source)


def _none(name: str, reasons: Mapping[str, str], key: str, sample: int) -> EvidenceRow:
    why = reasons.get(key, _tr("there is no value"))
    return EvidenceRow(name, NONE, NONE, _tr("no value: {0}").format(why), NONE, _n(sample), NONE, "odd")


def _unit_root(name: str, test: TestResult, yes: str, no: str) -> EvidenceRow:
    method = test.method
    if test.p_value in (0.0, 1.0):
        method += _tr(" · p clipped: the statistic is beyond MacKinnon's table")
    return EvidenceRow(
        name,
        _bound(test.statistic, test.critical_values["5%"]),
        p_text(test.p_value),
        yes if test.rejects else no,
        _tr("lag {0} ({1})").format(test.lags, test.lag_method),
        _n(test.observations),
        method,
        "for" if test.rejects else "against",
    )


def _engle_granger(evidence: PairEvidence) -> Iterator[EvidenceRow]:
    yes, no = _tr("rejects “no cointegration”"), _tr("does not reject “no cointegration”")
    ways = (
        (_tr("Engle-Granger, y on x"), "engle_granger", evidence.engle_granger),
        (_tr("Engle-Granger, x on y"), "engle_granger_reverse", evidence.engle_granger_reverse),
    )
    for name, key, test in ways:
        if test is None:
            yield _none(name, evidence.reasons, key, evidence.observations)
        else:
            yield _unit_root(name, test, yes, no)
    if evidence.combined_p is not None:
        found = evidence.combined_p < 0.05
        both = _tr("min(1, 2 · smaller p): to take the better direction is a choice")
        chosen = [_tr("lag {0} ({1})").format(t.lags, t.lag_method) for _, _, t in ways if t is not None]
        lags = "; ".join(dict.fromkeys(chosen))
        yield EvidenceRow(
            _tr("Engle-Granger, both ways"),
            NONE,
            p_text(evidence.combined_p),
            yes if found else no,
            lags,
            _n(evidence.observations),
            both,
            "for" if found else "against",
        )
    for criterion, test in evidence.by_criterion.items():
        if test is not evidence.engle_granger:
            yield _unit_root(_tr("Engle-Granger, lag by {0}").format(criterion), test, yes, no)


def _johansen(evidence: PairEvidence) -> Iterator[EvidenceRow]:
    found: JohansenResult | None = evidence.johansen
    if found is None:
        for name in (_tr("Johansen trace"), _tr("Johansen max-eigen")):
            yield _none(name, evidence.reasons, "johansen", evidence.observations)
        return
    tests = (
        (_tr("Johansen trace"), found.trace, found.critical_values_trace),
        (_tr("Johansen max-eigen"), found.max_eigen, found.critical_values_max_eigen),
    )
    lag = _tr("{0} lagged differences (fixed)").format(found.k_ar_diff)
    if found.k_ar_diff == 1:
        lag = _tr("1 lagged difference (fixed)")
    method = _tr("Johansen, constant; table of critical values, no p")
    for name, values, critical in tests:
        for r in range(2):
            value, bound = float(values[r]), float(critical[r, 1])
            if r == 0:
                says = _tr("finds a relation") if value > bound else _tr("does not reject “no relation”")
                tone = "for" if value > bound else "against"
            else:
                says = _tr("more than one: each leg may be stationary by itself")
                says = says if value > bound else _tr("does not reject “one at most”")
                tone = "odd" if value > bound else ""
            full = f"{name}, r\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{r}"
            yield EvidenceRow(full, _bound(value, bound), NONE, says, lag, _n(found.observations), method, tone)


def _spread(evidence: PairEvidence, interval_ms: int) -> Iterator[EvidenceRow]:
    name = _tr("ADF, β given") if evidence.beta_given else _tr("ADF of the spread")
    if evidence.adf is None:
        yield _none(name, evidence.reasons, "adf", evidence.observations)
    else:
        yield _unit_root(name, evidence.adf, _tr("rejects a unit root"), _tr("does not reject a unit root"))
    yield _kpss(evidence)
    yield _half_life(evidence, interval_ms)
    yield _hurst(evidence)
    yield _effective(evidence)


def _kpss(evidence: PairEvidence) -> EvidenceRow:
    test: KpssResult | None = evidence.kpss
    if test is None:
        return _none(_tr("KPSS"), evidence.reasons, "kpss", evidence.observations)
    method = test.method + (_tr(" · p clipped to its table, 0.01 to 0.10") if test.bound else "")
    rejects = _tr("rejects stationarity by Shin's value") if test.fitted_beta else _tr("rejects stationarity")
    return EvidenceRow(
        _tr("KPSS"),
        _bound(test.statistic, test.critical_5, 3, _tr(", Shin") if test.fitted_beta else ""),
        test.p_text,
        rejects if test.rejects else _tr("does not reject stationarity"),
        _tr("lag {0} ({1})").format(test.lags, test.lag_method),
        _n(test.observations),
        method,
        "against" if test.rejects else "for",
    )


def _half_life(evidence: PairEvidence, interval_ms: int) -> EvidenceRow:
    life, name = evidence.half_life, _tr("Half-life")
    if life is None:
        return _none(name, evidence.reasons, "half_life", evidence.observations)
    share = 100 * life / max(1, evidence.observations)
    says = _tr("half of a deviation is gone after that: {0} % of the sample")
    return EvidenceRow(
        name,
        _tr("{0} bars = {1}").format(number(life, 1), duration(life * interval_ms)),
        NONE,
        says.format(number(share, 1)),
        _tr("lag 0"),
        _n(evidence.observations),
        _tr("−ln 2/λ of Δs = λ s₋₁ + μ + ε, least squares"),
    )


def _hurst(evidence: PairEvidence) -> EvidenceRow:
    found, name = evidence.hurst, _tr("Hurst exponent")
    if found is None:
        return _none(name, evidence.reasons, "hurst", evidence.observations)
    lag, method = _tr("τ = 2..20"), _tr("slope/2 of log Var(s(t+τ) − s(t)) on log τ")
    if found.value is None:
        value = _tr("not valid ({0})").format(number(found.exponent, 3))
        says = _tr("impossible value: outside 0 to 1")
        return EvidenceRow(name, value, NONE, says, lag, _n(found.observations), method, "odd")
    reverts = found.value < 0.5
    says = _tr("below 0.5: reverts") if reverts else _tr("not below 0.5: no reversion over 2 to 20 bars")
    tone = "for" if reverts else "against"
    return EvidenceRow(name, number(found.value, 3), NONE, says, lag, _n(found.observations), method, tone)


def _effective(evidence: PairEvidence) -> EvidenceRow:
    found, name = evidence.effective, _tr("Effective sample")
    if found is None:
        return _none(name, evidence.reasons, "effective", evidence.observations)
    few = found.size < FEWEST_EFFECTIVE
    says = _tr("too few independent observations to trust a mean: below {0}") if few else _tr("at least {0}: enough")
    return EvidenceRow(
        name,
        _tr("{0} of {1:,}").format(number(found.size, 1), found.observations),
        NONE,
        says.format(FEWEST_EFFECTIVE),
        _tr("lag 1"),
        _n(found.observations),
        _tr("n(1 − ρ₁)/(1 + ρ₁), at most n, ρ₁ = {0}").format(number(found.rho, 4)),
        "odd" if few else "",
    )


def _breaks(evidence: PairEvidence, zone: Zone) -> Iterator[EvidenceRow]:
    found, rolling = evidence.cusum, evidence.rolling_beta
    if found is None:
        yield _none(_tr("CUSUM of residuals"), evidence.reasons, "cusum", evidence.observations)
    else:
        when = int(evidence.times[found.row])
        says = _tr("a break near {0} {1}").format(span_text(when, when, zone).partition(" – ")[0], zone.name(when))
        method = _tr("OLS-CUSUM (Ploberger-Krämer), long-run variance (Andrews)")
        yield EvidenceRow(
            _tr("CUSUM of residuals"),
            _bound(found.statistic, 1.358, 3),
            p_text(found.p_value),
            says if found.breaks else _tr("does not reject “no break”"),
            _tr("lag {0} (Bartlett)").format(found.lags),
            _n(found.observations),
            method,
            "odd" if found.breaks else "",
        )
    name = _tr("Rolling β")
    if rolling is None:
        yield _none(name, evidence.reasons, "rolling_beta", evidence.observations)
        return
    beta, error = float(rolling.beta[-1]), 2 * float(rolling.stderr[-1])
    value = f"{_beta(beta)} ± {number(error, decimals_of_scale(abs(beta), 5))}"
    says = _tr("newest window, ± 2 standard errors (too narrow where the spread is autocorrelated)")
    window = _tr("OLS over each window of {0:,} bars").format(rolling.window)
    yield EvidenceRow(
        name, value, NONE, says, _tr("window {0:,}").format(rolling.window), _n(len(rolling.beta)), window
    )


def _frozen(frozen: FrozenTest, interval_ms: int, zone: Zone) -> RowGroup:
    line, found = frozen.line, frozen.evidence
    name = f" ({frozen.method})" if frozen.method else ""
    title = _tr("Frozen β {0}{1}, on the bars after its window").format(_beta(line.beta), name)
    fitted = _tr("fitted on {0:,} bars, {1}").format(line.n, span_text(line.start_ms, line.end_ms, zone))
    if found is None:
        missing = FEWEST_TEST_BARS - frozen.bars
        words = _tr("{0}; {1} more bars after it are needed").format(fitted, missing)
        return RowGroup(title, words, ())
    tested = _tr("tested on the {0:,} bars after it, {1}").format(found.observations, _span(found, zone))
    verdict = "" if found.verdict is None else f". {found.verdict.headline}"
    return RowGroup(title, f"{fitted}; {tested}{verdict}", tuple(_spread(found, interval_ms)))
