"""Weigh the tests of a pair against each other and say in plain words whether they agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from quantdesk.analytics.utc_text import utc_text

if TYPE_CHECKING:
    from quantdesk.analytics.evidence import PairEvidence

#: Independent walks show a median half-life of 8.5 % of the sample: above this share it may be theirs.
HALF_LIFE_SHARE = 0.05
#: Fewer independent observations than this carry no mean or deviation worth trading on.
FEWEST_EFFECTIVE = 30
#: Unit root rejected, stationarity rejected: what both together mean.
_TABLE = {
    (True, False): "the spread looks stationary: {unit_root} rejects a unit root, KPSS does not reject stationarity",
    (False, True): "the spread looks like a walk: {unit_root} does not reject a unit root, KPSS rejects stationarity",
    (True, True): "the spread has a break or long memory: {unit_root} rejects a unit root, KPSS stationarity, too",
    (False, False): "the sample has low power: neither a unit root ({unit_root}) nor stationarity (KPSS) is rejected",
}


class Agreement(StrEnum):
    """Say whether the tests point one way."""

    AGREE = "agree"
    CONFLICT = "conflict"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold what the tests say together, at 5 %: one headline, then one remark for each comparison.

    ``cointegrated`` is None where they do not agree.
    """

    agreement: Agreement
    cointegrated: bool | None
    headline: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Finding:
    """Hold one comparison; ``conflict`` and ``open`` say what it does to the verdict."""

    text: str
    conflict: bool = False
    open: bool = False


def judge(evidence: PairEvidence) -> Verdict:
    """Return the verdict on all the evidence. Every comparison is at 5 %.

    With a fitted beta Engle-Granger stands in for the ADF, whose p is too small then, and KPSS is held
    against Shin's value.
    """
    comparisons: tuple[Callable[[PairEvidence], Iterator[_Finding]], ...] = (
        _stationarity,
        _directions,
        _johansen,
        _lags,
        _half_life,
        _sample,
        _hurst,
        _breaks,
    )
    findings = [finding for compare in comparisons for finding in compare(evidence)]
    found = _cointegrated(evidence)
    remarks = tuple(finding.text for finding in findings)
    conflicts = [finding.text for finding in findings if finding.conflict]
    opens = [finding.text for finding in findings if finding.open]
    if found is None:
        why = evidence.reasons.get("adf" if evidence.beta_given else "combined_p", "there is no test")
        return Verdict(Agreement.UNDECIDED, None, f"Undecided: {why}", remarks)
    if conflicts:
        return Verdict(Agreement.CONFLICT, None, f"The tests conflict: {conflicts[0]}", remarks)
    if opens:
        return Verdict(Agreement.UNDECIDED, None, f"Undecided: {opens[0]}", remarks)
    what = "the spread reverts" if evidence.beta_given else "the legs are cointegrated"
    none = "no sign that the spread reverts" if evidence.beta_given else "no sign of cointegration"
    return Verdict(Agreement.AGREE, found, f"The tests agree: {what if found else none} (5 %)", remarks)


def _cointegrated(evidence: PairEvidence) -> bool | None:
    """Return what the leading test says: the ADF of a given beta, else Engle-Granger both ways."""
    if evidence.beta_given:
        return None if evidence.adf is None else evidence.adf.rejects
    return None if evidence.combined_p is None else evidence.combined_p < 0.05


def _stationarity(evidence: PairEvidence) -> Iterator[_Finding]:
    unit_root = evidence.adf if evidence.beta_given else evidence.engle_granger
    if unit_root is None or evidence.kpss is None:
        return
    name = "the ADF" if evidence.beta_given else "Engle-Granger y on x (in place of the ADF: beta was fitted)"
    case = (unit_root.rejects, evidence.kpss.rejects)
    numbers = f"p {unit_root.p_value:.3g}; KPSS {evidence.kpss.statistic:.3f} against {evidence.kpss.critical_5:.3f}"
    text = f"{_TABLE[case].format(unit_root=name)} ({numbers})"
    yield _Finding(text, conflict=case == (True, True), open=case == (False, False))


def _directions(evidence: PairEvidence) -> Iterator[_Finding]:
    forth, back = evidence.engle_granger, evidence.engle_granger_reverse
    if forth is None or back is None or evidence.combined_p is None:
        return
    numbers = f"p {forth.p_value:.3g} for y on x, {back.p_value:.3g} for x on y, together {evidence.combined_p:.3g}"
    if forth.rejects != back.rejects:
        yield _Finding(f"Engle-Granger depends on the direction: {numbers}", conflict=True)
    else:
        yield _Finding(f"Engle-Granger says the same both ways: {numbers}")


def _johansen(evidence: PairEvidence) -> Iterator[_Finding]:
    found, engle = evidence.johansen, _cointegrated(evidence)
    if found is None or evidence.beta_given:
        return
    rank = found.rank()
    trace = f"trace {found.trace[0]:.2f} against {found.critical_values_trace[0, 1]:.2f}"
    largest, bound = float(found.max_eigen[0]), float(found.critical_values_max_eigen[0, 1])
    if (largest > bound) != (rank > 0):
        yield _Finding(
            f"Johansen's two statistics differ: {trace}, largest eigenvalue {largest:.2f} against {bound:.2f}",
            conflict=True,
        )
    if engle is not None and engle != (rank > 0):
        says = "finds a relation" if rank else "finds no relation"
        yield _Finding(f"Johansen {says} ({trace}), Engle-Granger says otherwise", conflict=True)
    else:
        yield _Finding(f"Johansen finds {'a' if rank else 'no'} relation ({trace})")
    if rank == 2:
        # Its table takes the legs for drifting: of pairs of walks without a drift a fifth get here.
        second = f"{found.trace[1]:.2f} against {found.critical_values_trace[1, 1]:.2f}"
        yield _Finding(
            f"Johansen's second trace rejects, too ({second}): each leg may be stationary by itself, "
            "where cointegration is no question; without a drift in the legs this is often chance"
        )


def _lags(evidence: PairEvidence) -> Iterator[_Finding]:
    aic, bic = evidence.by_criterion.get("AIC"), evidence.by_criterion.get("BIC")
    if aic is None or bic is None:
        return
    numbers = f"AIC lag {aic.lags} p {aic.p_value:.3g}, BIC lag {bic.lags} p {bic.p_value:.3g}"
    if aic.rejects != bic.rejects:
        yield _Finding(f"the choice of the lag flips Engle-Granger's verdict on y on x: {numbers}", conflict=True)
    else:
        yield _Finding(f"the choice of the lag changes nothing, y on x: {numbers}")


def _half_life(evidence: PairEvidence) -> Iterator[_Finding]:
    life, size = evidence.half_life, evidence.observations
    if life is not None and life > HALF_LIFE_SHARE * size:
        yield _Finding(
            f"the half-life of {life:.1f} bars is {100 * life / size:.1f} % of the sample: "
            "walks that do not revert show a median of 8.5 %"
        )


def _sample(evidence: PairEvidence) -> Iterator[_Finding]:
    found = evidence.effective
    if found is not None and found.size < FEWEST_EFFECTIVE:
        yield _Finding(f"the {found.observations:,} bars are worth {found.size:.1f} independent observations")


def _hurst(evidence: PairEvidence) -> Iterator[_Finding]:
    found = evidence.hurst
    if found is None:
        return
    if found.value is None:
        yield _Finding(f"the Hurst exponent is not valid: {found.exponent:.3f} lies outside 0 to 1")
    elif found.value >= 0.5:
        yield _Finding(f"the Hurst exponent of {found.value:.3f} shows no reversion over 2 to 20 bars")


def _breaks(evidence: PairEvidence) -> Iterator[_Finding]:
    found = evidence.cusum
    if found is not None and found.breaks:
        when = utc_text(int(evidence.times[found.row]))
        yield _Finding(
            f"the hedge line breaks: its CUSUM of {found.statistic:.2f} leaves the 5 % bound of 1.358, near {when}"
        )
